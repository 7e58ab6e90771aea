// The gate at which producers wait: no opening is missed, however the two sides interleave.

import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct CreditGateTests {
    @Test func `an opening between a look and the wait lets the producer through`() async {
        let gate = CreditGate()
        let seen = gate.openings
        gate.open()
        await gate.pass(after: seen)
        #expect(gate.openings > seen)
    }

    @Test func `an opening lets all through that wait`() async {
        let gate = CreditGate()
        let passed = Recorded<Void>()
        let seen = gate.openings
        await withTaskGroup { group in
            for _ in 0..<10 {
                group.addTask {
                    await gate.pass(after: seen)
                    passed.signal()
                }
            }
            gate.open()
            await group.waitForAll()
        }
        #expect(passed.count == 10)
    }

    @Test func `a cancelled producer does not wait`() async {
        let gate = CreditGate()
        let waiting = Task { await gate.pass(after: gate.openings) }
        waiting.cancel()
        await waiting.value
    }
}
