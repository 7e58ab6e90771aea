// What a sender keeps until it is acknowledged: a value, without clock, disk or socket.
//
//     append ──(stored)──► waiting ──next──► offered ──taken──► under way ──acknowledged──► gone
//                             ▲                                     │
//                             └───────────── connectionLost ────────┘
//
// Whoever owns it asks for the `next` message as long as the session takes it and says each time what the session answered; meanwhile `next` has nothing for anybody
// else, so several threads may pump. After anything else that was told to the outbox there may be a `next` again. Order is kept per lane over any number of connections: after a loss all that is not acknowledged goes out again, oldest first.
//
// Steps are performed in order by the owner, who also owns the disk. Ids are used once for ever, also over restarts, so a kept outbox reserves them in blocks on disk
// before it uses them; without that a message of an earlier start that was never stored and a new one would share an id, and the receiver would take one for the other.

package struct Outbox: Sendable {
    package enum Step: Sendable, Equatable {
        /// Put on disk; answered by `stored`. The message is neither sent nor reported as kept before. Where that fails nothing of it may be left on disk.
        case store(OutboxEntry)
        /// Note on disk that ids up to this one may be used; answered by `reserved`.
        case reserve(through: UInt64)
        /// Remove from disk; answered by `removed` when they are gone, and tried again until then.
        case remove([UInt64])
        /// The outbox keeps the message from now on.
        case kept(UInt64)
        /// The outbox keeps it no longer.
        case finished(UInt64, Outcome)
        /// There is room again; those who wait may try.
        case roomAgain
    }

    package enum Outcome: Sendable, Equatable {
        case taken
        /// The receiver's program refused it for good.
        case refused(FailureCode)
        /// It was given up for a newer one.
        case dropped
        /// It could not be kept, or no peer takes it.
        case failed(Failure)

        /// The receiver has seen it.
        var isOfReceiver: Bool {
            switch self {
            case .taken, .refused: true
            case .dropped, .failed: false
            }
        }
    }

    package enum Appended: Sendable, Equatable {
        case accepted(UInt64)
        /// There is no room; `.roomAgain` says when to try again.
        case wait
        case refused(Failure)
    }

    struct Item: Sendable {
        let message: OutboxMessage
        /// On disk, or needs not be.
        var isStored: Bool
        var isUnderway = false
        /// The connection on which it was offered to a session last; 0 for an earlier start of the program.
        var offeredOn: UInt64?
    }

    private struct Offer: Sendable {
        let id: UInt64
        let before: UInt64?
        /// Room was reported while the session was being asked.
        var roomCame = false
    }

    /// Ids that are reserved on disk at once.
    static let block: UInt64 = 4096

    /// The identity that stands in HELLO.
    package let sender: Identity
    private let limits: OutboxLimits
    private let isKept: Bool
    private(set) var items: [UInt64: Item] = [:]
    /// All ids, oldest first; those that are gone are skipped.
    private var order = Queue<UInt64>()
    /// Those of each lane that are to be sent; likewise.
    private var lanes = [Queue<UInt64>](repeating: Queue(), count: Lane.allCases.count)
    private var turns = LaneTurns()
    /// Ids that are gone and may still be on disk, each with the lane that it holds up: what was given up could come back from there, and must then be the next of its
    /// lane that the receiver sees.
    private var leavingDisk: [UInt64: Lane?] = [:]
    /// How many hold up each lane.
    private var holdUps = [Int](repeating: 0, count: Lane.allCases.count)
    package private(set) var byteCount = 0
    private var nextId: UInt64
    private var reservedThrough: UInt64
    private var isReserving = false
    /// Counts connections.
    private var connection: UInt64 = 0
    private var isConnected = false
    /// The session has no room, or has ended.
    private var isBlocked = false
    private var offer: Offer?
    private var someoneWaits = false

    /// An outbox in memory. `sender`: random.
    package init(sender: Identity, limits: OutboxLimits = .defaults) {
        self.sender = sender
        self.limits = limits
        isKept = false
        nextId = 1
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
        while items.count >= max(limits.messages, 1) || byteCount > limits.bytes - message.cost {
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

    // MARK: The disk

    /// The entry is on disk, or could not be put there, which is the end of this message alone.
    package mutating func stored(_ id: UInt64, _ failure: Failure?, _ steps: inout [Step]) {
        guard let item = items[id], !item.isStored else { return }
        if let failure { return finish([(id, .failed(failure))], &steps) }
        items[id]?.isStored = true
        if isReady(id) { steps.append(.kept(id)) }
    }

    /// The ids are reserved, or could not be: then those who wait for them fail, and the next message tries again.
    package mutating func reserved(through last: UInt64, _ failure: Failure?, _ steps: inout [Step]) {
        isReserving = false
        let waiting = items.keys.filter { $0 > reservedThrough }.sorted()
        if let failure { return finish(waiting.map { ($0, .failed(failure)) }, &steps) }
        reservedThrough = max(reservedThrough, last)
        for id in waiting {
            if let message = items[id]?.message, message.isDurable, id <= reservedThrough { steps.append(.store(OutboxEntry(id: id, message: message))) }
            if isReady(id) { steps.append(.kept(id)) }
        }
    }

    /// The entries are no longer on disk.
    package mutating func removed(_ ids: [UInt64]) {
        for id in ids {
            guard case let lane?? = leavingDisk.removeValue(forKey: id) else { continue }
            holdUps[Int(lane.rawValue)] -= 1
        }
    }

    private func isReady(_ id: UInt64) -> Bool { id <= reservedThrough && items[id]?.isStored == true }

    // MARK: The connection

    /// A session in which delivery is in force is open. All that is not acknowledged is to be sent on it.
    package mutating func connected() {
        connectionLost()
        connection += 1
        isConnected = true
    }

    package mutating func connectionLost() {
        isConnected = false
        isBlocked = false
        offer = nil
        requeue()
    }

    private mutating func requeue() {
        order.removeAll { items[$0] == nil && leavingDisk[$0] == nil }
        lanes = lanes.map { _ in Queue() }
        turns = LaneTurns()
        order.forEach { id in
            guard let lane = items[id]?.message.lane else { return }
            items[id]?.isUnderway = false
            lanes[Int(lane.rawValue)].append(id)
        }
    }

    /// The session has room again.
    package mutating func carryOn() {
        isBlocked = false
        offer?.roomCame = true
    }

    /// The message to give to the session now; its answer is owed (`answered`) before there is another.
    package mutating func next() -> OutgoingDelivery? {
        guard isConnected, !isBlocked, offer == nil else { return nil }
        for index in lanes.indices {
            while let id = lanes[index].first, items[id] == nil { _ = lanes[index].popFirst() }
        }
        let ready = lanes.indices.map { holdUps[$0] == 0 && lanes[$0].first.map(isReady) == true }
        guard let lane = turns.next(among: ready), let id = lanes[lane].first, let item = items[id] else { return nil }
        offer = Offer(id: id, before: item.offeredOn)
        items[id]?.offeredOn = connection
        let message = item.message
        return OutgoingDelivery(
            id: id, floor: floor(), redelivered: item.offeredOn != nil && item.offeredOn != connection, lane: message.lane, name: message.name, codec: message.codec,
            payload: message.payload)
    }

    /// The oldest id that may be sent again: the program may die before the disk forgets what was acknowledged.
    private mutating func floor() -> UInt64 {
        while let id = order.first {
            if items[id] != nil || leavingDisk[id] != nil { return id }
            _ = order.popFirst()
        }
        return nextId
    }

    /// What the session said to the message that `next` gave out. An answer that comes after the connection was lost says nothing any more.
    package mutating func answered(_ id: UInt64, _ acceptance: Acceptance, _ steps: inout [Step]) {
        guard let asked = offer, asked.id == id else { return }
        offer = nil
        guard let message = items[id]?.message else { return }
        switch acceptance {
        case .taken:
            let lane = Int(message.lane.rawValue)
            items[id]?.isUnderway = true
            turns.spend(message.cost, in: lane)
            _ = lanes[lane].popFirst()
        case .tooLarge(let limit):
            finish([(id, .failed(Failure(.tooLarge, "a message of \(message.payload.count) bytes, over the peer's limit of \(limit) for it and its head")))], &steps)
        case .noCredit, .noRoom, .ended:
            items[id]?.offeredOn = asked.before
            isBlocked = !asked.roomCame || acceptance == .ended
        }
    }

    /// What the peer said. Also when it comes from a connection that is no longer the one in use.
    package mutating func acknowledged(_ list: [Acknowledgement], _ steps: inout [Step]) {
        finish(
            list.compactMap { answer in
                guard items[answer.id]?.offeredOn != nil else { return nil }
                return (answer.id, answer.refusal.map { .refused($0) } ?? .taken)
            }, &steps)
    }

    private mutating func finish(_ list: [(id: UInt64, outcome: Outcome)], _ steps: inout [Step]) {
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
