// How the messages travel: one request, one result, in checksummed frames. With types that SwiftProtobuf's compiler has generated,
// this file would be all that is written by hand, and once for the program the few lines at `SerializedMessage` that say which of their functions are meant.

public import Ginnel

extension DetectionTask: SerializedMessage, WireRequest {
    public typealias Response = DetectionResult
    public static let method = "task"
}

extension DetectionResult: SerializedMessage {}

extension DetectionTask {
    public init(_ id: String, _ type: TaskType) {
        self.init()
        taskID = id
        taskType = type
    }

    /// The mark of a task that asks what the monitor can do; its type is `enumerateProcesses`.
    public static let negotiation = "capability_negotiation"
}

extension DetectionResult {
    /// A task that failed.
    public init(_ task: String, failed reason: String) {
        self.init()
        taskID = task
        errorMessage = reason
    }

    /// A task that was carried out.
    public init(done task: String) {
        self.init()
        taskID = task
        success = true
    }

    /// What the other side reads when a handler fails or takes too long: a result of the same task. A request that is no task has no such answer, and its connection ends.
    public static let failures: CallFailureEncoder = { failure, request in
        do {
            let task = try DetectionTask(serializedBytes: request)
            return try DetectionResult(task.taskID, failed: failure.sentence).serializedBytes()
        } catch {
            return nil
        }
    }
}
