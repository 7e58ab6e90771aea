// How much an inbox remembers, and for how long.

/// What a receiver remembers of those who send it messages.
public struct InboxLimits: Sendable, Equatable {
    /// Senders that are remembered. Default 4,096. Beyond it the one is forgotten that has been away for longest; those that have a connection or a message in hand stay, be they more.
    public var senders = 4096
    /// How long a sender without a connection is remembered, on the awake clock. Default 1 h.
    public var memory: Duration = .seconds(3600)
    /// Messages in hand at once; further ones wait. Default 1,024; 1 or more.
    public var inHand = 1024
    /// Refusals remembered of one sender, the latest. Default 1,024.
    public var refusals = 1024

    public static let defaults = InboxLimits()

    public init() {}
}
