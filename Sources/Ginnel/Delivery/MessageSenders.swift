// A service's outboxes: one for each client that the program has sent something to, kept while the client is away. Whoever is only connected costs an entry in a table.
//
// A client that is given up may come back and remember what it was handed. So ids go on where the forgotten outboxes have left off: with an id that it has seen before, a new message would
// pass for a repeated one.

internal import GinnelCore
internal import GinnelTransport

final class MessageSenders: Sendable {
    /// What is kept for a client, and where it is counted.
    private struct Kept {
        let sender: MessageSender
        let account: UInt64
    }

    /// A client that is connected, or for which something is kept.
    private struct Known {
        let owner: String
        var kept: Kept?
        var connections = 0
        /// The last of them, as long as it is open: what is kept goes there.
        var latest: Place?
        /// Those before it, as long as nothing is kept: what a connection has taken does not go on over an earlier one.
        var earlier: [Place] = []
    }

    /// A connection of a client. Of two the later one has the greater number.
    private struct Place {
        let connection: Connection
        let number: UInt64
    }

    private struct State {
        var known: [Identity: Known] = [:]
        var accounts: OutboxAccounts
        /// The client of each account.
        var clients: [UInt64: Identity] = [:]
        /// The greatest id of the outboxes that were forgotten.
        var lastId: UInt64 = 0
        /// Connections that there have been.
        var connections: UInt64 = 0
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

    // MARK: Clients

    /// The client of this identity has connected.
    func connected(_ client: Identity, of owner: String, on connection: Connection?) {
        let (kept, place, gone) = state.withLock { state in
            state.connections += 1
            let place = connection.map { Place(connection: $0, number: state.connections) }
            var known = state.known.removeValue(forKey: client) ?? Known(owner: owner)
            known.connections += 1
            if known.kept == nil, let before = known.latest { known.earlier.append(before) }
            known.latest = place
            state.known[client] = known
            if let kept = known.kept { state.accounts.came(kept.account) }
            return (known.kept, place, forgetLate(&state))
        }
        for each in gone { each.giveUp(Self.didNotComeBack) }
        if let kept, let place { attach(kept.sender, client, place) }
    }

    /// The outbox for the program to send: whether the client is connected, away, or was given up and may come back.
    func used(for client: Identity, of owner: String) -> MessageSender {
        let (kept, place, gone, isOver) = state.withLock { state in
            if let kept = state.known[client]?.kept { return (kept, Place?.none, [MessageSender](), state.isOver) }
            var gone = forgetLate(&state)
            var known = state.known.removeValue(forKey: client) ?? Known(owner: owner)
            if known.connections == 0 { gone += forgetSurplus(&state) }
            let kept = open(for: client, of: known.owner, isHere: known.connections > 0, &state)
            known.kept = kept
            known.earlier = []
            state.known[client] = known
            return (kept, known.latest, gone, state.isOver)
        }
        for each in gone { each.giveUp(Self.didNotComeBack) }
        if let place { attach(kept.sender, client, place) }
        if isOver { kept.sender.end(Self.over) }
        return kept.sender
    }

    /// Whether there is an outbox for this client.
    func keeps(_ client: Identity) -> Bool { state.withLock { $0.known[client]?.kept != nil } }

    /// One of its connections has ended. What it sends with is told by that connection itself, afterwards.
    func lost(_ client: Identity, on connection: Connection?) {
        let gone = state.withLock { state in
            guard var known = state.known.removeValue(forKey: client) else { return [MessageSender]() }
            var gone: [MessageSender] = []
            known.connections -= 1
            if known.latest?.connection === connection {
                known.latest = known.earlier.popLast()
            } else {
                known.earlier.removeAll { $0.connection === connection }
            }
            if known.connections == 0, let kept = known.kept {
                gone = forgetSurplus(&state)
                state.accounts.left(kept.account, at: Moment.now.awake)
            }
            // Of one who was sent nothing there is nothing to remember.
            if known.connections > 0 || known.kept != nil { state.known[client] = known }
            return gone
        }
        for each in gone { each.giveUp(Self.didNotComeBack) }
    }

    /// Once for each outbox and connection. The connection may be ending meanwhile, and has then not told the outbox, or has told it before it knew of the connection.
    private func attach(_ sender: MessageSender, _ client: Identity, _ place: Place) {
        place.connection.take(sender, number: place.number)
        if state.withLock({ $0.known[client]?.latest?.connection }) !== place.connection { sender.lost(place.connection) }
    }

    /// A new outbox and its account.
    private func open(for client: Identity, of owner: String, isHere: Bool, _ state: inout State) -> Kept {
        let number = state.accounts.open(for: owner, isHere: isHere, at: Moment.now.awake)
        state.clients[number] = client
        let account = OutboxAccount(
            reserve: { [weak self] bytes throws(CallError) in try self?.reserve(bytes, for: number) },
            note: { [weak self] change in self?.state.withLock { $0.accounts.note(change, for: number) } })
        let outbox = Outbox(sender: instance, firstId: state.lastId + 1, limits: limits)
        return Kept(sender: MessageSender(outbox, account: account, metrics: metrics), account: number)
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

    /// Takes out the outbox of an account, which is to be given up once the lock is free. A client that is connected is closed with that, and has a new one when something is sent to it again.
    private func forget(_ account: UInt64, _ failure: Failure, _ state: inout State) -> MessageSender? {
        guard let client = state.clients.removeValue(forKey: account), var known = state.known.removeValue(forKey: client), let kept = known.kept else { return nil }
        state.lastId = max(state.lastId, kept.sender.seal(CallError(failure)))
        state.accounts.close(account)
        known.kept = nil
        known.latest = nil
        if known.connections > 0 { state.known[client] = known }
        return kept.sender
    }

    private func forgetSurplus(_ state: inout State) -> [MessageSender] {
        state.accounts.surplus().flatMap { forget($0, Self.didNotComeBack, &state) }.map { [$0] } ?? []
    }

    private func forgetLate(_ state: inout State) -> [MessageSender] {
        state.accounts.late(at: Moment.now.awake).compactMap { forget($0, Self.didNotComeBack, &state) }
    }

    private static let didNotComeBack = Failure(.unavailable, "the client did not come back before its messages were given up")

    // MARK: The end

    /// Returns when the clients that are connected have acknowledged what is kept for them, or when the task is cancelled.
    func flush() async {
        let waiting = state.withLock { $0.known.values.filter { $0.connections > 0 }.compactMap(\.kept?.sender).filter { $0.count > 0 } }
        await withTaskGroup { group in
            for sender in waiting { group.addTask { try? await sender.flush(.seconds(3600)) } }
        }
    }

    private static let over = "the service has ended before the message was acknowledged"

    /// The service has ended.
    func end() {
        let all = state.withLock { state in
            state.isOver = true
            return state.known.values.compactMap(\.kept?.sender)
        }
        for sender in all { sender.end(Self.over) }
    }
}
