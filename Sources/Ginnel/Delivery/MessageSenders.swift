// A service's outboxes: one for each client that it has sent something to, kept while the client is away.
//
// A client that is given up may come back and remember what it was handed. So ids go on where the forgotten outboxes have left off: with an id that it has seen before, a new message would
// pass for a repeated one.

internal import GinnelCore
internal import GinnelTransport

final class MessageSenders: Sendable {
    private struct Known {
        let sender: MessageSender
        var connections = 0
        /// The program has asked for it, to send.
        var isUsed = false
        /// When it lost its last connection, on the awake clock.
        var leftAt: UInt64 = 0
    }

    private struct State {
        var known: [Identity: Known] = [:]
        /// The greatest id of the outboxes that were forgotten.
        var lastId: UInt64 = 0
        var isOver = false
    }

    private let state = Guarded(State())
    private let instance: Identity
    private let limits: OutboxLimits
    private let memory: UInt64
    private let most: Int
    private let metrics: Recorder

    /// - Parameters:
    ///   - memory: how long what was not acknowledged is kept for a client that is away.
    ///   - most: for how many that are away; beyond it those are given up that have been away for longest.
    init(_ instance: Identity, _ limits: OutboxLimits, metrics: Recorder, memory: Duration = .seconds(3600), most: Int = 4096) {
        self.instance = instance
        self.limits = limits
        self.metrics = metrics
        self.memory = memory.wholeNanoseconds
        self.most = most
    }

    /// The outbox for the client of this identity, which has connected.
    func connected(_ client: Identity) -> MessageSender { sender(for: client) { $0.connections += 1 } }

    /// The same, for the program to send: whether the client is connected, away, or was given up and may come back.
    func used(for client: Identity) -> MessageSender { sender(for: client) { $0.isUsed = true } }

    private func sender(for client: Identity, _ change: (inout Known) -> Void) -> MessageSender {
        let (sender, gone, isOver) = state.withLock { state in
            let gone = state.known[client] == nil ? forget(&state) : []
            let first = state.lastId + 1
            var known = state.known[client] ?? Known(sender: MessageSender(Outbox(sender: instance, firstId: first, limits: limits), metrics: metrics), leftAt: Moment.now.awake)
            change(&known)
            state.known[client] = known
            return (known.sender, gone, state.isOver)
        }
        for each in gone { each.end("the client did not come back before its messages were given up") }
        if isOver { sender.end(Self.over) }
        return sender
    }

    func lost(_ client: Identity) {
        state.withLock { state in
            state.known[client]?.connections -= 1
            state.known[client]?.leftAt = Moment.now.awake
            // Nothing was ever sent, and there is nothing to remember.
            if let each = state.known[client], each.connections == 0, !each.isUsed { state.known[client] = nil }
        }
    }

    /// Takes out those that are given up, so that there is room for one more.
    private func forget(_ state: inout State) -> [MessageSender] {
        let now = Moment.now.awake
        var away = state.known.filter { $0.value.connections == 0 }
        var gone: [MessageSender] = []
        while let (client, each) = away.min(by: { $0.value.leftAt < $1.value.leftAt }), away.count >= most || now >= each.leftAt.adding(memory) {
            away[client] = nil
            state.known[client] = nil
            state.lastId = max(state.lastId, each.sender.lastId)
            gone.append(each.sender)
        }
        return gone
    }

    /// Returns when the clients that are connected have acknowledged what is kept for them, or when the task is cancelled.
    func flush() async {
        let waiting = state.withLock { $0.known.values.filter { $0.connections > 0 && $0.sender.count > 0 }.map(\.sender) }
        await withTaskGroup { group in
            for sender in waiting { group.addTask { try? await sender.flush(.seconds(3600)) } }
        }
    }

    private static let over = "the service has ended before the message was acknowledged"

    /// The service has ended.
    func end() {
        let all = state.withLock { state in
            state.isOver = true
            return state.known.values.map(\.sender)
        }
        for sender in all { sender.end(Self.over) }
    }
}
