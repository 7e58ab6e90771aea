// What a receiver remembers of the messages of all its senders, so that each is handed to the program once: a value, one for each start of the program.
//
// Messages of one lane of a sender are handed on one at a time, the next when the one before is answered: only so does "in order" mean anything to handlers that
// take their time. Lanes and senders go on independently, up to a number in hand at once. The loss of a connection cancels nothing: a message in hand is answered on whatever connections it has come on
// again by then, or is remembered until it comes again.
//
// A taken message needs no memory of its own: what its lane has handed on and is not remembered as refused was taken. Only refusals are kept, those at or above the floor that the
// sender states, and no more than a limit of them: a sender that asks again for one that is forgotten hears that it was taken.

package struct Inbox: Sendable {
    package enum Step: Sendable, Equatable {
        /// Hand it to the program, whose answer goes to `answered`.
        case handle(InboxMessage)
        /// Submit `.acknowledge` to the session of this connection.
        case acknowledge(connection: UInt64, id: UInt64, FailureCode?)
    }

    private let limits: InboxLimits
    private(set) var senders: [Identity: InboxSender] = [:]
    private var connections: [UInt64: Identity] = [:]
    /// Lanes that have a message and wait until fewer are in hand.
    private var line = Queue<Turn>()
    /// Messages that the program has and has not answered.
    package private(set) var inHand = 0

    private struct Turn: Sendable {
        let sender: Identity
        let lane: Int
    }

    package init(limits: InboxLimits = .defaults) { self.limits = limits }

    /// Messages that wait or are in hand.
    package var heldCount: Int { senders.values.reduce(0) { $0 + $1.held.count } }
    /// Bytes of their payloads.
    package var heldBytes: Int { senders.values.reduce(0) { $1.held.values.reduce($0) { $0 + $1.message.payload.count } } }
    package var senderCount: Int { senders.count }
    /// Whether anything of this sender is remembered.
    package func knows(_ sender: Identity) -> Bool { senders[sender] != nil }
    package var refusalCount: Int { senders.values.reduce(0) { $0 + $1.refusals.count } }

    // MARK: Connections

    /// A connection is open. `connection`: a number that no other has or had.
    package mutating func connected(_ sender: Identity, on connection: UInt64, at now: Moment) {
        connections[connection] = sender
        if let known = senders[sender], known.mayBeForgotten, now.awake >= known.seenAt.adding(limits.memory.wholeNanoseconds) { senders[sender] = nil }
        if senders[sender] == nil { makeRoom() }
        senders[sender, default: InboxSender()].connections.insert(connection)
    }

    private mutating func makeRoom() {
        guard senders.count >= limits.senders else { return }
        if let oldest = senders.lazy.filter({ $0.value.mayBeForgotten }).min(by: { $0.value.seenAt < $1.value.seenAt })?.key { senders[oldest] = nil }
    }

    package mutating func connectionEnded(_ connection: UInt64, at now: Moment) {
        guard let sender = connections.removeValue(forKey: connection) else { return }
        senders[sender]?.lose(connection)
        senders[sender]?.seenAt = now.awake
        if let known = senders[sender], known.mayBeForgotten, known.isNew { senders[sender] = nil }
    }

    // MARK: Messages

    /// A message has come, whose borrowed payload lies in `input`.
    package mutating func received(_ message: IncomingDelivery, of input: borrowing RawSpan, on connection: UInt64, at now: Moment, _ steps: inout [Step]) {
        guard let sender = connections[connection] else { return }
        let payload = senders[sender]?.isNew(message.id, message.lane) == true ? message.payload.copied(of: input) : []
        let whole = InboxMessage(
            sender: sender, id: message.id, lane: message.lane, name: message.name, codec: message.codec, payload: payload, redelivered: message.redelivered)
        switch senders[sender]?.verdict(on: whole, floor: message.floor, from: connection) {
        case .answer(let refusal): steps.append(.acknowledge(connection: connection, id: message.id, refusal))
        case .waits: lineUp(sender, Int(message.lane.rawValue), &steps)
        case .isHeld, nil: break
        }
    }

    /// The program is done with a message: it has taken it, or refuses it for good. A second answer is ignored.
    package mutating func answered(_ id: UInt64, of sender: Identity, _ refusal: FailureCode?, at now: Moment, _ steps: inout [Step]) {
        guard let (message, owed) = senders[sender]?.answer(id, refusal, remembering: limits.refusals) else { return }
        inHand -= 1
        senders[sender]?.seenAt = now.awake
        for connection in owed { steps.append(.acknowledge(connection: connection, id: id, refusal)) }
        lineUp(sender, Int(message.lane.rawValue), &steps)
    }

    /// The lane takes its place in the line if it has something to hand on; the line moves as far as it can.
    private mutating func lineUp(_ sender: Identity, _ lane: Int, _ steps: inout [Step]) {
        if senders[sender]?.takePlace(lane) == true {
            line.append(Turn(sender: sender, lane: lane))
        }
        while inHand < max(limits.inHand, 1), let turn = line.popFirst() {
            guard let message = senders[turn.sender]?.handOn(turn.lane) else { continue }
            inHand += 1
            steps.append(.handle(message))
        }
    }
}
