// A service's outboxes: one for each client that it has sent something to, kept while the client is away.

internal import GinnelCore
internal import GinnelTransport

final class MessageSenders: Sendable {
    private struct Known {
        let sender: MessageSender
        var connections = 0
        /// When it lost its last connection, on the awake clock.
        var leftAt: UInt64 = 0
    }

    /// How long what was not acknowledged is kept for a client that is away.
    private static let memory = Duration.seconds(3600)

    private let known = Guarded([Identity: Known]())
    private let instance: Identity
    private let limits: OutboxLimits
    private let metrics: Recorder

    init(_ instance: Identity, _ limits: OutboxLimits, metrics: Recorder) {
        self.instance = instance
        self.limits = limits
        self.metrics = metrics
    }

    /// The outbox for the client of this identity, which has connected.
    func connected(_ client: Identity) -> MessageSender {
        let now = Moment.now.awake
        return known.withLock { known in
            known = known.filter { _, each in each.connections > 0 || now < each.leftAt.adding(Self.memory.wholeNanoseconds) }
            let sender = known[client]?.sender ?? MessageSender(Outbox(sender: instance, limits: limits), metrics: metrics)
            known[client, default: Known(sender: sender)].connections += 1
            return sender
        }
    }

    func lost(_ client: Identity) {
        known.withLock { known in
            known[client]?.connections -= 1
            known[client]?.leftAt = Moment.now.awake
            // With nothing to say there is nothing to remember, but that ids were used: the receiver knows them of this instance.
            if let each = known[client], each.connections == 0, each.sender.isUnused { known[client] = nil }
        }
    }

    /// The service has ended.
    func end() {
        let all = known.withLock { $0.values.map(\.sender) }
        for sender in all { sender.end("the service has ended before the message was acknowledged") }
    }
}
