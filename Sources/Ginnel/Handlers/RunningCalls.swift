// The async handlers that a connection's calls are waiting for: their tasks, so that they can be cancelled, and their items.

internal import GinnelCore
internal import GinnelTransport

final class RunningCalls: Sendable {
    private struct Entry {
        /// `nil` until the task is known.
        var task: Task<Void, Never>?
        /// Why the session wants the handler to stop.
        var stopped: FailureCode?
        let stream: CallStream?
    }

    private let entries = Guarded([UInt32: Entry]())

    /// A handler is about to start.
    func begin(_ call: UInt32, _ stream: CallStream?) { entries.withLock { $0[call] = Entry(stream: stream) } }

    /// Its task is known. It may have ended already, or been cancelled in between.
    func attach(_ task: Task<Void, Never>, to call: UInt32) {
        let isCancelled = entries.withLock { entries in
            // Taken out and put back: changing an entry in its place costs three allocations.
            guard var entry = entries[call] else { return false }
            entry.task = task
            entries[call] = entry
            return entry.stopped != nil
        }
        if isCancelled { task.cancel() }
    }

    /// The handler has ended; why it was to stop, if it was.
    func end(_ call: UInt32) -> FailureCode? { entries.withLock { $0.removeValue(forKey: call)?.stopped } }

    var count: Int { entries.withLock { $0.count } }

    func stream(of call: UInt32) -> CallStream? { entries.withLock { $0[call]?.stream } }

    /// The session wants the handler to stop.
    func cancel(_ call: UInt32, _ failure: Failure) {
        let entry = entries.withLock { entries in
            entries[call]?.stopped = failure.code
            return entries[call]
        }
        entry?.task?.cancel()
        entry?.stream?.cancel(failure)
    }
}
