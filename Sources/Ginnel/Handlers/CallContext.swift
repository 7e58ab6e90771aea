// What a handler knows of the call it serves.

public import GinnelCore
internal import GinnelTransport

/// One incoming call.
public struct CallContext: Sendable {
    /// The method's name.
    public let method: String
    /// How urgent the caller holds it to be.
    public let priority: Priority
    /// How the request's payload is written.
    public let codec: Codec
    /// Where the call stands in a trace, if its caller said so. Calls that an async handler makes carry it on.
    public let trace: TraceContext?
    /// The connection on which the call came; events and calls to this very peer go through it.
    public let connection: Connection
    /// On the continuous clock, nanoseconds.
    let deadlineTime: UInt64?

    init(method: String, deadline: UInt64?, priority: Priority, codec: Codec, trace: TraceContext?, connection: Connection) {
        self.method = method
        self.priority = priority
        self.codec = codec
        self.trace = trace
        self.connection = connection
        deadlineTime = deadline
    }

    /// Who calls, as the kernel says.
    public var peer: PeerIdentity { connection.peer }

    /// What is left of the caller's time; zero when it has run out, `nil` when there is no deadline.
    public var timeLeft: Duration? { deadlineTime.map(Self.timeLeft) }

    // MARK: The deadline that calls inherit

    /// The deadline of the handler that runs, on the continuous clock, nanoseconds. Calls made by a handler end with it.
    @TaskLocal static var inheritedDeadline: UInt64?

    /// What is left of the deadline that calls made here inherit; `nil` when there is none.
    public static var deadline: Duration? { inheritedDeadline.map(timeLeft) }

    private static func timeLeft(_ deadline: UInt64) -> Duration {
        let now = Moment.now.continuous
        return .wholeNanoseconds(deadline > now ? deadline - now : 0)
    }

    /// When a call must end that may take `span`.
    static func absolute(_ span: Duration?) -> UInt64? {
        let inherited = inheritedDeadline
        guard let span else { return inherited }
        let own = Moment.now.continuous.adding(span.wholeNanoseconds)
        return inherited.map { min($0, own) } ?? own
    }
}
