import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct DeliverySimulationTests {
    /// To look at a seed again, put it here alone, or run `make simulate SEED=…`.
    @Test(arguments: 0..<10 as Range<UInt64>)
    func `whatever happens to connections and programs, messages arrive in order, once in one instance, and calls end once`(block: UInt64) {
        for seed in block * 200..<(block + 1) * 200 {
            let problems = DeliverySimulation.problems(seed: seed)
            #expect(problems.isEmpty, "seed \(seed): \(problems)")
        }
    }

    @Test(arguments: SimulatedFault.allCases)
    func `a planted fault is found`(fault: SimulatedFault) {
        #expect((0..<2000 as Range<UInt64>).contains { !DeliverySimulation.problems(seed: $0, fault: fault).isEmpty })
    }

    @Test func `the runs come upon all that they are meant for`() {
        var missing = Set(SimulatedOccurrence.allCases)
        for seed in 0..<2000 as Range<UInt64> where !missing.isEmpty { missing.subtract(DeliverySimulation.occurrences(seed: seed)) }
        #expect(missing == [])
    }

    @Test func `a seed does the same each time`() {
        for seed in 0..<2000 as Range<UInt64> {
            let first = DeliverySimulation.problems(seed: seed, fault: .forgetsOnReconnect)
            guard !first.isEmpty else { continue }
            #expect(DeliverySimulation.problems(seed: seed, fault: .forgetsOnReconnect) == first)
            return
        }
        Issue.record("no seed fails")
    }

    /// A user's logic: an account whose sum must be right although its service dies, because it writes down whose deposit it has seen.
    private struct Account: SimulatedLogic {
        let isCareful: Bool
        var left = [12, 12]
        var sum = 0
        var sent = 0
        var seen: Set<[UInt8]> = []

        mutating func nextMessage(of sender: Int) -> SimulatedMessage? {
            guard left[sender] > 0 else { return nil }
            left[sender] -= 1
            sent += 1
            return SimulatedMessage(name: "deposit", payload: [UInt8(sender), UInt8(left[sender])], isDurable: true)
        }

        mutating func serviceRestarted() {}

        mutating func handle(_ message: SimulatedMessage, from sender: Int, redelivered: Bool) -> FailureCode? {
            if isCareful, !seen.insert(message.payload).inserted {
                return redelivered ? nil : .internal
            }
            sum += 1
            return nil
        }

        func problems() -> [String] { sum <= sent ? [] : ["\(sum) deposits of \(sent) were booked"] }
    }

    @Test func `logic of a user's own is judged by its own problems`() {
        let seeds = 0..<400 as Range<UInt64>
        #expect(seeds.allSatisfy { DeliverySimulation.problems(seed: $0) { Account(isCareful: true) }.isEmpty })
        #expect(seeds.contains { DeliverySimulation.problems(seed: $0) { Account(isCareful: false) }.contains { $0.contains("deposits") } })
    }
}
