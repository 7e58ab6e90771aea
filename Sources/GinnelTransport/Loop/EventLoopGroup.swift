// The loops of one service, and a loop that clients share.
//
// With `Engine.reactor` a service has a few loops from beginning to end, and connections are dealt out to them. With `Engine.threads` it has one that listens, and one for each connection as long as that is
// there.

extension EventLoop {
    /// Runs `body` on a loop that lives as long as it does, for several clients to share (`ClientConfiguration.loop`). It waits in the way of the engine that the environment chooses.
    ///
    /// - Throws: `GinnelError` when there is no thread or poller to be had, `invalid` when the environment names no engine; whatever `body` throws.
    public static func run<Result: Sendable>(
        _ configuration: LoopConfiguration = .defaults, _ body: @concurrent @Sendable (EventLoop) async throws -> Result
    ) async throws -> Result {
        let loop = try EventLoop(name: "ginnel-shared", configuration, engine: Engine.chosen())
        try loop.start()
        let result = await withTaskExecutorPreference(loop) { () async -> Swift.Result<Result, any Error> in
            do {
                return .success(try await body(loop))
            } catch {
                return .failure(error)
            }
        }
        await loop.stop()
        return try result.get()
    }
}

package final class EventLoopGroup: Sendable {
    package let loops: [EventLoop]
    private let turn = Guarded(0)
    /// Where each connection has its own.
    package let threads: ConnectionThreads?

    private init(_ loops: [EventLoop], _ threads: ConnectionThreads?) {
        self.loops = loops
        self.threads = threads
    }

    /// Starts as many loops, or with `.threads` the one that listens; none is left running when one cannot be had.
    package static func start(
        name: String, count: Int, _ configuration: LoopConfiguration, engine: Engine = .reactor, reportsSlowness: (@Sendable (String, UInt64) -> Void)? = nil
    ) async throws -> EventLoopGroup {
        let count = engine == .reactor ? max(1, count) : 1
        let loops = try (0..<count).map { try EventLoop(name: "\(name)-\($0)", configuration, engine: engine) }
        for (index, loop) in loops.enumerated() {
            loop.reportsSlowness = reportsSlowness
            do {
                try loop.start()
            } catch {
                for started in loops[..<index] { await started.stop() }
                throw error
            }
        }
        return EventLoopGroup(loops, engine == .threads ? ConnectionThreads(name: name, configuration, reportsSlowness: reportsSlowness) : nil)
    }

    /// How many loops a service has.
    package static func defaultCount(_ configuration: LoopConfiguration) -> Int {
        configuration.count ?? min(4, System.processors)
    }

    /// The loop of a new connection, which is given back when that has ended. Throws when a connection needs a thread and there is none to be had.
    package func forConnection() throws -> EventLoop { try threads?.start() ?? next() }

    /// A connection has ended, or was none in the end. On its loop.
    package func giveBack(_ loop: EventLoop) {
        guard let threads else { return }
        threads.end(loop) { [listening = loops[0]] in listening.post { threads.reap() } }
    }

    /// One after the other.
    package func next() -> EventLoop {
        loops[
            turn.withLock { turn in
                defer { turn = (turn + 1) % loops.count }
                return turn
            }]
    }

    package func stop() async {
        await threads?.stop()
        for loop in loops { await loop.stop() }
    }
}
