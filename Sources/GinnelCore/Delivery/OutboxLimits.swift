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
