// What the senders of one user may take of an inbox. Identities of senders are free, and connections nearly so: without this a user who makes enough of them would take all that there is to
// hand on, to hold and to remember.
//
// Users take turns, and none has more than its part in hand. Of bytes each may hold so many, and all together so many; beyond that it is a connection of the user with too much, or with most,
// that is closed, the one of which most waits. It counts nothing from then on. Memory for senders is short for the user with the most of them.

extension Inbox {
    /// What one user's senders come to.
    struct Share: Sendable {
        var senders = 0
        var inHand = 0
        var cost = 0
        /// Lanes that have a message and wait for the user's turn.
        var turns = Queue<Turn>()
        var isInLine = false
        /// Senders that may be forgotten, the first to be so first; those that have come back since, or are forgotten, are passed over.
        var away = Queue<Leave>()
    }

    struct Leave: Sendable {
        let sender: Identity
        let seenAt: UInt64
    }

    struct Turn: Sendable {
        let sender: Identity
        let lane: Int
    }

    // MARK: Turns

    /// The lane waits for the program if it has something to hand on.
    mutating func takeTurn(_ sender: Identity, _ lane: Int) {
        guard senders[sender]?.takePlace(lane) == true, let owner = senders[sender]?.owner else { return }
        shares[owner]?.turns.append(Turn(sender: sender, lane: lane))
        standInLine(owner)
    }

    private mutating func standInLine(_ owner: String) {
        guard let share = shares[owner], !share.isInLine, !share.turns.isEmpty, mayHandOn(owner) else { return }
        shares[owner]?.isInLine = true
        line.append(owner)
    }

    private func mayHandOn(_ owner: String) -> Bool { (shares[owner]?.inHand ?? 0) < max(limits.inHandPerUser, 1) }

    /// Hands on as much as may be in hand, of one user after the other.
    mutating func moveOn(_ steps: inout [Step]) {
        while inHand < max(limits.inHand, 1), let owner = line.popFirst() {
            shares[owner]?.isInLine = false
            if shares[owner]?.senders == 0 {
                shares[owner] = nil
                continue
            }
            while mayHandOn(owner), let turn = shares[owner]?.turns.popFirst() {
                guard let message = senders[turn.sender]?.handOn(turn.lane) else { continue }
                inHand += 1
                shares[owner]?.inHand += 1
                steps.append(.handle(message))
                break
            }
            standInLine(owner)
        }
    }

    mutating func noteAnswered(_ sender: Identity) {
        inHand -= 1
        guard let owner = senders[sender]?.owner else { return }
        shares[owner]?.inHand -= 1
        standInLine(owner)
    }

    // MARK: Memory

    /// Keeps the sums right, whatever was done to a sender.
    mutating func noteCost(of sender: Identity, was before: Int) {
        guard let known = senders[sender] else { return }
        cost += known.cost - before
        shares[known.owner]?.cost += known.cost - before
    }

    /// Closes connections until what is held is within the limits again, or nothing more can be let go of.
    mutating func closeCulprits(at now: Moment, because sender: Identity, _ steps: inout [Step]) {
        guard let owner = senders[sender]?.owner else { return }
        while let (user, sentence) = userWithTooMuch(owner), let (culprit, held) = heaviestConnection(of: user) {
            connectionEnded(culprit, at: now)
            steps.append(.close(connection: culprit, Failure(.resourceExhausted, "most of what waits, \(held) bytes, came on this connection, and \(sentence)")))
        }
    }

    private func userWithTooMuch(_ owner: String) -> (String, String)? {
        if let share = shares[owner], share.cost > limits.bytesPerUser {
            return (owner, "\(share.cost) bytes of messages of this user are held, which is over the limit of \(limits.bytesPerUser) (inbox.bytesPerUser)")
        }
        guard cost > limits.bytes, let heaviest = waiting().max(by: { $0.value < $1.value }) else { return nil }
        return (heaviest.key, "of \(cost) bytes of messages that are held most of what waits is this user's, and they are over the limit of \(limits.bytes) (inbox.bytes)")
    }

    /// Bytes that are not in hand, by user: no other could be let go of.
    private func waiting() -> [String: Int] {
        var waiting: [String: Int] = [:]
        for sender in senders.values {
            for message in sender.held.values where !message.isInHand { waiting[sender.owner, default: 0] += message.message.cost }
        }
        return waiting
    }

    /// What waits counts for the connection that it came on last; what is in hand stays whatever is closed.
    private func heaviestConnection(of user: String) -> (connection: UInt64, held: Int)? {
        var held: [UInt64: Int] = [:]
        for sender in senders.values where sender.owner == user {
            for message in sender.held.values where !message.isInHand { if let connection = message.connections.last { held[connection, default: 0] += message.message.cost } }
        }
        return held.max { ($0.value, $0.key) < ($1.value, $1.key) }.map { ($0.key, $0.value) }
    }

    /// The sender has lost a connection or had an answer, and may be forgotten if that was the last of either.
    mutating func noteSeen(_ sender: Identity, at now: Moment) {
        senders[sender]?.seenAt = now.awake
        guard let known = senders[sender], known.mayBeForgotten else { return }
        shares[known.owner]?.away.append(Leave(sender: sender, seenAt: now.awake))
        removeStale(known.owner)
    }

    /// So that senders who come and go for ever leave no more behind than there are of them.
    private mutating func removeStale(_ owner: String) {
        guard var away = shares[owner]?.away, away.count > 2 * (shares[owner]?.senders ?? 0) + 16 else { return }
        away.removeAll { !isAway($0) }
        shares[owner]?.away = away
    }

    private func isAway(_ leave: Leave) -> Bool {
        guard let known = senders[leave.sender] else { return false }
        return known.mayBeForgotten && known.seenAt == leave.seenAt
    }

    private mutating func longestAway(of owner: String) -> Identity? {
        while let first = shares[owner]?.away.first {
            if isAway(first) { return first.sender }
            _ = shares[owner]?.away.popFirst()
        }
        return nil
    }

    /// There is to be one more sender: of the user with the most the one is forgotten that has been away for longest, or of the next user when all of the first's are here. Only one user's are
    /// compared by time, so that no other's are pushed out by many that are new.
    mutating func makeRoom() {
        guard senders.count >= limits.senders else { return }
        // Without the shares themselves, which are changed meanwhile and would be copied.
        for (_, owner) in shares.map({ ($0.value.senders, $0.key) }).sorted(by: >) {
            if let oldest = longestAway(of: owner) { return forget(oldest) }
        }
    }
}
