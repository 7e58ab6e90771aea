// What a receiver remembers of the messages of all its senders, so that each is handed to the program once: a value, one for each start of the program.
//
// Messages of one lane of a sender are handed on one at a time, the next when the one before is answered: only so does "in order" mean anything to handlers that
// take their time. Lanes and senders go on independently, up to a number in hand at once. The loss of a connection cancels nothing: a message in hand is answered on whatever connections it has come on
// again by then, or is remembered until it comes again.
//
// What one user's senders may take of it has limits of its own (Inbox+Shares.swift), so that nobody who is let in can push others out.
//
// A taken message needs no memory of its own: what its lane has handed on and is not remembered as refused was taken. Only refusals are kept, those at or above the floor that the
// sender states, and no more than a limit of them: a sender that asks again for one that is forgotten hears that it was taken.

package struct Inbox: Sendable {
    package enum Step: Sendable, Equatable {
        /// Hand it to the program, whose answer goes to `answered`.
        case handle(InboxMessage)
        /// Submit `.acknowledge` to the session of this connection.
        case acknowledge(connection: UInt64, id: UInt64, FailureCode?)
        /// Close this connection, of which nothing is held any more.
        case close(connection: UInt64, Failure)
    }

    let limits: InboxLimits
    var senders: [Identity: InboxSender] = [:]
    private var connections: [UInt64: Identity] = [:]
    /// What each user's senders come to. Only users that have one are here.
    var shares: [String: Share] = [:]
    /// Users who have a message for the program and wait until fewer are in hand.
    var line = Queue<String>()
    /// Messages that the program has and has not answered.
    package internal(set) var inHand = 0
    /// What all that is held counts.
    var cost = 0

    package init(limits: InboxLimits = .defaults) { self.limits = limits }

    /// Messages that wait or are in hand.
    package var heldCount: Int { senders.values.reduce(0) { $0 + $1.held.count } }
    /// Bytes of their payloads.
    package var heldBytes: Int { senders.values.reduce(0) { $1.held.values.reduce($0) { $0 + $1.message.payload.count } } }
    package var senderCount: Int { senders.count }
    /// Whether anything of this sender is remembered.
    package func knows(_ sender: Identity) -> Bool { senders[sender] != nil }
    /// Users that wait for their turn.
    package var lineCount: Int { line.count }
    package var refusalCount: Int { senders.values.reduce(0) { $0 + $1.refusals.count } }

    // MARK: Connections

    /// A connection is open. `connection`: a number that no other has or had; `owner`: whose it is, the same user for all connections of a sender.
    package mutating func connected(_ sender: Identity, of owner: String = "", on connection: UInt64, at now: Moment) {
        connections[connection] = sender
        if let known = senders[sender], known.mayBeForgotten, now.awake >= known.seenAt.adding(limits.memory.wholeNanoseconds) { forget(sender) }
        if senders[sender] == nil {
            makeRoom()
            senders[sender] = InboxSender(of: owner)
            shares[owner, default: Share()].senders += 1
        }
        senders[sender]?.connections += 1
    }

    package mutating func connectionEnded(_ connection: UInt64, at now: Moment) {
        guard let sender = connections.removeValue(forKey: connection) else { return }
        let before = senders[sender]?.cost ?? 0
        senders[sender]?.lose(connection)
        noteCost(of: sender, was: before)
        if let known = senders[sender], known.mayBeForgotten, known.isNew { return forget(sender) }
        noteSeen(sender, at: now)
    }

    mutating func forget(_ sender: Identity) {
        guard let owner = senders.removeValue(forKey: sender)?.owner else { return }
        shares[owner]?.senders -= 1
        shares[owner]?.turns.removeAll { $0.sender == sender }
        // One that stands in line is let go of when its turn comes, so that it does not stand there twice.
        if let share = shares[owner], share.senders == 0, !share.isInLine { shares[owner] = nil }
    }

    // MARK: Messages

    /// A message has come, whose borrowed payload lies in `input`.
    package mutating func received(_ message: IncomingDelivery, of input: borrowing RawSpan, on connection: UInt64, at now: Moment, _ steps: inout [Step]) {
        guard let sender = connections[connection] else { return }
        let payload = senders[sender]?.isNew(message.id, message.lane) == true ? message.payload.copied(of: input) : []
        let whole = InboxMessage(
            sender: sender, id: message.id, lane: message.lane, name: message.name, codec: message.codec, payload: payload, redelivered: message.redelivered)
        // It alone would be more than may be held, whenever it comes.
        if whole.cost > min(limits.bytes, limits.bytesPerUser) { return steps.append(.acknowledge(connection: connection, id: message.id, .tooLarge)) }
        let before = senders[sender]?.cost ?? 0
        let verdict = senders[sender]?.verdict(on: whole, floor: message.floor, from: connection)
        noteCost(of: sender, was: before)
        switch verdict {
        case .answer(let refusal): steps.append(.acknowledge(connection: connection, id: message.id, refusal))
        case .waits:
            closeCulprits(at: now, because: sender, &steps)
            takeTurn(sender, Int(message.lane.rawValue))
            moveOn(&steps)
        case .isHeld, nil: break
        }
    }

    /// The program is done with a message: it has taken it, or refuses it for good. A second answer is ignored.
    package mutating func answered(_ id: UInt64, of sender: Identity, _ refusal: FailureCode?, at now: Moment, _ steps: inout [Step]) {
        let before = senders[sender]?.cost ?? 0
        guard let (message, owed) = senders[sender]?.answer(id, refusal, remembering: limits.refusals) else { return }
        noteCost(of: sender, was: before)
        noteAnswered(sender)
        noteSeen(sender, at: now)
        for connection in owed { steps.append(.acknowledge(connection: connection, id: id, refusal)) }
        takeTurn(sender, Int(message.lane.rawValue))
        moveOn(&steps)
    }
}
