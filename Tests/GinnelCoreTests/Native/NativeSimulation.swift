// Two native sessions, a virtual clock, and a seeded adversary who splits, delays and sometimes cuts what they say to each other.
//
// The programs on both sides behave at random but honestly. What must hold is stated in `problems`, which names everything that did not.

import GinnelTesting

@testable import GinnelCore

struct NativeSimulation {
    private(set) var problems: [String] = []
    private var random: SplitMix64
    private var pair: MachinePair
    private var auditor: WireAuditor
    private var programs: [Role: SimulatedProgram]
    private let cutsAt: Int?

    /// One run; empty when all is well.
    static func problems(seed: UInt64) -> [String] {
        var simulation = NativeSimulation(seed: seed)
        simulation.run()
        return simulation.problems
    }

    private init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        let sealed = random.oneIn(4)
        let client = Self.configuration(.client, sealed, &random)
        let service = Self.configuration(.service, sealed, &random)
        pair = MachinePair(client: client, service: service)
        auditor = WireAuditor(client: client.limits.announced, service: service.limits.announced)
        programs = [
            .client: SimulatedProgram(.client, longest: service.limits.announced.maximumMessage, peerLongest: client.limits.announced.maximumMessage),
            .service: SimulatedProgram(.service, longest: client.limits.announced.maximumMessage, peerLongest: service.limits.announced.maximumMessage),
        ]
        cutsAt = random.oneIn(6) ? random.number(in: 0...300) : nil
    }

    private static func configuration(_ role: Role, _ sealed: Bool, _ random: inout SplitMix64) -> NativeConfiguration {
        let top = UInt32.max
        var result = NativeConfiguration(identity: Identity(high: 1, low: 2))
        result.offersChecksums = sealed
        result.firstStream = role == .client ? top - 4 : top - 5
        result.limits.announced.maximumMessage = random.oneIn(2) ? random.number(in: 1024...3000) : random.number(in: 60_000...100_000)
        result.limits.announced.callsInFlight = random.number(in: 1...6)
        result.limits.announced.requestWindow = result.limits.announced.maximumMessage + (random.oneIn(2) ? 0 : random.number(in: 0...100_000))
        result.limits.announced.itemWindow = random.oneIn(2) ? random.number(in: 1...100) : random.number(in: 100...100_000)
        result.limits.eventBytes = random.oneIn(2) ? random.number(in: 20...200) : 1 << 20
        result.timeouts.heartbeat = random.oneIn(2) ? .seconds(1) : nil
        return result
    }

    // MARK: The run

    private mutating func run() {
        pair.connect()
        for step in 0..<300 {
            if step == cutsAt { return cut() }
            act()
            guard check("step \(step)") else { return }
        }
        finish()
    }

    private mutating func act() {
        let side: Role = random.oneIn(2) ? .client : .service
        switch random.number(in: 0...9) {
        case 0...4:
            withProgram(side) { program, end, random in program.act(&end, &random) }
        case 5, 6:
            produce(side, goal: random.oneIn(3) ? random.number(in: 1...100_000) : 1)
            deliver(side, random.oneIn(2) ? random.number(in: 1...40) : random.number(in: 1...100_000))
        case 7:
            exchange(side)
        case 8:
            pair.advance(by: .milliseconds(random.number(in: 0...20)))
        default:
            exchange(side)
            exchange(side.other)
        }
        look()
    }

    private mutating func look() {
        for side in [Role.client, .service] { withProgram(side) { program, end, random in program.look(&end, &random) } }
    }

    private mutating func withProgram(_ side: Role, _ body: (inout SimulatedProgram, inout MachineEnd, inout SplitMix64) -> Void) {
        guard var program = programs.removeValue(forKey: side) else { return }
        body(&program, &pair[side], &random)
        programs[side] = program
    }

    private mutating func produce(_ side: Role, goal: Int = .max) {
        let before = pair[side].sent.count
        pair[side].produce(goal: goal)
        auditor.produced(by: side, Array(pair[side].sent[before...]))
    }

    private mutating func deliver(_ side: Role, _ count: Int = .max) {
        let bytes = Array(pair[side].sent.prefix(count))
        auditor.delivered(to: side.other, bytes)
        pair.deliver(from: side, count)
    }

    private mutating func exchange(_ side: Role) {
        produce(side)
        deliver(side)
    }

    /// False when something is wrong or over.
    private mutating func check(_ when: String) -> Bool {
        for side in [Role.client, .service] {
            if let closed = pair[side].closed { problems.append("\(when): \(side) \(closed)") }
            if pair[side].isSpinning { problems.append("\(when): \(side) spins") }
            problems += (programs[side]?.problems ?? []).map { "\(when): \(side): \($0)" }
        }
        problems += auditor.findings.map { "\(when): \($0)" }
        return problems.isEmpty
    }

    // MARK: The end

    /// Both programs finish what they have begun; then nothing may be left.
    private mutating func finish() {
        for round in 0..<400 {
            for side in [Role.client, .service] {
                withProgram(side) { program, end, random in program.finish(&end, &random) }
                exchange(side)
                look()
            }
            guard check("finishing, round \(round)") else { return }
            if programs.values.allSatisfy(\.isFinished), pair.client.leftovers.isEmpty, pair.service.leftovers.isEmpty { break }
        }
        for side in [Role.client, .service] {
            problems += pair[side].leftovers.map { "\(side) keeps \($0)" }
            problems += programs[side]?.unfinished ?? []
            let limits = pair[side.other].native?.announced ?? .defaults
            let balance = pair[side].native?.outbound.requests.balance ?? 0
            if balance != auditor.requestBalance(of: side) { problems.append("\(side) thinks its balance is \(balance), not \(auditor.requestBalance(of: side))") }
            if !(limits.maximumMessage...limits.requestWindow).contains(balance) { problems.append("\(side) comes to rest with a balance of \(balance)") }
        }
        let leaver: Role = random.oneIn(2) ? .client : .service
        pair[leaver].submit(.farewell(Failure(.finished, "")))
        pair.settle()
        if pair[leaver].closed?.by != .us { problems.append("\(leaver) does not close after its farewell") }
    }

    private mutating func cut() {
        pair.cut()
        look()
        for side in [Role.client, .service] {
            problems += (programs[side]?.problems ?? []).map { "after the cut: \(side): \($0)" }
            problems += programs[side]?.unfinished ?? []
            problems += pair[side].leftovers.filter { !$0.contains("output") }.map { "after the cut \(side) keeps \($0)" }
            if pair[side].closed?.by != .nobody { problems.append("after the cut: \(side) \(String(describing: pair[side].closed))") }
        }
    }
}
