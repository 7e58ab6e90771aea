// Time-outs that are asked for by several threads, and what counts as a peer that takes nothing.

import GinnelCore
import GinnelTesting
import Testing

@testable import GinnelTransport

@Suite(.timeLimit(.minutes(5))) struct DriverTimeTests {
    /// A call of which only the end matters.
    private final class EndingCall: OutgoingCall, @unchecked Sendable {  // the numbers are the driver's, under its lock
        var callNumber: UInt32 = 0
        var isAbandoned = false
        private let ended: @Sendable () -> Void

        init(_ ended: @escaping @Sendable () -> Void) { self.ended = ended }

        func replied(codec: Codec, payload: borrowing RawSpan) { ended() }
        func failed(_ failure: Failure) { ended() }
        func received(item: borrowing RawSpan, codec: Codec) {}
        func mayCarryOn() {}
    }

    @Test func `a deadline is not put off by a later one of another thread`() async throws {
        try await withLoop { loop in
            let service = try await ScriptedService(on: loop)
            let driver = service.end.driver
            let order = Watched([String]())
            @Sendable func call(_ name: String, within time: Duration) {
                let request = OutgoingRequest(method: name, codec: .raw, payload: [], deadline: Moment.now.advanced(by: time).continuous)
                driver.submit(.call(EndingCall { order.change { $0.append(name) } }, request))
            }
            let held = try await HeldLoop(loop)
            // Waits behind the loop: its deadline is armed first, and the later one's wish reaches the loop after that.
            loop.post { call("early", within: .milliseconds(20)) }
            call("late", within: .seconds(600))
            let reference = TestMember(timed: { _ in order.change { $0.append("reference") } })
            loop.post { loop.arm(loop.add(reference), at: loop.now.awake.adding(5_000_000_000)) }
            held.release()
            #expect(try await order.wait { !$0.isEmpty }.first == "early")
            driver.submit(.close(Failure(.finished, "")))
        }
    }

    @Test func `a peer that takes whole portions one after the other is not one that takes nothing`() async throws {
        try await withLoop { loop in
            let limits = SessionTimeouts.defaults
            let channel = ScriptedChannel()
            let service = try await ScriptedService(on: loop, channel, configuration: .plain { $0.limits.eventBytes = 64 << 20 })
            channel.setRoom(0)
            let firstFrame = 65_536 + 16
            for _ in 0..<4 { service.end.event("large", [UInt8](repeating: 1, count: 90_000)) }
            try await loop.run {}
            let between = Moment.now
            // The portion that waits fits exactly, and the next finds no room.
            channel.setRoom(firstFrame)
            try await channel.script.wait { $0.taken.count >= firstFrame }
            try await loop.run {}
            let isOverdue = service.end.driver.state.withLock { $0.session.outputIsOverdue(between.advanced(by: limits.write)) }
            #expect(!isOverdue)
        }
    }
}
