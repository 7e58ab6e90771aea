// Senders: connecting and connecting again, putting messages into the outbox and taking them to the session.

import GinnelCore

extension SimulatedWorld {
    // MARK: Connections

    mutating func connect(_ sender: Int) {
        guard senders[sender].opening == nil else { return }
        guard let link = open(sender) else { return retry(sender) }
        senders[sender].opening = link
    }

    mutating func retry(_ sender: Int) {
        senders[sender].attempt += 1
        let attempt = senders[sender].attempt
        let delay = plan.backoff.delay(after: attempt, random: random.next())
        if delay > plan.backoff.bound(after: attempt) || delay > plan.backoff.cap { ledger.find("attempt \(attempt) waits for \(delay)") }
        if plan.fault == .losesTimer, random.oneIn(2) { return }
        agenda.add(.connect(sender: sender, generation: senders[sender].generation), after: delay.wholeNanoseconds)
    }

    /// The client's end of a connection is gone.
    mutating func lost(_ link: UInt64) {
        guard let sender = links[link]?.sender else { return }
        if senders[sender].opening == link {
            senders[sender].opening = nil
            // The other one still serves.
            if senders[sender].link == nil { retry(sender) }
        } else if senders[sender].link == link {
            senders[sender].link = nil
            senders[sender].outbox.connectionLost()
            if plan.fault == .requeuesAtTail { requeueAtTail(sender) }
            if senders[sender].opening == nil { retry(sender) }
        }
    }

    mutating func hear(_ action: RecordedAction, on link: UInt64) {
        guard let sender = links[link]?.sender, links[link]?.generation == senders[sender].generation else { return }
        switch action {
        case .established(let establishment):
            if senders[sender].link != nil { ledger.note(.secondConnection) }
            if !establishment.delivers { ledger.find("delivery is not in force") }
            if let old = senders[sender].link, random.oneIn(2) { touch(old, .client) { $0.submit(.farewell(Failure(.finished, ""))) } }
            senders[sender].link = link
            senders[sender].opening = nil
            senders[sender].attempt = 0
            senders[sender].outbox.connected()
        case .acknowledged(let list):
            var steps: [Outbox.Step] = []
            senders[sender].outbox.acknowledged(list, &steps)
            perform(steps, sender)
        case .messagesMayCarryOn: if senders[sender].link == link { senders[sender].outbox.carryOn() }
        case .failed: ledger.note(.callFailed)
        default: break
        }
    }

    // MARK: Messages

    /// The program does the next thing.
    mutating func act(_ sender: Int) {
        if let link = senders[sender].link, random.oneIn(4) {
            var call: RecordedCall?
            touch(link, .client) { call = $0.call("call", within: .seconds(5)) }
            if let call { senders[sender].calls.append(call) }
        }
        if senders[sender].waiting == nil {
            guard let message = logic.nextMessage(of: sender) else {
                senders[sender].isDone = true
                return
            }
            let key = SimulationLedger.Key(sender: sender, number: senders[sender].numbers)
            senders[sender].numbers += 1
            let isDurable = message.isDurable && senders[sender].isKept
            append(OutboxMessage(name: message.name, payload: key.bytes + message.payload, lane: message.lane, isDurable: isDurable), key, sender)
        }
        agenda.add(.act(sender: sender), after: random.nanoseconds(400_000_000))
    }

    private mutating func append(_ message: OutboxMessage, _ key: SimulationLedger.Key, _ sender: Int) {
        var steps: [Outbox.Step] = []
        senders[sender].waiting = nil
        let result = senders[sender].outbox.append(message, &steps)
        if case .accepted(let id) = result {
            senders[sender].keys[id] = key
            ledger.appended(key, isDurable: message.isDurable)
        }
        if result == .wait {
            senders[sender].waiting = message
            ledger.note(.senderWaitedForRoom)
        }
        if case .refused = result { ledger.note(.messageRefusedByTheOutbox) }
        perform(steps, sender)
    }

    private mutating func perform(_ steps: [Outbox.Step], _ sender: Int) {
        for step in steps {
            switch step {
            case .store, .reserve, .remove:
                senders[sender].askDisk(step)
                agenda.add(.disk(sender: sender, generation: senders[sender].generation), after: random.nanoseconds(30_000_000))
                if plan.fault == .reportsBeforeStoring, case .store(let entry) = step {
                    var more: [Outbox.Step] = []
                    senders[sender].outbox.stored(entry.id, nil, &more)
                    perform(more, sender)
                }
            case .kept(let id): if let key = senders[sender].keys[id] { ledger.kept(key) }
            case .finished(let id, let outcome):
                if let key = senders[sender].keys.removeValue(forKey: id) { ledger.finished(key, outcome, generation: senders[sender].generation) }
            case .roomAgain:
                guard let message = senders[sender].waiting, let key = SimulationLedger.Key(reading: message.payload) else { continue }
                append(message, key, sender)
            }
        }
        if let link = senders[sender].link { mark(link, .client) }
    }

    mutating func workDisk(_ sender: Int) {
        var steps: [Outbox.Step] = []
        let fails = plan.diskFailures > 0 && random.oneIn(plan.diskFailures)
        if fails { ledger.note(.storeFailed) }
        senders[sender].workDisk(fails ? Failure(.resourceExhausted, "the disk is full") : nil, isHeard: plan.fault != .reportsBeforeStoring, &steps)
        perform(steps, sender)
    }

    /// Takes messages to the session as long as it takes them.
    mutating func pump(_ link: UInt64) {
        guard let sender = links[link]?.sender, senders[sender].link == link else { return }
        while var delivery = senders[sender].outbox.next() {
            if let key = senders[sender].keys[delivery.id] { ledger.offered(key, generation: senders[sender].generation) }
            if plan.fault == .floorTooHigh { delivery.floor = delivery.id }
            if plan.fault == .hidesRedelivery { delivery.redelivered = false }
            var acceptance = Acceptance.ended
            let offered = delivery
            touch(link, .client) { acceptance = $0.submit(.message(offered)) }
            if acceptance == .noCredit { ledger.note(.noWindow) }
            if offered.redelivered { ledger.note(.messageSentAgain) }
            var steps: [Outbox.Step] = []
            senders[sender].outbox.answered(delivery.id, on: senders[sender].outbox.connection, acceptance, &steps)
            perform(steps, sender)
        }
    }

    /// The planted fault: what the connection carried becomes new messages behind those that wait.
    private mutating func requeueAtTail(_ sender: Int) {
        senders[sender].outbox.connected()
        guard let first = senders[sender].outbox.next(), first.redelivered, let key = senders[sender].keys.removeValue(forKey: first.id) else {
            return senders[sender].outbox.connectionLost()
        }
        senders[sender].outbox.connectionLost()
        var steps: [Outbox.Step] = []
        senders[sender].outbox.acknowledged([Acknowledgement(id: first.id)], &steps)
        let message = OutboxMessage(name: first.name, payload: first.payload, lane: first.lane, isDurable: false)
        if case .accepted(let id) = senders[sender].outbox.append(message, &steps) { senders[sender].keys[id] = key }
        perform(steps.filter { if case .kept = $0 { false } else { true } }, sender)
    }
}
