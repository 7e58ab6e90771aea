// What a sender keeps until it is acknowledged: a value, without clock, disk or socket.
//
//     append ──(stored)──► waiting ──next──► offered ──taken──► under way ──acknowledged──► gone
//                             ▲                                     │
//                             └───────────── connectionLost ────────┘
//
// Whoever owns it asks for the `next` message as long as the session takes it and says each time what the session answered; meanwhile `next` has nothing for anybody
// else, so several threads may pump. After anything else that the outbox was told there may be a `next` again. Order is kept per lane over any number of connections:
// after a loss all that is not acknowledged goes out again, oldest first.
//
// Steps are performed in order by the owner, who also owns the disk. Ids are used once for ever, also over restarts, so a kept outbox reserves them in blocks on disk
// before it uses them; without that a message of an earlier start that was never stored and a new one would share an id, and the receiver would take one for the other.

package struct Outbox: Sendable {
    struct Item: Sendable {
        let message: OutboxMessage
        /// On disk, or needs not be.
        var isStored: Bool
        var isUnderway = false
        /// The connection on which it was offered to a session last; 0 for an earlier start of the program.
        var offeredOn: UInt64?
    }

    struct Offer: Sendable {
        let id: UInt64
        let before: UInt64?
        /// Room was reported while the session was being asked.
        var roomCame = false
    }

    /// Ids that are reserved on disk at once.
    static let block: UInt64 = 4096

    /// The identity that stands in HELLO.
    package let sender: Identity
    let limits: OutboxLimits
    let isKept: Bool
    var items: [UInt64: Item] = [:]
    /// All ids, oldest first; those that are gone are skipped.
    var order = Queue<UInt64>()
    /// Those of each lane that are to be sent; likewise.
    var lanes = [Queue<UInt64>](repeating: Queue(), count: Lane.allCases.count)
    var turns = LaneTurns()
    /// Ids that are gone and may still be on disk, each with the lane that it holds up: what was given up could come back from there, and must then be the next of its
    /// lane that the receiver sees.
    var leavingDisk: [UInt64: Lane?] = [:]
    /// How many hold up each lane.
    var holdUps = [Int](repeating: 0, count: Lane.allCases.count)
    package private(set) var byteCount = 0
    package internal(set) var nextId: UInt64
    var reservedThrough: UInt64
    var isReserving = false
    /// The number of the connection in use, or of the last one.
    package internal(set) var connection: UInt64 = 0
    var isConnected = false
    /// The session has no room, or has ended.
    var isBlocked = false
    var offer: Offer?
    var someoneWaits = false

    /// An outbox in memory. `sender`: random, or with a `firstId` above all that were used under this identity.
    package init(sender: Identity, firstId: UInt64 = 1, limits: OutboxLimits = .defaults) {
        self.sender = sender
        self.limits = limits
        isKept = false
        nextId = firstId
        reservedThrough = .max
    }

    /// An outbox on disk. It may come back with more than the limits allow; then nothing is added until there is room.
    package init(restoring stored: StoredOutbox, limits: OutboxLimits = .defaults) {
        sender = stored.sender
        self.limits = limits
        isKept = true
        let entries = stored.entries.sorted { $0.id < $1.id }
        reservedThrough = max(stored.reserved, entries.last?.id ?? 0)
        nextId = reservedThrough + 1
        for entry in entries {
            items[entry.id] = Item(message: entry.message, isStored: true, offeredOn: 0)
            order.append(entry.id)
            byteCount += entry.message.cost
        }
        requeue()
    }

    package var count: Int { items.count }
    package var isEmpty: Bool { items.isEmpty }
    /// Ids that lie in its queues, those that are gone among them.
    var idsKept: Int { lanes.reduce(order.count) { $0 + $1.count } }

    // MARK: Putting in

    package mutating func append(_ message: OutboxMessage, _ steps: inout [Step]) -> Appended {
        if let failure = refusal(of: message) { return .refused(failure) }
        while !hasRoom(for: message) {
            switch limits.overflow {
            case .wait:
                someoneWaits = true
                return .wait
            case .dropOldest where dropOldest(&steps): continue
            case .refuse, .dropOldest:
                return .refused(Failure(.resourceExhausted, "\(items.count) messages of \(byteCount) bytes are kept already, of \(limits.messages) and \(limits.bytes) (outbox)"))
            }
        }
        let id = nextId
        nextId += 1
        items[id] = Item(message: message, isStored: !message.isDurable)
        order.append(id)
        lanes[Int(message.lane.rawValue)].append(id)
        byteCount += message.cost
        if isKept, !isReserving, nextId.adding(Self.block / 2) > reservedThrough {
            isReserving = true
            steps.append(.reserve(through: max(reservedThrough, id).adding(Self.block)))
        }
        if message.isDurable, id <= reservedThrough { steps.append(.store(OutboxEntry(id: id, message: message))) }
        if isReady(id) { steps.append(.kept(id)) }
        return .accepted(id)
    }

    /// Whether the limits let it in as it is.
    package func hasRoom(for message: OutboxMessage) -> Bool { items.count < max(limits.messages, 1) && byteCount <= limits.bytes - message.cost }

    private func refusal(of message: OutboxMessage) -> Failure? {
        if !(1...255).contains(message.name.utf8.count) { return Failure(.invalidRequest, "a message's name of \(message.name.utf8.count) bytes, outside 1 to 255") }
        if message.lane == .control { return Failure(.invalidRequest, "a message in the lane of control frames") }
        if message.isDurable, !isKept { return Failure(.invalidRequest, "a durable message for an outbox that is not on disk") }
        if message.cost > limits.bytes { return Failure(.tooLarge, "a message that counts \(message.cost) bytes, over the limit of \(limits.bytes) (outbox)") }
        return nil
    }

    /// Gives up the oldest message that is neither on its way nor on its way to the disk.
    private mutating func dropOldest(_ steps: inout [Step]) -> Bool {
        let mayGo = { [items, offer] (id: UInt64) in items[id]?.isStored == true && offer?.id != id }
        guard let oldest = lanes.compactMap({ $0.first(where: mayGo) }).min() else { return false }
        finish([(oldest, .dropped)], &steps)
        return true
    }

    func isReady(_ id: UInt64) -> Bool { id <= reservedThrough && items[id]?.isStored == true }

    // MARK: Leaving

    mutating func finish(_ list: [(id: UInt64, outcome: Outcome)], _ steps: inout [Step]) {
        var removed: [UInt64] = []
        var isShorter = false
        for (id, outcome) in list {
            guard let item = items.removeValue(forKey: id) else { continue }
            isShorter = true
            byteCount -= item.message.cost
            if item.message.isDurable, item.isStored {
                removed.append(id)
                leavingDisk.updateValue(outcome.isOfReceiver ? nil : item.message.lane, forKey: id)
                if !outcome.isOfReceiver { holdUps[Int(item.message.lane.rawValue)] += 1 }
            }
            steps.append(.finished(id, outcome))
        }
        if !removed.isEmpty { steps.append(.remove(removed)) }
        if isShorter, someoneWaits {
            someoneWaits = false
            steps.append(.roomAgain)
        }
        if order.count > 64 + 2 * (items.count + leavingDisk.count) { forgetGone() }
    }

    /// Ids that are gone lie behind one that stays; they may not gather.
    private mutating func forgetGone() {
        order.removeAll { items[$0] == nil && leavingDisk[$0] == nil }
        for index in lanes.indices { lanes[index].removeAll { items[$0] == nil } }
    }
}
