// A program beside ours: started, watched, started again, and never left behind. Nothing starts before one of the `run` forms is called, and the program has ended and was waited for when it returns.
//
// Who ends it when we die is the platform (`gn_process_supervise`): on Linux the kernel, when the thread that started it ends, and so with us; on Windows a job that is closed with us; on macOS
// nobody, and a program that is to end there too has to see the end of its channel, as a service with `.inherited` endpoints does by itself. Only the program itself is
// promised to end, not what it starts in its turn (but on Windows).

internal import GinnelTransport

/// A child process of this program.
///
///     let sidecar = Sidecar("/usr/libexec/recorder", configuration: configuration)
///     try await sidecar.run {
///         // It is ready; when this returns, it is ended.
///     }
public final class Sidecar: Sendable {
    private struct State {
        var current = SidecarState.idle
        var hasRun = false
        var next = 0
        var watchers: [Int: AsyncStream<SidecarState>.Continuation] = [:]
    }

    /// The path of the program.
    public let program: String
    /// Without the program's name.
    public let arguments: [String]
    public let configuration: SidecarConfiguration
    private let state = Guarded(State())

    /// A program that is started by one of the `run` forms or by `connect`, once.
    ///
    /// - Parameters:
    ///   - program: the path of an executable file.
    ///   - arguments: what follows the program's name.
    public init(_ program: String, arguments: [String] = [], configuration: SidecarConfiguration = .defaults) {
        self.program = program
        self.arguments = arguments
        self.configuration = configuration
    }

    // MARK: Running

    /// Keeps the program running until the task is cancelled, which ends it: SIGTERM, and SIGKILL after `grace`. Returns earlier when it ends and its policy leaves it at that.
    ///
    /// - Throws: `GinnelError`: `notFound` or `denied` when it cannot be started, with path and reason; `gaveUp` when it has ended and is not started again.
    public func run() async throws {
        try begin()
        try await keep { try await self.attend($0) { await Self.untilCancelled() } }
    }

    /// Runs `body` once the program is ready, and ends the program when it returns or throws. `body` goes on while the program is started again; it is cancelled when that is given up.
    ///
    /// - Throws: as `run()`, and what `body` throws.
    public func run<Result: Sendable>(_ body: @concurrent @escaping @Sendable () async throws -> Result) async throws -> Result {
        try begin()
        let (isReady, ready) = AsyncStream.makeStream(of: Never.self)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await self.keep { life in
                    try await self.attend(life) {
                        ready.finish()
                        await Self.untilCancelled()
                    }
                }
                // It has done what it was started for.
                ready.finish()
                return nil
            }
            group.addTask {
                for await _ in isReady {}
                try Task.checkCancellation()
                return try await body()
            }
            while let each = try await group.next() {
                guard let result = each else { continue }
                group.cancelAll()
                // The result is there; how the program ends does not change it.
                while (try? await group.next()) != nil {}
                return result
            }
            throw CancellationError()
        }
    }

    /// Starts the program with a channel to this one, descriptor 3 of the program and named in its `GINNEL_ENDPOINT`, connects a client over it, and runs `body` once they have shaken hands. Ends
    /// the program when `body` returns or throws.
    ///
    /// When the program ends or the connection is lost, the client of `body` has ended, its calls are told, and what `body` throws of that is passed over: the program is started again with a
    /// new channel, and `body` is called again with a client of it. `readiness` is of no account here.
    ///
    /// - Throws: as `run()`, and what `body` throws of its own.
    public func connect(_ client: ClientConfiguration = .defaults, _ body: @concurrent @escaping @Sendable (Client) async throws -> Void) async throws {
        try begin()
        try await keep(withChannel: true) { try await self.converse($0, client, body) }
    }

    private func begin() throws {
        try state.withLock { state in
            guard !state.hasRun else { throw GinnelError(.invalid, "a sidecar runs once; make another one", path: program) }
            state.hasRun = true
        }
    }

    /// Returns when the task is cancelled.
    static func untilCancelled() async {
        let (never, continuation) = AsyncStream.makeStream(of: Never.self)
        for await _ in never {}
        continuation.finish()
    }

    // MARK: What it is doing

    /// What it is doing now, and each change from now on; ends when the sidecar has. Whoever reads slowly misses the oldest of more than 64 changes.
    public var states: AsyncStream<SidecarState> {
        let (states, continuation) = AsyncStream.makeStream(of: SidecarState.self, bufferingPolicy: .bufferingNewest(64))
        let id = state.withLock { state in
            continuation.yield(state.current)
            if case .ended = state.current {
                continuation.finish()
                return -1
            }
            state.next += 1
            state.watchers[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { _ = $0.watchers.removeValue(forKey: id) } }
        return states
    }

    public var currentState: SidecarState { state.withLock { $0.current } }

    /// Changes the state; in order, since it is told under the lock.
    func enter(_ new: SidecarState) {
        let watchers = state.withLock { state in
            state.current = new
            for watcher in state.watchers.values { watcher.yield(new) }
            guard case .ended = new else { return [AsyncStream<SidecarState>.Continuation]() }
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.finish() }
    }
}
