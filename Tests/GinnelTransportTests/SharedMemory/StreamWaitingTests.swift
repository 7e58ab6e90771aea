// Sleeping and waking without a stream and without a loop.

import GinnelTesting
import Testing

@testable import GinnelTransport

@Suite(.timeLimit(.minutes(5))) struct StreamWaitingTests {
    private let waiting = StreamWaiting()

    /// Sleeps in a task and is back when that sleeps: its deadline is then the loop's to arm, or one before.
    private func sleeper(_ side: StreamWaiting.Side, until deadline: UInt64, _ armed: Watched<[UInt64]>) async throws -> Task<StreamWaiting.Wake, Never> {
        let task = Task { [waiting] in await waiting.sleep(side, until: deadline) { armed.change { $0.append(deadline) } } }  // not a wait: what is tested
        while !waiting.isAsleep(side) {
            try Task.checkCancellation()
            await Task.yield()
        }
        return task
    }

    @Test func `only a deadline before the one that is armed is told to the loop`() async throws {
        let armed = Watched([UInt64]())
        for deadline in [100, 200, 150, 90, 95] as [UInt64] {
            let task = try await sleeper(.receiver, until: deadline, armed)
            waiting.ring()
            #expect(await task.value == .news)
            // The bell rang for both sides, and the sender's is remembered.
        }
        #expect(armed.value == [100, 90])
    }

    @Test func `a timer that comes for somebody who sleeps no more is set to whoever sleeps now, and wakes nobody`() async throws {
        let armed = Watched([UInt64]())
        let early = try await sleeper(.receiver, until: 100, armed)
        waiting.ring()
        #expect(await early.value == .news)
        let late = try await sleeper(.receiver, until: 300, armed)
        waiting.timeOut(100)
        #expect(waiting.isAsleep(.receiver))
        #expect(waiting.deadlineToArm() == 300)
        waiting.timeOut(300)
        #expect(await late.value == .timedOut)
        #expect(waiting.deadlineToArm() == nil)
        let next = try await sleeper(.receiver, until: 400, armed)
        waiting.timeOut(400)
        #expect(await next.value == .timedOut)
        #expect(armed.value == [100, 400])
    }
}
