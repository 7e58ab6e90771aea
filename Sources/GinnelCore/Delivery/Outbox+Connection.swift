// Sending: the connection that there is or is not, whose turn it is, and what the session and the peer say.

extension Outbox {
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

    mutating func requeue() {
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

    /// Whether a message with this id or an older one is kept.
    package mutating func keeps(through last: UInt64) -> Bool {
        // What is gone from the front is looked at once.
        guard floor() <= last, let oldest = order.first(where: { items[$0] != nil }) else { return false }
        return oldest <= last
    }

    /// What the session said to the message that `next` gave out while this was the `connection`. An answer that comes after that was lost says nothing any more, of the same message on the
    /// next one least of all.
    package mutating func answered(_ id: UInt64, on connection: UInt64, _ acceptance: Acceptance, _ steps: inout [Step]) {
        guard connection == self.connection, let asked = offer, asked.id == id else { return }
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
}
