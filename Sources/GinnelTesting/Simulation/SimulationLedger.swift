// The books of a simulation: what was sent, what was handled, what was reported, and whether these agree. It knows none of the code that it judges.

import GinnelCore

struct SimulationLedger: Sendable {
    /// One message over all its ways; its payload begins with this.
    struct Key: Hashable, Sendable, CustomStringConvertible {
        let sender: UInt32
        let number: UInt32

        var description: String { "message \(number) of sender \(sender)" }
        var bytes: [UInt8] { WireFrame.u32(sender) + WireFrame.u32(number) }

        init(sender: Int, number: Int) {
            self.sender = UInt32(sender)
            self.number = UInt32(number)
        }

        init?(reading payload: [UInt8]) {
            guard payload.count >= 8 else { return nil }
            sender = WireFrame.u32(payload[0..<4])
            number = WireFrame.u32(payload[4..<8])
        }
    }

    private struct Handling: CustomStringConvertible {
        let instance: Int
        let refusal: FailureCode?

        var description: String { "\(refusal.map { "refused with \($0)" } ?? "taken") in instance \(instance)" }
    }

    private struct Record {
        let isDurable: Bool
        var isKept = false
        /// What was reported, and in which start of the sender.
        var outcome: (Outbox.Outcome, generation: Int)?
        /// Its sender died, and it was not on disk.
        var isLost = false
        var handlings: [Handling] = []
    }

    private struct Place: Hashable {
        let instance: Int
        let sender: Identity
        let lane: Lane
    }

    private let plan: SimulationPlan
    private(set) var problems: [String] = []
    private(set) var occurrences: Set<SimulatedOccurrence> = []
    private var records: [Key: Record] = [:]
    private var last: [Place: UInt32] = [:]

    init(_ plan: SimulationPlan) { self.plan = plan }

    /// Stops at a few: one fault leads to others.
    mutating func find(_ problem: String) { if problems.count < 5 { problems.append(problem) } }

    mutating func note(_ occurrence: SimulatedOccurrence) { occurrences.insert(occurrence) }

    // MARK: The sender

    mutating func appended(_ key: Key, isDurable: Bool) { records[key] = Record(isDurable: isDurable) }

    mutating func kept(_ key: Key) {
        if records[key]?.isKept == true { find("\(key) is kept twice") }
        records[key]?.isKept = true
    }

    /// It is given to a session.
    mutating func offered(_ key: Key, generation: Int) {
        guard let record = records[key] else { return find("\(key) is sent and unknown") }
        if record.outcome?.generation == generation { find("\(key) is sent after its end") }
    }

    mutating func finished(_ key: Key, _ outcome: Outbox.Outcome, generation: Int) {
        guard let record = records[key] else { return find("\(key) ends and is unknown") }
        if record.outcome?.generation == generation { find("\(key) ends twice") }
        if outcome == .dropped { note(.messageGivenUp) }
        switch outcome {
        case .taken where !record.handlings.contains { $0.refusal == nil }: find("\(key) is reported as taken, and was handled as \(record.handlings)")
        case .refused(let code) where !record.handlings.contains { $0.refusal == code }: find("\(key) is reported as refused with \(code), and was handled as \(record.handlings)")
        case .dropped where plan.outboxLimits.overflow != .dropOldest: find("\(key) is given up")
        case .failed(let failure) where plan.diskFailures == 0: find("\(key) fails: \(failure)")
        default: break
        }
        if record.outcome == nil { records[key]?.outcome = (outcome, generation) }
        records[key]?.outcome?.generation = generation
    }

    /// A sender died; of its messages these are on disk.
    mutating func died(_ sender: Int, onDisk: Set<Key>) {
        note(.senderDied)
        if !onDisk.isEmpty { note(.messageCameBackFromTheDisk) }
        for (key, record) in records where key.sender == UInt32(sender) && record.outcome == nil && !onDisk.contains(key) {
            records[key]?.isLost = true
            if record.isDurable, record.isKept { find("\(key) is durable and kept, and lost with its sender") }
        }
    }

    // MARK: The service

    mutating func handed(_ key: Key, _ message: InboxMessage, instance: Int) {
        guard let record = records[key] else { return find("\(key) arrives and is unknown") }
        if record.handlings.contains(where: { $0.instance == instance }) { find("\(key) is handled twice in one instance") }
        if !record.handlings.isEmpty, !message.redelivered { find("\(key) is handled again in another instance and not marked") }
        if !record.handlings.isEmpty { note(.messageHandledInTwoInstances) }
        let place = Place(instance: instance, sender: message.sender, lane: message.lane)
        if let before = last[place], before >= key.number { find("\(key) is handled after \(before) of its lane") }
        last[place] = key.number
    }

    mutating func handled(_ key: Key, _ refusal: FailureCode?, instance: Int) { records[key]?.handlings.append(Handling(instance: instance, refusal: refusal)) }

    // MARK: The end

    mutating func close() {
        for (key, record) in records where !record.isLost && record.outcome == nil { find("\(key) has no end") }
    }
}
