// The books of acknowledged messages: what was sent, handed on, handled and reported, and whether these agree with docs/guarantees.md. They know none of the code that they judge.
//
// The service's messages to clients, letters, stand in the same books: a sender is a client or a start of the service, a receiver a start of the service or of a client.

import Ginnel
import GinnelCore

final class MessageBooks {
    /// What our own handlers refuse messages with.
    static let refusal = FailureCode(rawValue: 1_001)

    private struct Handling {
        /// Which start of which program.
        let receiver: Life
        /// `nil`: not done with.
        var result: Result<Void, CallError>?
    }

    private struct Record {
        let isDurable: Bool
        var isKept = false
        var outcome: Result<Void, CallError>?
        /// When the sender was told.
        var toldAt: UInt64 = 0
        /// Its sender died before it knew what became of it.
        var isOrphaned = false
        /// It died with its sender, and nobody promised anything else.
        var isLost = false
        var handlings: [Handling] = []

        var isHandled: Bool { handlings.contains { $0.result != nil } }
        var wasTaken: Bool { handlings.contains { if case .success? = $0.result { true } else { false } } }
        var wasRefused: Bool { handlings.contains { if case .failure? = $0.result { true } else { false } } }
    }

    private struct Place: Hashable {
        let receiver: ObjectIdentifier
        let sender: Identity
        let priority: Priority
    }

    private let plan: Plan
    private let trace: Trace
    private var records: [Key: Record] = [:]
    private var last: [Place: Int] = [:]
    /// When programs have ended.
    private var ended: [ObjectIdentifier: UInt64] = [:]

    init(_ plan: Plan, _ trace: Trace) { (self.plan, self.trace) = (plan, trace) }

    // MARK: The sender

    func sent(_ key: Key, isDurable: Bool) {
        records[key] = Record(isDurable: isDurable)
        trace.note(.messageSent, key.maker, key.number)
    }

    /// `send` has returned.
    func kept(_ key: Key) {
        records[key]?.isKept = true
        trace.note(.messageKept, key.maker, key.number)
    }

    /// It is known what became of it: its receipt says so, or `send` threw.
    func finished(_ key: Key, _ result: Result<Void, CallError>, senderIsLeaving: Bool = false) {
        guard let record = records[key] else { return trace.find("message \(key) ends and is unknown") }
        var code = 0
        if case .failure(let error) = result { code = Int(error.code.rawValue) }
        trace.note(.messageFinished, key.maker, key.number, code)
        if record.outcome != nil { trace.find("message \(key) ends twice") }
        records[key]?.outcome = result
        records[key]?.toldAt = trace.clock()
        switch result {
        case .success:
            if !record.wasTaken { trace.find("message \(key) is reported as taken, and nobody has taken it") }
        case .failure(let error) where error.code == Self.refusal:
            trace.came(upon: .messageRefused)
            if !record.wasRefused { trace.find("message \(key) is reported as refused, and nobody has refused it") }
        case .failure(let error) where error.code == .resourceExhausted:
            let isFull = plan.outbox.overflow != .wait
            trace.came(upon: record.isKept ? .messageGivenUp : isFull ? .outboxWasFull : .storeFailed)
            if !isFull, plan.diskFailures == 0 { trace.find("message \(key) is given up: \(error)") }
        case .failure(let error) where error.code == .unavailable && senderIsLeaving: break
        case .failure(let error): trace.find("message \(key) fails: \(error)")
        }
    }

    /// A program has died; of its messages these are on disk.
    func died(_ maker: Int, onDisk: Set<Key>) {
        if !onDisk.isEmpty { trace.came(upon: .messageCameBackFromDisk) }
        for (key, record) in records where key.maker == maker && !record.isLost {
            // What is on disk comes again, whatever the sender knew.
            if record.outcome == nil || onDisk.contains(key) { records[key]?.isOrphaned = true }
            guard record.outcome == nil, !onDisk.contains(key) else { continue }
            records[key]?.isLost = true
            // A start may give up what the one before has left.
            let mayBeGivenUp = record.isOrphaned && plan.outbox.overflow == .dropOldest
            if record.isDurable, record.isKept, !record.isHandled, !mayBeGivenUp { trace.find("message \(key) is durable and kept, and lost with its sender") }
        }
    }

    // MARK: The receiver

    /// It is handed to a program.
    func handed(_ key: Key, _ context: MessageContext, to receiver: Life) {
        guard let record = records[key] else { return trace.find("message \(key) arrives and is unknown") }
        trace.note(.messageHanded, key.maker, key.number, receiver.number, context.isRedelivered ? 1 : 0)
        if record.handlings.contains(where: { $0.receiver === receiver }) { trace.find("message \(key) is handed on twice in one instance") }
        if !record.handlings.isEmpty, !context.isRedelivered { trace.find("message \(key) was handed to another instance before, and is handed on without saying so") }
        // What was on its way to two instances at once may arrive at the second although the first has taken it; but only if that one ended before its sender heard of it.
        if case .success? = record.outcome, !record.isOrphaned, !record.handlings.contains(where: { ended[ObjectIdentifier($0.receiver)].map { $0 <= record.toldAt } ?? false }) {
            trace.find("message \(key) is handed on after its sender was told that it was taken, by a receiver that lived")
        }
        if record.isHandled { trace.came(upon: key.maker < 100 ? .messageRedelivered : .letterRedelivered) }
        let place = Place(receiver: ObjectIdentifier(receiver), sender: context.sender, priority: context.priority)
        if let before = last[place], before >= key.number { trace.find("message \(key) is handed on after number \(before)") }
        last[place] = key.number
        records[key]?.handlings.append(Handling(receiver: receiver))
    }

    func handled(_ key: Key, _ result: Result<Void, CallError>, by receiver: Life) {
        trace.note(.messageHandled, key.maker, key.number, receiver.number)
        guard let index = records[key]?.handlings.lastIndex(where: { $0.receiver === receiver }) else { return trace.find("message \(key) is handled and was not handed on") }
        records[key]?.handlings[index].result = result
    }

    /// A program has died or ended.
    func receiverEnded(_ life: Life) { ended[ObjectIdentifier(life)] = trace.clock() }

    // MARK: The end

    /// Everything has come to rest.
    func close() {
        for (key, record) in records.sorted(by: { ($0.key.maker, $0.key.number) < ($1.key.maker, $1.key.number) }) where !record.isLost {
            if record.outcome == nil, !record.isOrphaned { trace.find("message \(key) has no end") }
            let mayBeGivenUp = plan.outbox.overflow == .dropOldest
            if record.isOrphaned, record.isKept, record.isDurable, !record.isHandled, !mayBeGivenUp { trace.find("message \(key) is durable and kept, and was never handled") }
        }
    }
}
