// What connections have of the service or client that they belong to: one for all that came in at the same place, since there may be thousands of them.

internal import GinnelCore

final class ConnectionOwner: Sendable {
    let handlers: HandlerTable
    let tasks: HandlerTasks
    let events: EventHub
    let log: Log
    let metrics: Recorder
    /// It is there for tools that look at a service, not for the service's own clients.
    let isControl: Bool
    /// Messages that are acknowledged, in both directions; `nil` where there are none.
    let messages: ConnectionMessages?
    /// Warns of what a peer can cause as often as it likes.
    let complain: @Sendable (LogEvent, String, [String: String]) -> Void
    let established: @Sendable (Connection, Establishment) -> Void
    /// So many bytes more, or less, wait for the peer.
    let held: (@Sendable (Connection, Int) -> Void)?
    /// The peer takes no more calls on it.
    let leaving: @Sendable (Connection) -> Void
    let ended: @Sendable (Connection, CloseReason) -> Void

    init(
        handlers: HandlerTable, tasks: HandlerTasks, events: EventHub, log: Log, metrics: Recorder, isControl: Bool = false, messages: ConnectionMessages?,
        complain: @escaping @Sendable (LogEvent, String, [String: String]) -> Void, established: @escaping @Sendable (Connection, Establishment) -> Void = { _, _ in },
        held: (@Sendable (Connection, Int) -> Void)? = nil, leaving: @escaping @Sendable (Connection) -> Void = { _ in },
        ended: @escaping @Sendable (Connection, CloseReason) -> Void
    ) {
        self.handlers = handlers
        self.tasks = tasks
        self.events = events
        self.log = log
        self.metrics = metrics
        self.isControl = isControl
        self.messages = messages
        self.complain = complain
        self.established = established
        self.held = held
        self.leaving = leaving
        self.ended = ended
    }
}

/// Where a connection's messages come from and go to.
struct ConnectionMessages: Sendable {
    let receiver: MessageReceiver
    /// A peer that acknowledges messages is known by this identity: what there is for it is sent on this connection from now on (`Connection.take`).
    let began: @Sendable (Connection, Identity) -> Void
    /// The outbox for that peer, which the program uses, at any time after.
    let used: @Sendable (Connection, Identity) -> MessageSender
    /// The connection has ended, for which `began` was called.
    var ended: @Sendable (Connection, Identity) -> Void = { _, _ in }
    /// Whether every connection of this service or client is encrypted, or within one process.
    var arePrivate = false
}
