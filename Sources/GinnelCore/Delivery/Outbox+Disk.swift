// What the disk has done of what it was asked for (`Step`). Only an outbox that is kept there hears of this.

extension Outbox {
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
}
