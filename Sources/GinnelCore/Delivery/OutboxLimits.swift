// How much an outbox keeps, and what becomes of what is too much.

/// What a sender keeps of messages that are not acknowledged.
public struct OutboxLimits: Sendable, Equatable {
    /// Messages kept at once. Default 10,000; 1 or more.
    public var messages: Int = 10_000
    /// Bytes of names and payloads kept at once, each message counted 128 bytes longer than it is. Default 64 MiB.
    public var bytes: Int = 64 << 20
    /// Default `.wait`.
    public var overflow = OutboxOverflow.wait

    public static let defaults = OutboxLimits()

    public init() {}
}

/// What a service keeps in the outboxes of all its clients together, which are in memory.
public struct OutboxTotals: Sendable, Equatable {
    /// Clients that are away and for which messages are kept. Default 4,096. Beyond it the user with the most of them loses the one that has been away for longest.
    public var clients = 4096
    /// For how long, on the awake clock. Default 1 h.
    public var memory: Duration = .seconds(3600)
    /// Bytes of all messages, counted as in `OutboxLimits.bytes`. Default 1 GiB. Beyond it the user for whom most is kept gives up an outbox: that of the client which has been away for longest, or
    /// when all are here the largest, whose client is closed as a slow reader. A message for that largest one is refused with `resourceExhausted` instead.
    public var bytes = 1 << 30
    /// The same for all clients of one user. Default 256 MiB.
    public var bytesPerUser = 256 << 20

    public static let defaults = OutboxTotals()

    public init() {}
}

/// What becomes of a message for which the outbox has no room.
public enum OutboxOverflow: Sendable, Equatable {
    /// Its sender waits for room.
    case wait
    /// It is refused with `resourceExhausted`.
    case refuse
    /// The oldest messages that are not on their way are given up for it, and reported; it is refused when all are on their way. One that was on its way on a connection that was lost may be given up too,
    /// and may have arrived.
    case dropOldest
}
