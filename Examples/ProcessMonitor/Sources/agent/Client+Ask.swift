// One task and its result.

import Ginnel
import ProcessMonitorMessages

extension Client {
    /// Carries out a task of this type, which `change` says more about. Fails when the result is another task's. What a monitor refuses is a result without success.
    ///
    /// - Parameter limit: what the monitor itself allows a task. It has a little longer, so that it is the monitor that says which task took too long.
    func ask(_ type: TaskType, within limit: Duration, _ change: (inout DetectionTask) -> Void = { _ in }) async throws -> DetectionResult {
        var task = DetectionTask("task-\(UInt32.random(in: 0 ... .max))", type)
        change(&task)
        let result = try await call(task, deadline: limit + .seconds(5))
        guard result.taskID == task.taskID else { throw Surprise("the result of \(result.taskID) in answer to \(task.taskID)") }
        return result
    }
}

extension DetectionTask {
    /// Makes it a question for what the monitor can do, in the words of all versions and of later ones.
    mutating func negotiate() {
        metadata = DetectionTask.negotiation
        capabilities = CapabilityRequest()
        capabilities?.clientID = "agent"
        capabilities?.requestedDomains = [.process, .network]
    }
}

extension HashCheck {
    init(_ path: String, _ expected: String) {
        self.init()
        executablePath = path
        expectedHash = expected
        hashAlgorithm = "sha256"
    }

    /// What the file hashes to, found here. Away from the loop of the connection, which the file would hold up.
    static func hash(_ path: String) async throws -> String {
        try await withTaskExecutorPreference(globalConcurrentExecutor) { try ContentDigest(ofFile: path).hexadecimal }
    }
}

/// Something is not as it should be.
struct Surprise: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
