// Where other libraries attach: one that counts, one that traces. docs/observability.md shows both in a few lines each; a logger attaches through `Log`.

public import GinnelCore

/// A call that has ended.
public struct CallRecord: Sendable {
    public let direction: CallDirection
    /// As it stands in the metrics: a method that exists, or one name for all that do not.
    public let method: String
    /// `nil` when it went well.
    public let failure: FailureCode?
    /// From the request to the answer; of served calls without the time on the wire. Zero for calls that were refused at once.
    public let duration: Duration
}

/// What a program adds to every call. All three are `nil` by default and cost nothing then.
public struct Instruments: Sendable {
    /// Told of every call that has ended, served or made. On the thread on which it ended, most often a loop; must not block.
    public var callEnded: (@Sendable (CallRecord) -> Void)?

    /// The trace to which a call belongs that is made now, where a tracing library keeps it. Asked in the task that makes the call, before `TraceContext.current`, which counts
    /// when this says `nil`.
    public var trace: (@Sendable () -> TraceContext?)?

    /// Runs an async handler within something of the library's, such as a span. It must call the handler once, within itself, and pass its error on. Handlers that do not await are
    /// not led through here.
    public var around: (@Sendable (CallContext, _ handler: () async throws -> Void) async throws -> Void)?

    public init() {}
}

extension Instruments {
    /// The trace of a call that is made now.
    var traceNow: TraceContext? { trace?() ?? TraceContext.current }

    /// Runs a handler, within `around` where there is one.
    func run(_ context: CallContext, _ handler: () async throws -> Reply) async throws -> Reply {
        guard let around else { return try await handler() }
        var reply: Reply?
        try await around(context) { reply = try await handler() }
        guard let reply else { throw CallError(.internal, "instruments.around did not run the handler of \(context.method), or kept its error") }
        return reply
    }
}
