// An outbox in one SQLite file: who may touch it, and when.
//
// A disk that is asked to keep something may take its time, so the file has a thread of its own, which alone touches it. Changes wait in a queue; the thread takes all that wait at once and
// makes them with one commit, so that many senders pay for one flush of the disk and not for one each. When a commit fails its changes are tried one by one: a message that does not fit
// fails alone.

#if DurableOutbox
package import GinnelCore
package import GinnelTransport

package final class SQLiteOutbox: OutboxStore {
    /// What one commit takes at most.
    private static let batch = 1024

    private struct Waiting {
        let change: OutboxChange
        let done: @Sendable (GinnelError?) -> Void
    }

    private struct State {
        var waiting: [Waiting] = []
        /// The thread has been told that something waits.
        var isTold = false
        var isOpen = false
        var thread: EventLoop?
    }

    /// The file; the thread's alone. `@unchecked Sendable`: `file` is touched only by notes that run on `State.thread`.
    private final class Own: @unchecked Sendable {
        var file: OutboxFile?
    }

    package let path: String
    package let maximumBytes: Int
    private let state = Guarded(State())
    private let own = Own()

    /// - Parameters:
    ///   - path: of the file; its directory is made when it is missing, and must be ours and closed to others.
    ///   - maximumBytes: what the file may grow to. Default 256 MiB. Its log, beside it, comes to a few megabytes more.
    package init(at path: String, maximumBytes: Int = 256 << 20) {
        self.path = path
        self.maximumBytes = maximumBytes
    }

    /// - Throws: `busy` when another process has the file open, `denied` when it is read-only, `unsafe` when it or its directory is not ours alone, `damaged` when it is no outbox or not whole,
    ///   `unsupported` when a later version has written it, `exhausted` when the disk is full.
    package func load() async throws -> StoredOutbox {
        let thread = try EventLoop(name: "ginnel-outbox")
        let isFirst = state.withLock { state in
            guard state.thread == nil else { return false }
            state.thread = thread
            return true
        }
        guard isFirst else { throw GinnelError(.invalid, "an outbox is loaded once; make another one", path: path) }
        try thread.start()
        do {
            let stored = try await thread.run { [own, path, maximumBytes] in
                let file = try OutboxFile(at: path, maximumBytes: maximumBytes)
                own.file = file
                return try file.contents()
            }
            state.withLock { $0.isOpen = true }
            return stored
        } catch {
            await end(thread)
            throw error
        }
    }

    package func make(_ change: OutboxChange, done: @escaping @Sendable (GinnelError?) -> Void) {
        let (isTaken, thread) = state.withLock { state -> (Bool, EventLoop?) in
            guard state.isOpen else { return (false, nil) }
            state.waiting.append(Waiting(change: change, done: done))
            defer { state.isTold = true }
            return (true, state.isTold ? nil : state.thread)
        }
        if !isTaken { return done(closed) }
        thread?.post { self.makeWaiting() }
    }

    package func close() async {
        let thread = state.withLock { state in
            state.isOpen = false
            return state.thread
        }
        if let thread { await end(thread) }
    }

    private var closed: GinnelError { GinnelError(.closed, "the outbox is not open", path: path) }

    private func end(_ thread: EventLoop) async {
        // Behind what was posted before.
        try? await thread.run { [own] in own.file = nil }
        await thread.stop()
    }

    // MARK: On the thread

    private func makeWaiting() {
        var isMore = true
        while isMore {
            let changes: [Waiting]
            (changes, isMore) = state.withLock { state in
                let changes = Array(state.waiting.prefix(Self.batch))
                state.waiting.removeFirst(changes.count)
                state.isTold = !state.waiting.isEmpty
                return (changes, state.isTold)
            }
            let errors = commit(changes.map(\.change))
            for (change, error) in zip(changes, errors) { change.done(error) }
        }
    }

    /// Makes all in one commit, or each in its own when that fails.
    private func commit(_ changes: [OutboxChange]) -> [GinnelError?] {
        guard let file = own.file else { return changes.map { _ in closed } }
        guard let error = file.make(changes) else { return changes.map { _ in nil } }
        return changes.count == 1 ? [error] : changes.map { file.make([$0]) }
    }
}
#endif
