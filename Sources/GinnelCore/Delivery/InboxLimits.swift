// How much an inbox remembers, and for how long.

/// What a receiver remembers of those who send it messages.
public struct InboxLimits: Sendable, Equatable {
    /// Senders that are remembered. Default 4,096. Beyond it the user with the most of them loses the one that has been away for longest; those that have a connection or a message in hand stay, be
    /// they more.
    public var senders = 4096
    /// How long a sender without a connection is remembered, on the awake clock. Default 1 h.
    public var memory: Duration = .seconds(3600)
    /// Messages in hand at once; further ones wait. Default 1,024; 1 or more.
    public var inHand = 1024
    /// Of these, the messages of one user's senders. Default 512; 1 or more. Users take turns.
    public var inHandPerUser = 512
    /// Bytes of names and payloads that wait or are in hand, each message counted 128 bytes longer than it is. Default 1 GiB. Beyond it a connection is closed with `resourceExhausted`: of the user
    /// for whom most is held, the one of which most waits; its sender keeps the messages and may come again.
    public var bytes = 1 << 30
    /// The same for all senders of one user. Default 256 MiB.
    public var bytesPerUser = 256 << 20
    /// Refusals remembered of one sender, the latest. Default 1,024.
    public var refusals = 1024

    public static let defaults = InboxLimits()

    public init() {}
}
