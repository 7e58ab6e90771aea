import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeDeadlineTests {
    @Test func `a deadline travels as the time that is left`() throws {
        var client = MachineEnd.openClient()
        client.call("m", within: .milliseconds(250))
        client.call("n")
        let frames = client.frames()
        #expect(frames[0].payload.starts(with: WireFrame.u64(250_000_000)))
        #expect(frames[1].payload.starts(with: WireFrame.u64(.max)))

        var service = MachineEnd.openService()
        service.receive(.request(1, timeLeft: 3000), .request(3), .request(5, timeLeft: .max - 1))
        #expect(service.requests.map(\.deadline) == [service.now.continuous + 3000, nil, .max])
    }

    @Test func `both sides end the call by themselves at the deadline and not before`() {
        var pair = MachinePair.connected()
        let call = pair.client.call("m", within: .seconds(1))
        pair.settle()
        pair.service.takeActions()
        pair.advance(by: .nanoseconds(999_999_999))
        #expect(!call.hasEnded)
        #expect(pair.service.actions == [])
        pair.advance(by: .nanoseconds(1))
        #expect(call.failure?.code == .deadlineExceeded)
        #expect(pair.service.actions == [.cancel(call: 1, Failure(.deadlineExceeded, "the deadline has passed"))])
        pair.settle()
        #expect(pair.service.actions.count == 1)
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        pair.settle()
        #expect(call.outcomes.count == 1)
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
    }

    @Test func `a deadline goes on while the computer sleeps`() {
        var pair = MachinePair.connected()
        let call = pair.client.call("m", within: .seconds(3600))
        pair.settle()
        pair.sleep(for: .seconds(3600))
        #expect(call.failure?.code == .deadlineExceeded)
    }

    @Test func `a call whose deadline has passed is not sent`() {
        var client = MachineEnd.openClient()
        let call = client.call("m", within: .zero)
        #expect(call.failure?.code == .deadlineExceeded)
        #expect(client.takeAll() == [])
    }

    @Test func `a request that was sent with no time left is answered and not begun`() {
        var service = MachineEnd.openService()
        service.receive(.request(1, timeLeft: 0))
        #expect(service.requests == [])
        #expect(service.frames().map(\.failureCode) == [FailureCode.deadlineExceeded.rawValue])
        #expect(service.leftovers == [])
    }

    @Test func `a deadline passes before the handshake is done`() {
        var client = MachineEnd(.client, configuration())
        client.start()
        let call = client.call("m", within: .seconds(2))
        #expect(client.session.wakeUp.continuous == client.now.continuous + 2_000_000_000)
        client.now = client.now.advanced(by: .seconds(2))
        client.timeOut()
        #expect(call.failure?.code == .deadlineExceeded)
        client.receive(HandGreeting.welcome.asWelcome)
        #expect(WireFrame.all(in: client.takeAll()).map(\.kind) == [WireFrame.Kind.hello])
    }

    @Test func `a deadline passes while the call waits for the peer's permission`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        pair.client.call("first")
        let second = pair.client.call("second", within: .seconds(1))
        let third = pair.client.call("third", within: .seconds(3))
        pair.settle()
        pair.advance(by: .seconds(1))
        #expect(second.failure?.code == .deadlineExceeded)
        #expect(!third.hasEnded)
        pair.service.submit(.reply(call: 1, codec: .raw, payload: []))
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["first", "third"])
        #expect(pair.service.requests.last?.deadline == pair.now.continuous + 2_000_000_000)
    }

    @Test func `a call whose deadline passed while it waited is not begun, however late the clock is looked at`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        pair.client.call("first")
        let second = pair.client.call("second", within: .seconds(1))
        pair.settle()
        pair.client.now = pair.client.now.advanced(by: .seconds(2))
        pair.service.submit(.reply(call: 1, codec: .raw, payload: []))
        pair.flush(.service)
        #expect(second.failure?.code == .deadlineExceeded)
        #expect(pair.client.leftovers == [])
    }

    @Test func `the end of a call that waited lets the next begin`() {
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 1100
            $0.limits.announced.requestWindow = 1100
        })
        pair.client.call("a", pattern(500))
        pair.client.call("b", pattern(900), within: .seconds(1))
        let small = pair.client.call("c", pattern(100))
        pair.advance(by: .seconds(1))
        #expect(small.callNumber == 3)
    }

    @Test func `many calls end at their own deadlines`() {
        var pair = MachinePair.connected()
        var random = SplitMix64(seed: 5)
        let spans = (0..<300).map { _ in random.number(in: 1...1000) }
        let calls = spans.map { pair.client.call("m", within: .milliseconds($0)) }
        pair.settle()
        for request in pair.service.requests where request.call % 3 == 0 { pair.service.submit(.reply(call: request.call, codec: .raw, payload: [])) }
        pair.settle()
        for passed in stride(from: 50, through: 1000, by: 50) {
            pair.advance(by: .milliseconds(50))
            for (span, call) in zip(spans, calls) where call.failure != nil || call.reply == nil {
                #expect(call.hasEnded == (span <= passed), "a deadline of \(span) ms after \(passed) ms")
            }
        }
        #expect(calls.allSatisfy { $0.outcomes.count == 1 })
        for request in pair.service.requests { pair.service.submit(.fail(call: request.call, Failure(.internal, ""))) }
        pair.settle()
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
        #expect(pair.client.session.wakeUp == WakeUp())
    }

    @Test func `deadlines of calls that no longer wait are not kept`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        pair.client.call("busy")
        for _ in 0..<2000 {
            let call = pair.client.call("m", within: .seconds(60))
            pair.client.submit(.abandon(call, Failure(.cancelled, "")))
        }
        #expect((pair.client.native?.outgoing.keptDeadlines ?? .max) < 300)
    }
}
