import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct EventLoopPostTests {
    @Test func `notes run on the loop's thread, in the order of posting`() async throws {
        try await withLoop { loop in
            let order = Watched([Int]())
            for number in 0..<1000 {
                loop.post { order.change { $0.append(loop.isCurrent ? number : -1) } }
            }
            let ran = try await order.wait { $0.count == 1000 }
            #expect(ran == Array(0..<1000))
        }
    }

    @Test func `a note that is posted by a note runs in a later turn, after those that were there before`() async throws {
        try await withLoop { loop in
            let order = Watched([String]())
            let held = try await HeldLoop(loop)
            loop.post {
                order.change { $0.append("first") }
                loop.post { order.change { $0.append("third") } }
            }
            loop.post { order.change { $0.append("second") } }
            held.release()
            let ran = try await order.wait { $0.count == 3 }
            #expect(ran == ["first", "second", "third"])
        }
    }

    @Test func `many threads post at once, and each one's notes run in its order`() async throws {
        try await withLoop { loop in
            let seen = Watched([[Int]](repeating: [], count: 8))
            try await onThreads(8) { thread in
                for number in 0..<500 {
                    loop.post { seen.change { $0[thread].append(number) } }
                }
            }
            let all = try await seen.wait { $0.allSatisfy { $0.count == 500 } }
            for numbers in all { #expect(numbers == Array(0..<500)) }
        }
    }

    @Test(arguments: [LoopConfiguration.defaults, .lowLatency]) func `a loop that is about to sleep hears of every note`(
        configuration: LoopConfiguration
    ) async throws {
        try await withLoop(configuration) { loop in
            // Each round waits for the one before it, so the loop is on its way to sleep each time.
            for round in 0..<3000 {
                let result = try await loop.run { round }
                #expect(result == round)
            }
        }
    }

    @Test func `a body that throws on the loop throws to the one who waits`() async throws {
        try await withLoop { loop in
            await #expect(throws: CancellationError.self) { try await loop.run { throw CancellationError() } }
        }
    }

    @Test func `what was gathered in a turn is flushed at its end, once`() async throws {
        try await withLoop { loop in
            let order = Watched([String]())
            let member = TestMember(flushed: { order.change { $0.append("flush") } })
            let held = try await HeldLoop(loop)
            loop.post {
                loop.flushAtEndOfTurn(member)
                order.change { $0.append("gathered") }
            }
            loop.post { order.change { $0.append("gathered more") } }
            held.release()
            let ran = try await order.wait { $0.contains("flush") }
            #expect(ran == ["gathered", "gathered more", "flush"])
            try await loop.run {}
            #expect(order.value.count == 3)
        }
    }

    @Test func `a member that wants to read on is asked in the next turn`() async throws {
        try await withLoop { loop in
            let count = Watched(0)
            let again = Guarded<TestMember?>(nil)
            let member = TestMember(ready: { readiness in
                guard readiness == .readable,
                    count.change({ count in
                        count += 1
                        return count
                    }) < 5
                else { return }
                if let member = again.withLock({ $0 }) { loop.readAgain(member) }
            })
            again.withLock { $0 = member }
            loop.post { loop.readAgain(member) }
            try await count.wait { $0 == 5 }
            try await loop.run {}
            #expect(count.value == 5)
            again.withLock { $0 = nil }
        }
    }
}
