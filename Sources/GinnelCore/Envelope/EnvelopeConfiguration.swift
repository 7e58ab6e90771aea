// What one side of an envelope session may be told.

package struct EnvelopeConfiguration: Sendable {
    /// Bytes of the longest message, in both directions, inclusive. Default 1,048,576; 16,384 to 2³¹ − 1.
    package var maximumMessage = 1 << 20
    /// The types of message with which the other side may answer a message of a type, in place of an acknowledgement. Default none.
    package var answers: [String: Set<String>] = [:]
    /// Client: types that the program deals with one at a time and acknowledges when it has. All others are events. Default none.
    package var received: Set<String> = []
    /// Service: whether a client is dropped that says nothing for two heartbeats. A client drops its service in any case. Default true.
    package var expectsHeartbeats = true
    /// What the ids of this connection's messages count on from. Random, and no other connection's.
    package var ids = Identity(high: 0, low: 0)
    /// What the ids of messages count on from that are sent again on another connection with the id that they had. Random, and the same over all connections of a sender.
    package var deliveryIDs = Identity(high: 0, low: 0)
    /// Whom a HEARTBEAT names as its sender.
    package var sender = "ginnel"
    /// The wall clock. Any thread, under a lock: it must be quick and must not call back.
    package var time: @Sendable () -> EnvelopeTimestamp = { EnvelopeTimestamp(ticks: 0) }
    /// What is remembered of ids over all connections; `nil`: each connection for itself.
    package var memory: (any EnvelopeRecall)?
    /// Service: what all peers of this one's user have in hand; `nil`: what they like.
    package var requests: (any RequestBudget)?
    package var json = JSONLimits.defaults
    package var limits = SessionLimits.defaults
    package var timeouts = SessionTimeouts.defaults

    package init() {}

    /// Bytes of the longest id that is taken.
    static let longestID = 1024
    /// Bytes of the longest type.
    static let longestType = 255
    /// Bytes of the longest sentence of a failed acknowledgement, with its quotes.
    static let longestSentence = 4096
    /// Messages of an outbox that wait for their acknowledgement at once.
    static let messagesUnderway = 64
    /// HEARTBEATs that the program asked for and that wait for their answer at once.
    static let pingsUnderway = 64
}

extension FailureCode {
    /// What a caller makes of a failed acknowledgement that says neither of the two things that have a code: the format has sentences, but no codes.
    package static let envelopeError = FailureCode(rawValue: 1000)
}
