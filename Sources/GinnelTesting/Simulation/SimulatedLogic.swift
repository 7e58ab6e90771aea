// What a user puts under simulation: which messages are sent, and what a service does with them.

public import GinnelCore

/// A message of the simulated program.
public struct SimulatedMessage: Sendable, Equatable {
    public var name: String
    public var payload: [UInt8]
    /// High, normal or low.
    public var lane: Lane
    /// Whether it survives the end of its sender; takes effect for senders whose outbox is on disk, about half of them.
    public var isDurable: Bool

    public init(name: String, payload: [UInt8] = [], lane: Lane = .normal, isDurable: Bool = false) {
        self.name = name
        self.payload = payload
        self.lane = lane
        self.isDurable = isDurable
    }
}

/// A program of several senders and one service, as a value. It must do the same for the same calls, or a seed does not replay.
public protocol SimulatedLogic: Sendable {
    /// The next message of a sender, which are counted from 0; `nil` when it has no more to send. A sender that was restarted goes on where it was.
    mutating func nextMessage(of sender: Int) -> SimulatedMessage?

    /// The service begins again after a crash: what it had not put on a disk of its own is to be forgotten here.
    mutating func serviceRestarted()

    /// The service handles a message. `nil` when it takes it, a code when it refuses it for good. It may crash before the sender hears of it; then the next start is given the message again, `redelivered`.
    mutating func handle(_ message: SimulatedMessage, from sender: Int, redelivered: Bool) -> FailureCode?

    /// What is wrong when everything has come to rest.
    func problems() -> [String]
}
