import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeFarewellTests {
    private let bye = Failure(.shuttingDown, "bye")

    @Test(arguments: [Role.client, .service])
    func `without calls a farewell closes at once and the peer reads it`(side: Role) {
        var pair = MachinePair.connected()
        pair[side].submit(.farewell(bye))
        #expect(pair[side].closed == CloseReason(by: .us, bye))
        pair.settle()
        #expect(pair[side.other].actions == [.farewell(bye), .close(CloseReason(by: .peer, bye))])
    }

    @Test func `calls in flight go on, in both directions, and the last one closes`() {
        var pair = MachinePair.connected()
        let ours = pair.client.call("ours")
        let theirs = pair.service.call("theirs")
        pair.settle()
        pair.service.submit(.farewell(bye))
        pair.settle()
        #expect(pair.service.closed == nil)
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        pair.settle()
        #expect(ours.reply == [1])
        #expect(pair.service.closed == nil)
        pair.client.submit(.reply(call: 2, codec: .raw, payload: [2]))
        pair.settle()
        #expect(theirs.reply == [2])
        #expect(pair.service.closed == CloseReason(by: .us, bye))
        #expect(pair.client.closed == CloseReason(by: .peer, bye))
    }

    @Test func `a request that nobody reads any more was not begun, and its caller knows it`() {
        var pair = MachinePair.connected()
        pair.service.submit(.farewell(bye))
        let crossing = pair.client.call("crossing")
        // What the client has sent is never read.
        _ = pair.client.takeAll()
        pair.client.receive(pair.service.takeAll())
        #expect(crossing.failure?.code == .unavailable)
        #expect(pair.client.closed == CloseReason(by: .peer, bye))
    }

    @Test func `of a service that dies while it leaves nobody believes that it has answered`() {
        var pair = MachinePair.connected()
        let served = pair.client.call("served")
        pair.settle()
        pair.service.submit(.farewell(bye))
        let crossing = pair.client.call("crossing")
        _ = pair.client.takeAll()
        pair.client.receive(pair.service.takeAll())
        #expect(served.failure == nil && crossing.failure == nil)
        pair.client.inputEnded()
        #expect(served.failure?.code == .connectionLost && crossing.failure?.code == .connectionLost)
    }

    @Test func `a service that cuts its calls off does not say that it has answered them`() {
        var pair = MachinePair.connected()
        let served = pair.client.call("served")
        pair.settle()
        pair.service.submit(.farewell(bye))
        pair.service.submit(.close(bye))
        pair.settle()
        pair.client.inputEnded()
        #expect(served.failure?.code == .connectionLost)
    }

    @Test func `the word that all is answered means nothing of a peer that has not said goodbye`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.client.receive(WireFrame(WireFrame.Kind.goodbye, WireFrame.u32(116) + WireFrame.u16(0)))
        #expect(call.failure?.code == .connectionLost)
    }

    @Test func `the last reply still leaves after the close`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.service.submit(.farewell(bye))
        pair.service.submit(.reply(call: 1, codec: .raw, payload: pattern(300_000)))
        #expect(pair.service.closed == CloseReason(by: .us, bye))
        pair.settle()
        #expect(call.reply == pattern(300_000))
    }

    @Test func `nobody begins a new call after a farewell`() {
        var pair = MachinePair.connected()
        pair.client.call()
        pair.settle()
        pair.service.submit(.farewell(bye))
        #expect(pair.service.call().failure?.code == .unavailable)
        pair.settle()
        #expect(pair.client.call().failure?.code == .unavailable)
    }

    @Test func `a request that crosses the farewell is answered with unavailable`() {
        var pair = MachinePair.connected()
        pair.client.call("running")
        pair.settle()
        let crossing = pair.client.call("crossing")
        pair.service.submit(.farewell(bye))
        pair.client.produce()
        pair.deliver(from: .client)
        #expect(pair.service.requests.map(\.method) == ["running"])
        pair.settle()
        #expect(crossing.failure?.code == .unavailable)
        #expect(pair.client.closed == nil)
    }

    @Test func `calls that wait are given up by either farewell`() {
        for side in [Role.client, .service] {
            var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
            let running = pair.client.call("running")
            let waiting = pair.client.call("waiting")
            pair.settle()
            pair[side].submit(.farewell(bye))
            pair.settle()
            #expect(waiting.failure?.code == .unavailable)
            #expect(!running.hasEnded)
            pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
            pair.settle()
            #expect(running.reply == [1])
            #expect(pair[side].closed == CloseReason(by: .us, bye))
        }
    }

    @Test func `a request that our own farewell overtook is still served`() {
        var pair = MachinePair.connected()
        let small = pair.client.call("small")
        let large = pair.client.call("large", pattern(200_000))
        pair.client.produce(goal: 60)
        pair.client.submit(.farewell(Failure(.finished, "done")))
        pair.settle()
        #expect(pair.service.requests.map(\.method).sorted() == ["large", "small"])
        for request in pair.service.requests { pair.service.submit(.reply(call: request.call, codec: .raw, payload: [1])) }
        pair.settle()
        #expect(small.reply == [1])
        #expect(large.reply == [1])
        #expect(pair.client.closed == CloseReason(by: .us, Failure(.finished, "done")))
    }

    @Test func `two farewells that cross close both sides when the calls have ended`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.client.submit(.farewell(Failure(.finished, "")))
        pair.service.submit(.farewell(bye))
        pair.settle()
        #expect(pair.client.closed == nil)
        #expect(pair.service.closed == nil)
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        pair.settle()
        #expect(call.reply == [1])
        #expect(pair.client.closed?.by == .us)
        #expect(pair.service.closed?.by == .us)
    }

    @Test(arguments: [true, false]) func `a call that nobody waits for any more does not hold up the farewell`(abandonedFirst: Bool) {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        let other = pair.client.call()
        pair.settle()
        if abandonedFirst { pair.client.submit(.abandon(call, Failure(.cancelled, ""))) }
        pair.client.submit(.farewell(Failure(.finished, "")))
        if !abandonedFirst { pair.client.submit(.abandon(call, Failure(.cancelled, ""))) }
        pair.settle()
        #expect(pair.client.closed == nil)
        pair.service.submit(.reply(call: 3, codec: .raw, payload: [3]))
        pair.settle()
        #expect(other.reply == [3])
        #expect(pair.client.closed?.failure.code == .finished)
    }

    @Test func `a second farewell says nothing new`() {
        var pair = MachinePair.connected()
        pair.client.call()
        pair.settle()
        pair.client.submit(.farewell(bye))
        pair.client.submit(.farewell(bye))
        #expect(pair.client.frames().count == 1)
    }

    @Test(arguments: [FailureCode.protocolViolation, .idle, .stale, .slowReader, FailureCode(rawValue: 999_999)])
    func `a goodbye for another reason ends everything at once`(code: FailureCode) {
        var client = MachineEnd.openClient()
        let sent = client.call("sent")
        _ = client.takeAll()
        let unsent = client.call("unsent")
        client.receive(.request(2), .goodbye(code, "why"), .response(1, [1]))
        #expect(client.closed == CloseReason(by: .peer, Failure(code, "why")))
        #expect(sent.failure?.code == .connectionLost)
        #expect(unsent.failure?.code == .unavailable)
        #expect(client.actions.contains { if case .cancel(2, _) = $0 { true } else { false } })
        #expect(client.takeAll() == [])
    }

    @Test func `what is closed for good stays silent`() {
        var client = MachineEnd.openClient()
        client.submit(.close(Failure(.internal, "enough")))
        #expect(client.closed == CloseReason(by: .us, Failure(.internal, "enough")))
        #expect(client.frames().map(\.failureCode) == [FailureCode.internal.rawValue])
        let count = client.actions.count
        client.receive(.ping(), .request(2), .goodbye(.finished))
        client.inputEnded()
        client.submit(.close(bye))
        client.submit(.farewell(bye))
        client.submit(.ping(1))
        client.now = client.now.advanced(by: .seconds(100_000))
        client.timeOut()
        #expect(client.actions.count == count)
        #expect(client.takeAll() == [])
        #expect(client.session.wakeUp == WakeUp())
    }

    @Test func `a lost connection ends every call on both sides and says how far it had come`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 2 })
        let calls = ["sent", "unsent", "waiting"].map { name in
            defer { if name == "sent" { pair.settle() } }
            return pair.client.call(name)
        }
        pair.service.takeActions()
        pair.cut(Failure(.connectionLost, "reset"))
        #expect(calls.map(\.failure?.code) == [.connectionLost, .unavailable, .unavailable])
        #expect(calls.allSatisfy { $0.outcomes.count == 1 && $0.callNumber == 0 })
        #expect(pair.client.closed?.by == .nobody)
        guard case .cancel(let call, let failure)? = pair.service.actions.first else {
            Issue.record("the handler was not told")
            return
        }
        #expect(call == 1)
        #expect(failure.code == .connectionLost)
        #expect(pair.service.actions.count == 2)
    }

    @Test func `an end in the middle of a frame says how many bytes were there`() {
        var client = MachineEnd.openClient()
        client.receive(Array(WireFrame.ping().encoded.prefix(19)))
        client.inputEnded()
        #expect(client.closed?.failure.sentence.contains("19") == true)
    }
}
