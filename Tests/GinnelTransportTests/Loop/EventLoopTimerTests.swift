import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct EventLoopTimerTests {
    private struct Firing: Sendable {
        var name: Int
        var wanted: UInt64
        var came: UInt64
    }

    /// Arms a member on the loop; what fires is written down.
    private static func arm(_ name: Int, at time: UInt64, on loop: EventLoop, _ firings: Watched<[Firing]>) -> UInt64 {
        let token = loop.add(TestMember(timed: { now in firings.change { $0.append(Firing(name: name, wanted: time, came: now.awake)) } }))
        loop.arm(token, at: time)
        return token
    }

    @Test func `timers fire in the order of their times, and not early`() async throws {
        try await withLoop { loop in
            let firings = Watched([Firing]())
            let times = (0..<100).shuffled()
            try await loop.run {
                let start = Moment.now.awake
                for time in times { _ = Self.arm(time, at: start + UInt64(time) * 300_000, on: loop, firings) }
            }
            let all = try await firings.wait { $0.count == 100 }
            #expect(all.map(\.name) == Array(0..<100))
            #expect(all.allSatisfy { $0.came >= $0.wanted })
        }
    }

    @Test func `a time that has passed already comes in the next turn`() async throws {
        try await withLoop { loop in
            let firings = Watched([Firing]())
            try await loop.run { _ = Self.arm(1, at: 0, on: loop, firings) }
            _ = try await firings.wait { $0.count == 1 }
        }
    }

    @Test func `a later time replaces an earlier one, and an earlier one a later one`() async throws {
        try await withLoop { loop in
            let firings = Watched([Firing]())
            let start = try await loop.run {
                let start = Moment.now.awake
                let postponed = Self.arm(1, at: start + 1_000_000, on: loop, firings)
                loop.arm(postponed, at: start + 12_000_000)
                let advanced = Self.arm(2, at: start + 3_600_000_000_000, on: loop, firings)
                loop.arm(advanced, at: start + 6_000_000)
                return start
            }
            let all = try await firings.wait { $0.count == 2 }
            #expect(all.map(\.name) == [2, 1])
            #expect(all[0].came >= start + 6_000_000)
            #expect(all[1].came >= start + 12_000_000)
            // Neither comes a second time: another timer, later than all of them, is the next.
            try await loop.run { _ = Self.arm(3, at: start + 14_000_000, on: loop, firings) }
            let result = try await firings.wait { $0.count == 3 }.map(\.name)
            #expect(result == [2, 1, 3])
        }
    }

    @Test func `a member that has left hears nothing of its timer`() async throws {
        try await withLoop { loop in
            let firings = Watched([Firing]())
            try await loop.run {
                let start = Moment.now.awake
                loop.remove(Self.arm(1, at: start + 1_000_000, on: loop, firings))
                _ = Self.arm(2, at: start + 3_000_000, on: loop, firings)
            }
            let result = try await firings.wait { !$0.isEmpty }.map(\.name)
            #expect(result == [2])
        }
    }

    @Test func `a timer that is armed while the loop sleeps for ever wakes it in time`() async throws {
        try await withLoop { loop in
            for _ in 0..<20 {
                let firings = Watched([Firing]())
                loop.post { _ = Self.arm(1, at: Moment.now.awake + 500_000, on: loop, firings) }
                _ = try await firings.wait { $0.count == 1 }
            }
        }
    }

    @Test func `thousands of replaced timers leave one each`() async throws {
        try await withLoop { loop in
            let firings = Watched([Firing]())
            try await loop.run {
                let start = Moment.now.awake
                for name in 0..<10 {
                    let token = Self.arm(name, at: start + 3_600_000_000_000, on: loop, firings)
                    for round in 0..<1000 { loop.arm(token, at: start + 3_000_000_000_000 - UInt64(round)) }
                    loop.arm(token, at: start + UInt64(name) * 100_000)
                }
            }
            let result = try await firings.wait { $0.count == 10 }.map(\.name)
            #expect(result == Array(0..<10))
        }
    }

    @Test func `what lies ready is read before a timer that is due is told`() async throws {
        try await withLoop { loop in
            let order = Watched([String]())
            let (near, far) = try PlatformChannel.pair()
            let held = try await HeldLoop(loop)
            loop.post {
                let reader = loop.add(TestMember(ready: { _ in order.change { $0.append("readable") } }, timed: { _ in order.change { $0.append("time") } }))
                try? near.attach(to: loop, token: reader)
                loop.arm(reader, at: 0)
            }
            _ = [1].withUnsafeBytes { far.write($0) }
            held.release()
            let ran = try await order.wait { $0.count == 2 }
            #expect(ran == ["readable", "time"])
            try await loop.run { near.abort() }
        }
    }
}
