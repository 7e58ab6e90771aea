// A service's outboxes: one for each client that it has sent something to, kept while the client is away.
//
// A client that is given up may come back and remember what it was handed. So ids go on where the forgotten outboxes have left off: with an id that it has seen before, a new message would
// pass for a repeated one.

internal import GinnelCore
internal import GinnelTransport

final class MessageSenders: Sendable {
    private struct Known {
        var sender: MessageSender
        /// Where it is counted.
        var account: UInt64
        let owner: String
        var connections = 0
        /// The program has asked for it, to send.
        var isUsed = false
    }

    private struct State {
        var known: [Identity: Known] = [:]
        var accounts: OutboxAccounts
        /// The client of each account.
        var clients: [UInt64: Identity] = [:]
        /// The greatest id of the outboxes that were forgotten.
        var lastId: UInt64 = 0
        var isOver = false
    }

    private let state: Guarded<State>
    private let instance: Identity
    private let limits: OutboxLimits
    private let metrics: Recorder

    init(_ instance: Identity, _ limits: OutboxLimits, _ totals: OutboxTotals = .defaults, metrics: Recorder) {
        state = Guarded(State(accounts: OutboxAccounts(limits: totals)))
        self.instance = instance
        self.limits = limits
        self.metrics = metrics
    }

    /// The outbox for the client of this identity, which has connected.
    func connected(_ client: Identity, of owner: String) -> MessageSender {
        sender(for: client, of: owner) { state, known in
            known.connections += 1
            state.accounts.came(known.account)
        }
    }

    /// The same, for the program to send: whether the client is connected, away, or was given up and may come back.
    func used(for client: Identity, of owner: String) -> MessageSender { sender(for: client, of: owner) { $1.isUsed = true } }

    /// Whether there is an outbox for this client.
    func keeps(_ client: Identity) -> Bool { state.withLock { $0.known[client] != nil } }

    private func sender(for client: Identity, of owner: String, _ change: (inout State, inout Known) -> Void) -> MessageSender {
        let (sender, gone, isOver) = state.withLock { state in
            var gone: [MessageSender] = []
            if state.known[client] == nil {
                gone = state.accounts.overdue(at: Moment.now.awake).compactMap { forget($0, Self.didNotComeBack, &state) }
            }
            // Taken out and put back, for the rest of the state is changed with it.
            var known = state.known.removeValue(forKey: client) ?? open(for: client, of: owner, &state)
            change(&state, &known)
            state.known[client] = known
            return (known.sender, gone, state.isOver)
        }
        for each in gone { each.giveUp(Self.didNotComeBack) }
        if isOver { sender.end(Self.over) }
        return sender
    }

    /// A new outbox and its account, for a client that is away.
    private func open(for client: Identity, of owner: String, _ state: inout State) -> Known {
        let number = state.accounts.open(for: owner, at: Moment.now.awake)
        state.clients[number] = client
        let account = OutboxAccount(
            reserve: { [weak self] bytes throws(CallError) in try self?.reserve(bytes, for: number) },
            note: { [weak self] change in self?.state.withLock { $0.accounts.note(change, for: number) } })
        let outbox = Outbox(sender: instance, firstId: state.lastId + 1, limits: limits)
        return Known(sender: MessageSender(outbox, account: account, metrics: metrics), account: number, owner: owner)
    }

    func lost(_ client: Identity) {
        state.withLock { state in
            state.known[client]?.connections -= 1
            guard let known = state.known[client], known.connections == 0 else { return }
            state.accounts.left(known.account, at: Moment.now.awake)
            // Nothing was ever sent, and there is nothing to remember.
            if !known.isUsed { drop(client, &state) }
        }
    }

    // MARK: Giving up

    /// Makes room for so many bytes, or throws.
    private func reserve(_ bytes: Int, for account: UInt64) throws(CallError) {
        while true {
            let (verdict, gone) = state.withLock { state in
                let verdict = state.accounts.reserve(bytes, for: account)
                if case .giveUp(let other, let failure) = verdict { return (verdict, forget(other, failure, &state)) }
                return (verdict, nil)
            }
            switch verdict {
            case .fits: return
            case .refused(let failure): throw CallError(failure)
            case .giveUp(_, let failure): gone?.giveUp(failure)
            }
        }
    }

    /// Takes out the outbox of an account, which is to be given up once the lock is free. A client that is connected has a new and empty one.
    private func forget(_ account: UInt64, _ failure: Failure, _ state: inout State) -> MessageSender? {
        guard let client = state.clients[account], let known = state.known[client] else { return nil }
        state.lastId = max(state.lastId, known.sender.seal(CallError(failure)))
        drop(client, &state)
        if known.connections > 0 {
            var next = open(for: client, of: known.owner, &state)
            (next.connections, next.isUsed) = (known.connections, known.isUsed)
            state.accounts.came(next.account)
            state.known[client] = next
        }
        return known.sender
    }

    private func drop(_ client: Identity, _ state: inout State) {
        guard let known = state.known.removeValue(forKey: client) else { return }
        state.accounts.close(known.account)
        state.clients[known.account] = nil
    }

    private static let didNotComeBack = Failure(.unavailable, "the client did not come back before its messages were given up")

    // MARK: The end

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
