import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeLivenessTests {
    private func kinds(_ end: MachineEnd) -> [UInt8] { framesWaiting(at: end).map(\.kind) }

    @Test func `a ping is answered with its own eight bytes`() {
        var service = MachineEnd.openService()
        service.receive(.ping(0x0102_0304_0506_0708))
        #expect(service.frames() == [WireFrame(WireFrame.Kind.pong, WireFrame.u64(0x0102_0304_0506_0708))])
        #expect(service.actions == [])
    }

    @Test func `a ping of the program brings its pong back`() {
        var pair = MachinePair.connected()
        pair.client.submit(.ping(77))
        pair.settle()
        #expect(pair.client.actions == [.pong(77)])
    }

    @Test func `the shorter heartbeat of the two is in force, and none is longer than any`() {
        for (client, service, expected) in [(5, 3, 3), (3, 5, 3), (nil, 4, 4), (4, nil, 4), (nil, nil, nil)] as [(Int?, Int?, Int?)] {
            let pair = MachinePair.connected(
                client: { $0.timeouts.heartbeat = client.map { .seconds($0) } }, service: { $0.timeouts.heartbeat = service.map { .seconds($0) } })
            let expectation = expected.map { pair.now.awake + UInt64($0) * 1_000_000_000 }
            #expect(pair.client.session.wakeUp.awake == expectation)
            #expect(pair.service.session.wakeUp.awake == expectation)
        }
    }

    @Test func `a heartbeat that would be a flood is taken for one of 100 milliseconds`() {
        for (asked, expected) in [(1, 100), (99, 100), (100, 100), (101, 101)] as [(Int, UInt64)] {
            let pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .milliseconds(asked) })
            #expect(pair.service.session.wakeUp.awake == pair.now.awake + expected * 1_000_000)
        }
    }

    @Test func `a message in chunks that does not go on is given up, and one that goes on is not`() {
        var service = MachineEnd.openService {
            $0.timeouts.readMidMessage = .seconds(10)
            $0.timeouts.heartbeat = nil
        }
        let chunk = [UInt8](repeating: 1, count: 1000)
        service.receive(WireFrame(WireFrame.Kind.request, stream: 1, flags: 1, lane: 2, WireFrame.u32(100_000) + chunk))
        for _ in 0..<3 {
            service.now = service.now.advanced(by: .seconds(9))
            service.timeOut()
            service.receive(WireFrame(WireFrame.Kind.request, stream: 1, flags: 3, lane: 2, chunk))
        }
        #expect(service.closed == nil)
        // Other frames are no sign that it goes on.
        service.now = service.now.advanced(by: .seconds(9))
        service.receive(.ping())
        service.timeOut()
        #expect(service.closed == nil)
        service.now = service.now.advanced(by: .seconds(1))
        service.timeOut()
        #expect(service.closed?.failure.sentence.contains("stream 1") == true)
        expectRefusal(&service, .readTimeout)
    }

    @Test func `a silent peer is pinged after one heartbeat and given up after two`() {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(10) })
        let call = pair.client.call()
        pair.settle()
        pair.advance(by: .nanoseconds(9_999_999_999))
        #expect(kinds(pair.client) == [])
        pair.advance(by: .nanoseconds(1))
        #expect(kinds(pair.client) == [WireFrame.Kind.ping])
        pair.advance(by: .nanoseconds(9_999_999_999))
        #expect(pair.client.closed == nil)
        #expect(kinds(pair.client) == [WireFrame.Kind.ping])
        pair.advance(by: .nanoseconds(1))
        #expect(pair.client.closed?.by == .us)
        #expect(pair.client.closed?.failure.code == .stale)
        #expect(call.failure?.code == .connectionLost)
        #expect(kinds(pair.client) == [WireFrame.Kind.goodbye])
    }

    @Test func `the peer of a stale session reads why`() {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(10) })
        pair.service.now = pair.now.advanced(by: .seconds(0))
        for _ in 0..<2 {
            pair.client.now = pair.client.now.advanced(by: .seconds(10))
            pair.client.timeOut()
        }
        pair.settle()
        #expect(pair.client.closed?.failure.code == .stale)
        #expect(pair.service.closed?.by == .peer)
        #expect(pair.service.closed?.failure.code == .stale)
    }

    @Test func `a side that was held up itself asks before it gives its peer up`() {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(10) })
        pair.client.now = pair.client.now.advanced(by: .seconds(1000))
        pair.client.timeOut()
        #expect(pair.client.closed == nil)
        pair.settle()
        pair.client.now = pair.client.now.advanced(by: .seconds(9))
        pair.client.timeOut()
        #expect(pair.client.closed == nil)
    }

    @Test func `two quiet sides keep each other alive`() {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(10) })
        for _ in 0..<100 {
            pair.advance(by: .seconds(4))
            pair.settle()
        }
        #expect(pair.client.closed == nil)
        #expect(pair.service.closed == nil)
    }

    @Test func `any byte counts as heard`() {
        var service = MachineEnd.openService { $0.timeouts.heartbeat = .seconds(10) }
        let bytes = WireFrame.request(1, "m", pattern(300)).encoded
        for (index, byte) in bytes.prefix(60).enumerated() {
            service.now = service.now.advanced(by: .milliseconds(9000))
            service.timeOut()
            service.receive([byte])
            if index == 2 { break }
        }
        #expect(service.closed == nil)
        #expect(service.takeAll() == [])
    }

    @Test(arguments: [Role.client, .service]) func `a stale peer is noticed within two intervals, whichever side looks`(role: Role) {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(10) })
        // The other side says nothing any more: nobody asks it.
        for step in 1...20 {
            #expect(pair[role].closed == nil, "after \(step - 1) seconds")
            pair[role].now = pair[role].now.advanced(by: .seconds(1))
            pair[role].timeOut()
        }
        #expect(pair[role].closed?.by == .us)
        #expect(pair[role].closed?.failure.code == .stale)
    }

    @Test(arguments: [Role.client, .service]) func `a peer that sends one huge message slowly is never stale, though it answers no ping`(role: Role) {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(10) })
        // A service's long message is an event: it has no call to be the answer of.
        if role == .service {
            pair.client.call("m", pattern(900_000))
        } else {
            pair.service.submit(.event(name: "e", codec: .raw, payload: pattern(900_000), lane: .normal))
        }
        let bytes = pair[role.other].takeAll()
        for start in stride(from: 0, to: bytes.count, by: 40_000) {
            pair[role].now = pair[role].now.advanced(by: .seconds(9))
            pair[role].timeOut()
            pair[role].receive(Array(bytes[start..<min(start + 40_000, bytes.count)]))
        }
        #expect(pair[role].closed == nil)
        #expect(pair[role].now.awake > pair[role.other].now.awake + 200_000_000_000)
    }

    @Test func `a sleeping computer makes nobody stale`() {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(10) }, service: { $0.timeouts.idle = .seconds(20) })
        pair.sleep(for: .seconds(8 * 3600))
        #expect(pair.client.closed == nil)
        #expect(pair.service.closed == nil)
    }

    @Test func `a session without messages ends as idle, and one with a call does not`() {
        var pair = MachinePair.connected(service: { $0.timeouts.idle = .seconds(60) })
        pair.advance(by: .nanoseconds(59_999_999_999))
        #expect(pair.service.closed == nil)
        pair.client.call()
        pair.settle()
        pair.advance(by: .seconds(200))
        #expect(pair.service.closed == nil)
        pair.service.submit(.reply(call: 1, codec: .raw, payload: []))
        pair.settle()
        pair.advance(by: .nanoseconds(59_999_999_999))
        #expect(pair.service.closed == nil)
        pair.advance(by: .nanoseconds(1))
        #expect(pair.service.closed?.failure.code == .idle)
        pair.settle()
        #expect(pair.client.closed?.by == .peer)
        #expect(pair.client.closed?.failure.code == .idle)
    }

    @Test func `heartbeats are no messages`() {
        var pair = MachinePair.connected(client: { $0.timeouts.heartbeat = .seconds(2) }, service: { $0.timeouts.idle = .seconds(7) })
        for _ in 0..<6 {
            pair.advance(by: .seconds(1))
            pair.settle()
        }
        #expect(pair.service.closed == nil)
        pair.advance(by: .seconds(1))
        #expect(pair.service.closed?.failure.code == .idle)
    }

    @Test func `events in either direction keep a session from being idle`() {
        for side in [Role.client, .service] {
            var pair = MachinePair.connected(service: { $0.timeouts.idle = .seconds(10) })
            for _ in 0..<5 {
                pair.advance(by: .seconds(9))
                pair[side].submit(.event(name: "e", codec: .raw, payload: [], lane: .normal))
                pair.settle()
            }
            #expect(pair.service.closed == nil)
            pair.advance(by: .seconds(10))
            #expect(pair.service.closed?.failure.code == .idle)
        }
    }

    @Test func `idle time is counted from the end of the handshake, and wakes nobody before`() {
        var service = MachineEnd(.service, configuration { $0.timeouts.idle = .seconds(2) })
        service.start()
        service.now = service.now.advanced(by: .seconds(3))
        service.timeOut()
        #expect(!service.isSpinning)
        #expect(service.closed == nil)
        service.receive(HandGreeting.hello.asHello)
        #expect(service.session.wakeUp.awake == service.now.awake + 2_000_000_000)
        service.timeOut()
        #expect(service.closed == nil)
    }

    @Test func `pings and pongs of the wrong length are violations`() {
        for count in [0, 7, 9] {
            for kind in [WireFrame.Kind.ping, WireFrame.Kind.pong] {
                var service = MachineEnd.openService()
                service.receive(WireFrame(kind, pattern(count)))
                expectRefusal(&service, .protocolViolation)
            }
        }
    }
}
