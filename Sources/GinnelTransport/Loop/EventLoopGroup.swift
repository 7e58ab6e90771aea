// The loops of one service, and a loop that clients share.

extension EventLoop {
    /// Runs `body` on a loop that lives as long as it does, for several clients to share (`ClientConfiguration.loop`).
    ///
    /// - Throws: `GinnelError` when there is no thread or poller to be had; whatever `body` throws.
    public static func run<Result: Sendable>(
        _ configuration: LoopConfiguration = .defaults, _ body: @concurrent @Sendable (EventLoop) async throws -> Result
    ) async throws -> Result {
        let loop = try EventLoop(name: "ginnel-shared", configuration)
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

    private init(_ loops: [EventLoop]) { self.loops = loops }

    /// Starts as many loops; none is left running when one cannot be had.
    package static func start(
        name: String, count: Int, _ configuration: LoopConfiguration, reportsSlowness: (@Sendable (String, UInt64) -> Void)? = nil
    ) async throws -> EventLoopGroup {
        let loops = try (0..<max(1, count)).map { try EventLoop(name: "\(name)-\($0)", configuration) }
        for (index, loop) in loops.enumerated() {
            loop.reportsSlowness = reportsSlowness
            do {
                try loop.start()
            } catch {
                for started in loops[..<index] { await started.stop() }
                throw error
            }
        }
        return EventLoopGroup(loops)
    }

    /// How many loops a service has.
    package static func defaultCount(_ configuration: LoopConfiguration) -> Int {
        configuration.count ?? min(4, System.processors)
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
        for loop in loops { await loop.stop() }
    }
}
