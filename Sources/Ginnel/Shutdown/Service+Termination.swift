// A service that stops when its program is asked to.

/// What ends a service from outside.
public struct ShutdownTrigger: Sendable {
    let requests: @Sendable () throws -> AsyncStream<TerminationRequest>

    /// SIGTERM and SIGINT.
    public static let terminated = ShutdownTrigger { try TerminationRequest.all() }

    /// Requests from elsewhere, which count as signals do.
    public static func requested(by requests: AsyncStream<TerminationRequest>) -> ShutdownTrigger { ShutdownTrigger { requests } }
}

/// How a service that was run until something has ended.
@nonexhaustive public enum ShutdownResult: Sendable, Hashable {
    /// By itself: `beginGracefulShutdown()`, the end of its only connection, or the cancellation of its task.
    case finished
    /// It was asked to; calls in flight had `shutdownTimeout` to end.
    case stopped(TerminationRequest)
    /// It was asked twice, and cut off what was still in flight.
    case cutOff(TerminationRequest)

    /// What a program returns by convention: 0, or 128 and the signal when it was cut off.
    public var exitStatus: Int32 { if case .cutOff(let request) = self { request.exitStatus } else { 0 } }
}

extension Service {
    /// Runs until the program is asked to end.
    ///
    ///     exit(try await service.run(until: .terminated).exitStatus)
    ///
    /// The first SIGTERM or SIGINT begins a graceful shutdown: no new connections and calls, peers are told why, calls in flight may end within `shutdownTimeout`. The second cuts them off, and
    /// handlers are cancelled. The third ends the process at once, as signals do.
    ///
    /// - Throws: as `run()`, and `exhausted` when signals cannot be watched.
    @discardableResult
    public func run(until trigger: ShutdownTrigger) async throws -> ShutdownResult {
        // Subscribed before anybody can know that it runs, so that the first request is not lost.
        let requests = try trigger.requests()
        return try await withThrowingTaskGroup(of: ShutdownResult?.self) { group in
            group.addTask {
                try await self.run()
                return nil
            }
            group.addTask { await self.obey(requests) }
            var result = ShutdownResult.finished
            while let each = try await group.next() {
                if let each { result = each }
                // The service has ended, and nobody need listen any more; or what is in flight is to be cut off.
                switch each {
                case nil, .cutOff: group.cancelAll()
                default: break
                }
            }
            return result
        }
    }

    /// Returns at the second request, or when nothing more can be heard: the service has ended, or the requests have.
    private func obey(_ requests: AsyncStream<TerminationRequest>) async -> ShutdownResult {
        var iterator = requests.makeAsyncIterator()
        guard let first = await iterator.next() else { return .finished }
        configuration.log(.notice, .askedToStop, "stopping: asked to", ["by": "\(first)"])
        beginGracefulShutdown()
        guard let second = await iterator.next() else { return .stopped(first) }
        configuration.log(.warning, .cutOff, "cutting off what is still in flight: asked to end again", ["by": "\(second)"])
        return .cutOff(second)
    }
}
