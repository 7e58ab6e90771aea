// A program that sends: its outbox and the disk below it, the connection in use, and its calls. What survives its death is what `restart` does not touch.

import GinnelCore

struct SimulatedSender: Sendable {
    let index: Int
    let isKept: Bool
    private let limits: OutboxLimits
    private(set) var identity: Identity
    var outbox: Outbox
    /// Which start of the program it is.
    private(set) var generation = 0
    /// The connection that carries messages.
    var link: UInt64?
    /// One that shakes hands.
    var opening: UInt64?
    /// Attempts to connect since the last that succeeded.
    var attempt = 0
    /// A message for which there was no room.
    var waiting: OutboxMessage?
    /// The program has no more to send.
    var isDone = false
    var numbers = 0
    var calls: [RecordedCall] = []
    /// What the books call the messages in the outbox.
    var keys: [UInt64: SimulationLedger.Key] = [:]
    /// What is on disk, and what the disk was asked for and has not done.
    private var stored: [UInt64: OutboxEntry] = [:]
    private var reserved: UInt64 = 0
    private(set) var diskWork = Queue<Outbox.Step>()

    init(_ index: Int, _ plan: SimulationPlan) {
        self.index = index
        isKept = plan.isKept[index]
        limits = plan.outboxLimits
        identity = Identity(high: UInt64(index) + 1, low: 0)
        outbox = isKept ? Outbox(restoring: StoredOutbox(sender: identity), limits: limits) : Outbox(sender: identity, limits: limits)
    }

    mutating func askDisk(_ step: Outbox.Step) { diskWork.append(step) }

    /// The disk does the next thing, or fails. `isHeard`: whether the outbox hears what became of a message.
    mutating func workDisk(_ failure: Failure?, isHeard: Bool, _ steps: inout [Outbox.Step]) {
        guard let step = diskWork.popFirst() else { return }
        let failure = write(step, failure)
        switch step {
        case .store(let entry) where isHeard: outbox.stored(entry.id, failure, &steps)
        case .remove(let ids): outbox.removed(ids)
        case .reserve(let last): outbox.reserved(through: last, failure, &steps)
        default: break
        }
    }

    /// What becomes of a step on disk. Removals do not fail.
    private mutating func write(_ step: Outbox.Step, _ failure: Failure?) -> Failure? {
        switch step {
        case .store(let entry) where failure == nil: stored[entry.id] = entry
        case .reserve(let last) where failure == nil: reserved = last
        case .remove(let ids): for id in ids { stored[id] = nil }
        default: break
        }
        return failure
    }

    /// The program dies and starts again. Of what the disk was asked for the first part was done.
    mutating func restart(_ random: inout SplitMix64) {
        generation += 1
        var done = random.number(in: 0...diskWork.count)
        while done > 0, let step = diskWork.popFirst() {
            _ = write(step, nil)
            done -= 1
        }
        diskWork = Queue()
        if isKept {
            outbox = Outbox(restoring: StoredOutbox(sender: identity, reserved: reserved, entries: Array(stored.values)), limits: limits)
        } else {
            identity = Identity(high: UInt64(index) + 1, low: UInt64(generation))
            outbox = Outbox(sender: identity, limits: limits)
        }
        keys = outbox.isEmpty ? [:] : stored.compactMapValues { SimulationLedger.Key(reading: $0.message.payload) }
        link = nil
        opening = nil
        attempt = 0
        waiting = nil
        calls = []
    }

    /// The messages that a restart would bring back.
    var onDisk: Set<SimulationLedger.Key> { Set(stored.values.compactMap { SimulationLedger.Key(reading: $0.message.payload) }) }

    /// What is over its limit, unless it came back so from the disk.
    var excess: String? {
        if generation == 0, outbox.count > limits.messages || outbox.byteCount > limits.bytes { return "\(outbox.count) messages of \(outbox.byteCount) bytes in the outbox" }
        return nil
    }
}
