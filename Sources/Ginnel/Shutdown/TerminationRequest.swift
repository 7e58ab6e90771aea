// How a program is asked to end: SIGTERM from whoever manages it, SIGINT from a terminal.

internal import GinnelTransport

/// A request to end, from outside.
@nonexhaustive public enum TerminationRequest: Int32, Sendable, Hashable {
    /// SIGINT: Ctrl-C.
    case interrupt = 2
    /// SIGTERM; on Windows the console is closed, the user logs off or the machine goes down.
    case terminate = 15

    /// The requests from now on, for as long as the sequence is kept: they do not end the process meanwhile. Two are told; the third ends it as if nobody listened. Requests of one kind that come
    /// at the same moment may count as one.
    ///
    /// - Throws: `GinnelError` with `exhausted` when there is no descriptor or thread for it.
    public static func all() throws -> AsyncStream<TerminationRequest> {
        let (requests, continuation) = AsyncStream.makeStream(of: TerminationRequest.self)
        let id = try TerminationWatch.add { number in
            if let request = TerminationRequest(rawValue: number) { continuation.yield(request) }
        }
        continuation.onTermination = { _ in TerminationWatch.remove(id) }
        return requests
    }

    /// What a program returns that was ended by this request before it was done: 128 and the signal, as a shell says it. A graceful end returns 0.
    public var exitStatus: Int32 { 128 + rawValue }
}
