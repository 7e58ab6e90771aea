// An outbox with its disk, as its owner has them: steps are performed at once unless a test holds them.

@testable import GinnelCore

struct HeldOutbox {
    var outbox: Outbox
    /// Everything that was asked for, but for the disk.
    var steps: [Outbox.Step] = []
    var stored: [UInt64: OutboxEntry] = [:]
    var reserved: UInt64 = 0
    /// What the disk says to everything.
    var diskFailure: Failure?
    /// Steps for the disk wait until `work`.
    var diskIsSlow = false
    private(set) var waiting: [Outbox.Step] = []

    static let sender = Identity(high: 3, low: 4)

    init(limits: OutboxLimits = .defaults) { outbox = Outbox(sender: Self.sender, limits: limits) }

    init(on disk: StoredOutbox, limits: OutboxLimits = .defaults) {
        outbox = Outbox(restoring: disk, limits: limits)
        reserved = disk.reserved
        for entry in disk.entries { stored[entry.id] = entry }
    }

    static func kept(limits: OutboxLimits = .defaults) -> HeldOutbox { HeldOutbox(on: StoredOutbox(sender: sender), limits: limits) }

    var disk: StoredOutbox { StoredOutbox(sender: Self.sender, reserved: reserved, entries: Array(stored.values)) }

    @discardableResult
    mutating func append(_ byte: UInt8 = 0, _ lane: Lane = .normal, size: Int = 1, durable: Bool = false) -> Outbox.Appended {
        let message = OutboxMessage(name: "m", payload: [UInt8](repeating: byte, count: size), lane: lane, isDurable: durable)
        var asked: [Outbox.Step] = []
        let result = outbox.append(message, &asked)
        perform(asked)
        return result
    }

    mutating func acknowledge(_ ids: UInt64..., refusal: FailureCode? = nil) {
        var asked: [Outbox.Step] = []
        outbox.acknowledged(ids.map { Acknowledgement(id: $0, refusal: refusal) }, &asked)
        perform(asked)
    }

    /// Sends what may be sent to a session that takes so many; what was sent.
    @discardableResult
    mutating func pump(_ most: Int = .max, then acceptance: Acceptance = .noCredit) -> [OutgoingDelivery] {
        var sent: [OutgoingDelivery] = []
        while let next = outbox.next() {
            let isTaken = sent.count < most
            if isTaken { sent.append(next) }
            answer(next.id, isTaken ? .taken(mayCarryOn: true) : acceptance)
        }
        return sent
    }

    /// `connection`: the one in use, unless said.
    mutating func answer(_ id: UInt64, _ acceptance: Acceptance, on connection: UInt64? = nil) {
        var asked: [Outbox.Step] = []
        outbox.answered(id, on: connection ?? outbox.connection, acceptance, &asked)
        perform(asked)
    }

    /// The connection is lost and there is another one.
    mutating func reconnect() {
        outbox.connectionLost()
        outbox.connected()
    }

    private mutating func perform(_ asked: [Outbox.Step]) {
        for step in asked {
            switch step {
            case .store, .reserve, .remove:
                if diskIsSlow { waiting.append(step) } else { work(step) }
            default: steps.append(step)
            }
        }
    }

    /// The disk does what it was asked for so far, from the newest to the oldest if told so.
    mutating func work(reversed: Bool = false) {
        let held = waiting
        waiting = []
        for step in reversed ? held.reversed() : held { work(step) }
    }

    private mutating func work(_ step: Outbox.Step) {
        var asked: [Outbox.Step] = []
        switch step {
        case .store(let entry):
            if diskFailure == nil { stored[entry.id] = entry }
            outbox.stored(entry.id, diskFailure, &asked)
        case .reserve(let last):
            if diskFailure == nil { reserved = last }
            outbox.reserved(through: last, diskFailure, &asked)
        case .remove(let ids):
            for id in ids { stored[id] = nil }
            outbox.removed(ids)
        default: break
        }
        perform(asked)
    }

    var kept: [UInt64] { steps.compactMap { if case .kept(let id) = $0 { id } else { nil } } }

    var finished: [UInt64] { steps.compactMap { if case .finished(let id, _) = $0 { id } else { nil } } }

    func outcome(of id: UInt64) -> Outbox.Outcome? {
        let outcomes = steps.compactMap { step -> Outbox.Outcome? in if case .finished(id, let outcome) = step { outcome } else { nil } }
        return outcomes.count == 1 ? outcomes[0] : nil
    }
}

/// All orders of `elements`.
func permutations<Element>(of elements: [Element]) -> [[Element]] {
    guard elements.count > 1 else { return [elements] }
    return elements.indices.flatMap { index in
        var rest = elements
        let first = rest.remove(at: index)
        return permutations(of: rest).map { [first] + $0 }
    }
}
