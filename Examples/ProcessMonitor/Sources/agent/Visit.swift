// A monitor that somebody else has started, and perhaps made: it is asked for what every monitor is asked for, and each answer is said in a line. Nothing is presumed of it but the format and the
// schema, so that what it cannot do, or does not say, is no error.

import Foundation
import Ginnel
import ProcessMonitorMessages
import ProcessMonitorSupport

struct Visit: Sendable {
    let settings: MonitorSettings
    private let own = UInt32(ProcessInfo.processInfo.processIdentifier)

    init(_ settings: MonitorSettings) { self.settings = settings }

    func run() async throws {
        try await Client.connect(to: settings.endpoint, configuration: settings.client) { monitor in
            try await negotiate(monitor)
            try await enumerate(monitor)
            try await findMyself(monitor)
            try await verify(monitor)
            try await askForMore(monitor)
        }
    }

    private func ask(_ monitor: Client, _ type: TaskType, _ change: (inout DetectionTask) -> Void) async throws -> DetectionResult {
        try await monitor.ask(type, within: settings.taskTimeout, change)
    }

    private func negotiate(_ monitor: Client) async throws {
        let result = try await ask(monitor, .enumerateProcesses) { $0.negotiate() }
        let domains = result.capabilities?.capabilities?.supportedDomains
        let can = domains.map { $0.contains(.process) ? "watches processes" : "watches no processes" } ?? "does not say what it watches"
        say("agent: the monitor \(result.success ? "agrees" : "refuses: \(result.errorMessage ?? "")") and \(can)")
    }

    private func enumerate(_ monitor: Client) async throws {
        let result = try await ask(monitor, .enumerateProcesses) { _ in }
        guard result.success else { return refused("all processes", result) }
        say("agent: \(result.processes.count) processes, I \(result.processes.contains { $0.pid == own } ? "among them" : "not")")
    }

    private func findMyself(_ monitor: Client) async throws {
        let change = { (task: inout DetectionTask) in
            task.processFilter = ProcessFilter()
            task.processFilter?.pids = [own]
        }
        let found = try await ask(monitor, .enumerateProcesses, change)
        if found.success { say("agent: under my number: \(names(found))") } else { refused("one process", found) }
        let tree = try await ask(monitor, .monitorProcessTree, change)
        if tree.success { say("agent: the tree below me: \(names(tree))") } else { refused("a tree", tree) }
    }

    private func names(_ result: DetectionResult) -> String { result.processes.isEmpty ? "nobody" : result.processes.map(\.name).joined(separator: " > ") }

    private func verify(_ monitor: Client) async throws {
        let path = Bundle.main.executablePath ?? CommandLine.arguments[0]
        let expected = try await HashCheck.hash(path)
        let right = try await ask(monitor, .checkProcessHash) { $0.hashCheck = HashCheck(path, expected) }
        guard let found = right.hashResult else { return refused("a hash", right) }
        say("agent: my file hashes to \(found.hashValue), \(found.success && found.hashValue == expected ? "as I find too" : "where I find \(expected)")")
        let wrong = try await ask(monitor, .verifyExecutable) { $0.hashCheck = HashCheck(path, String(repeating: "0", count: 64)) }
        say("agent: with another hash expected: \(wrong.hashResult?.success == false ? "not verified" : "verified all the same")")
        let none = try await ask(monitor, .verifyExecutable) { $0.hashCheck = HashCheck(path + ".none", "") }
        say("agent: a file that does not exist: \(none.success ? "verified" : "not verified")")
    }

    private func askForMore(_ monitor: Client) async throws {
        for type in [TaskType.monitorNetworkConnections, .trackFileOperations, .collectPerformanceMetrics, TaskType(rawValue: 42)] {
            let result = try await ask(monitor, type) { _ in }
            if result.success { say("agent: a task of type \(type.rawValue) succeeded") } else { refused("type \(type.rawValue)", result) }
        }
    }

    private func refused(_ what: String, _ result: DetectionResult) { say("agent: refused \(what): \(result.errorMessage ?? "without a reason")") }
}
