// The run: everything there is, the clock, and the loop that lets one thing happen after another.
//
// Whatever happens to an end of a connection marks it; before the next event all marked ends are attended to, until nothing moves: their actions are performed, their
// output is written, their clocks are set. What the parts do with each other is in the extensions: connections, senders, the service, the adversary.

import GinnelCore

struct SimulatedWorld {
    let plan: SimulationPlan
    var random: SplitMix64
    var agenda = Agenda()
    var logic: any SimulatedLogic
    var ledger: SimulationLedger
    var links: [UInt64: SimulatedLink] = [:]
    var linkCount: UInt64 = 0
    var senders: [SimulatedSender]
    var service = SimulatedService()
    var strikesLeft: Int
    private var marked: [(link: UInt64, side: Role)] = []

    init(plan: SimulationPlan, logic: any SimulatedLogic) {
        self.plan = plan
        self.logic = logic
        random = SplitMix64(seed: plan.seed ^ 0x5EED)
        ledger = SimulationLedger(plan)
        senders = (0..<plan.senders).map { SimulatedSender($0, plan) }
        strikesLeft = plan.strikes
    }

    mutating func run() {
        for sender in senders.indices {
            agenda.add(.connect(sender: sender, generation: 0), after: random.nanoseconds(20_000_000))
            agenda.add(.act(sender: sender), after: random.nanoseconds(100_000_000))
        }
        for _ in 0..<plan.strikes { agenda.add(.strike, after: random.nanoseconds(SimulationPlan.duration)) }
        var steps = 0
        while !isAtRest, ledger.problems.isEmpty {
            guard let event = agenda.next(), agenda.now < SimulationPlan.patience + UInt64(SimulationPlan.duration), steps < 50_000 else {
                ledger.find("does not come to rest: \(unfinished)")
                return
            }
            steps += 1
            happen(event)
            settle()
            check()
        }
        guard ledger.problems.isEmpty else { return }
        ledger.close()
        for problem in logic.problems() { ledger.find(problem) }
        for sender in senders { checkCalls(of: sender) }
    }

    private mutating func happen(_ event: SimulatedEvent) {
        switch event {
        case .arrive(let link, let side): arrive(link, from: side)
        case .end(let link, let side): touch(link, side) { $0.inputEnded() }
        case .wake(let link, let side):
            links[link]?[wakeOf: side] = nil
            touch(link, side) { $0.timeOut() }
        case .connect(let sender, let generation): if senders[sender].generation == generation { connect(sender) }
        case .act(let sender): act(sender)
        case .disk(let sender, let generation): if senders[sender].generation == generation { workDisk(sender) }
        case .answer(let instance, let sender, let id, let refusal): if service.instance == instance { answer(id, of: sender, refusal) }
        case .reply(let link, let instance, let call):
            if service.instance == instance { touch(link, .service) { $0.submit(.reply(call: call, codec: .raw, payload: [])) } }
        case .strike: strike()
        case .serviceStarts: service.isUp = true
        }
    }

    /// The adversary has let go: what is on its way goes on whole and soon.
    var isCalm: Bool { agenda.now > UInt64(SimulationPlan.duration) }

    // MARK: Attending

    /// Does something to an end of a connection, if there is one, at this moment.
    mutating func touch(_ link: UInt64, _ side: Role, _ body: (inout MachineEnd) -> Void) {
        guard let isGone = links[link]?[isGone: side], !isGone else { return }
        links[link]?[side].now = agenda.moment
        links[link]?.with(side, body)
        mark(link, side)
    }

    mutating func mark(_ link: UInt64, _ side: Role) { marked.append((link, side)) }

    private mutating func settle() {
        var rounds = 0
        while let (link, side) = marked.popLast(), rounds < 10_000 {
            rounds += 1
            attend(link, side)
        }
        if rounds == 10_000 { ledger.find("what one event has set off does not end") }
    }

    private mutating func attend(_ link: UInt64, _ side: Role) {
        guard let isGone = links[link]?[isGone: side], !isGone, let actions = links[link]?[side].takeActions() else { return }
        links[link]?[side].now = agenda.moment
        for action in actions { if side == .client { hear(action, on: link) } else { serve(action, on: link) } }
        if side == .client { pump(link) }
        write(link, side)
        if links[link]?[side].isSpinning == true { ledger.find("a session of the \(side) is due for ever") }
        if let reason = links[link]?[side].closed {
            if Self.violations.contains(reason.failure.code) { ledger.find("the \(side) of a connection: \(reason)") }
            links[link]?[isGone: side] = true
            if side == .client { lost(link) } else { serviceLost(link) }
        }
        setClock(link, side)
        forget(link)
    }

    /// No adversary can bring these about: only one of the two sessions can.
    private static let violations: Set<FailureCode> = [.protocolViolation, .flowControl, .frameTooLarge, .checksumMismatch, .tooLarge]

    private mutating func setClock(_ link: UInt64, _ side: Role) {
        guard let end = links[link]?[side], end.closed == nil, let delay = end.session.wakeUp.delay(from: agenda.moment) else { return }
        let at = agenda.now.adding(delay)
        if let set = links[link]?[wakeOf: side], set <= at { return }
        links[link]?[wakeOf: side] = at
        agenda.add(.wake(link: link, side), after: delay)
    }

    // MARK: What must hold

    private mutating func check() {
        for sender in senders {
            if let excess = sender.excess { ledger.find("sender \(sender.index) keeps \(excess)") }
            if sender.calls.contains(where: { $0.outcomes.count > 1 || $0.lateEvents > 0 }) { ledger.find("a call of sender \(sender.index) ends twice") }
        }
        let windows = (links.count + service.inbox.inHand) * plan.session.announced.deliveryWindow
        if service.inbox.heldBytes > windows { ledger.find("the inbox holds \(service.inbox.heldBytes) bytes of \(links.count) connections") }
        for link in links.values {
            for side in [Role.client, .service] where link[side].session.machine.outputBytes > plan.session.bufferedBytes { ledger.find("too much output waits at the \(side)") }
        }
    }

    private mutating func checkCalls(of sender: SimulatedSender) {
        if sender.calls.contains(where: { !$0.hasEnded }) { ledger.find("a call of sender \(sender.index) never ends") }
    }

    private var isAtRest: Bool {
        strikesLeft == 0 && service.isUp && service.inbox.heldCount == 0
            && senders.allSatisfy { $0.isDone && $0.waiting == nil && $0.outbox.isEmpty && $0.calls.allSatisfy(\.hasEnded) }
    }

    private var unfinished: String {
        senders.map { sender in
            "sender \(sender.index) has \(sender.outbox.count) messages\(sender.waiting == nil ? "" : " and one that waits")\(sender.link == nil ? ", no connection" : "")"
        }.joined(separator: "; ") + "; the inbox holds \(service.inbox.heldCount)"
    }
}

extension SplitMix64 {
    mutating func nanoseconds(_ most: Int) -> UInt64 { UInt64(number(in: 0...most)) }
}
