import GinnelTesting
import Testing

@testable import GinnelCore

/// The caller loses interest in each phase of a call's life. It always has its outcome at once, and the number is free as soon as the callee knows.
@Suite struct NativeCancelTests {
    private let gone = Failure(.cancelled, "the user went away")

    private func expectEnded(_ call: RecordedCall, _ location: SourceLocation = #_sourceLocation) {
        #expect(call.outcomes == [.failed(gone)], sourceLocation: location)
        #expect(call.callNumber == 0, sourceLocation: location)
    }

    @Test func `before it was submitted`() {
        var pair = MachinePair.connected()
        let call = RecordedCall()
        pair.client.submit(.abandon(call, gone))
        #expect(!call.hasEnded)
        pair.client.submit(.call(call, OutgoingRequest(method: "m", codec: .raw, payload: [])))
        #expect(call.outcomes.count == 1)
        #expect(call.failure?.code == .cancelled)
        pair.settle()
        #expect(pair.service.requests == [])
    }

    @Test func `while it waits for the handshake`() {
        var pair = MachinePair(client: configuration(), service: configuration())
        let call = pair.client.call()
        pair.client.submit(.abandon(call, gone))
        expectEnded(call)
        pair.connect()
        #expect(pair.service.requests == [])
        #expect(pair.client.leftovers == [])
    }

    @Test func `while it waits for the peer's permission`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        let first = pair.client.call("first")
        let second = pair.client.call("second")
        pair.client.submit(.abandon(second, gone))
        expectEnded(second)
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["first"])
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        pair.settle()
        #expect(first.reply == [1])
        #expect(pair.client.leftovers == [])
    }

    @Test func `a call that waited behind it for the window begins at once`() {
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 1100
            $0.limits.announced.requestWindow = 1100
        })
        pair.client.call("a", pattern(500))
        let large = pair.client.call("b", pattern(900))
        let small = pair.client.call("c", pattern(100))
        #expect(small.callNumber == 0)
        pair.client.submit(.abandon(large, gone))
        expectEnded(large)
        #expect(small.callNumber == 3)
    }

    @Test func `while its request waits unsent`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        let call = pair.client.call("first", pattern(1000))
        let next = pair.client.call("next")
        pair.client.submit(.abandon(call, gone))
        expectEnded(call)
        pair.settle()
        #expect(pair.service.actions.count == 1)
        #expect(pair.service.requests.map(\.method) == ["next"])
        #expect(!next.hasEnded)
        #expect(pair.client.native?.outbound.requests.balance == (4 << 20) - 12 - 4)
    }

    @Test func `while its items wait unsent behind the unsent request`() {
        var pair = MachinePair.connected()
        let call = pair.client.call("m", pattern(100_000), itemsFollow: true)
        pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(70_000)))
        pair.client.submit(.sendItem(call, codec: .raw, payload: [1]))
        pair.client.submit(.sendItem(call, codec: .raw, payload: nil))
        pair.client.submit(.abandon(call, gone))
        expectEnded(call)
        #expect(pair.client.leftovers == [])
        #expect(pair.client.takeAll() == [])
    }

    @Test func `while its request is half sent`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        let call = pair.client.call("m", pattern(200_000))
        pair.client.produce(goal: 1)
        pair.deliver(from: .client)
        pair.client.submit(.abandon(call, gone))
        expectEnded(call)
        #expect(pair.client.native?.outgoing.count == 1)
        #expect(framesWaiting(at: pair.client).map(\.kind) == [WireFrame.Kind.cancel])
        pair.settle()
        #expect(pair.service.actions == [])
        #expect(pair.service.leftovers == [])
        #expect(pair.client.leftovers == [])
        let next = pair.client.call("next", pattern(1 << 19))
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["next"])
        #expect(!next.hasEnded)
    }

    @Test func `a half-sent request gives its charge back`() {
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 300_000
            $0.limits.announced.requestWindow = 300_000
        })
        for _ in 0..<5 {
            let call = pair.client.call("m", pattern(290_000))
            #expect(call.callNumber != 0)
            pair.client.produce(goal: 1)
            pair.deliver(from: .client)
            pair.client.submit(.abandon(call, gone))
            pair.settle()
        }
        #expect(pair.service.closed == nil)
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
    }

    @Test func `while the handler works`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        let call = pair.client.call()
        pair.settle()
        pair.service.takeActions()
        pair.client.submit(.abandon(call, gone))
        expectEnded(call)
        let next = pair.client.call("next")
        pair.settle()
        #expect(pair.service.actions == [.cancel(call: 1, Failure(.cancelled, "the caller cancelled"))])
        #expect(next.callNumber == 0)
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1, 2, 3]))
        #expect(framesWaiting(at: pair.service).map(\.failureCode) == [FailureCode.cancelled.rawValue])
        pair.settle()
        expectEnded(call)
        #expect(next.callNumber == 3)
    }

    @Test func `while its reply is half received`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .raw, payload: pattern(200_000)))
        pair.service.produce(goal: 1)
        pair.deliver(from: .service)
        #expect(pair.client.native?.inbound.assembler.isEmpty == false)
        pair.client.submit(.abandon(call, gone))
        expectEnded(call)
        #expect(pair.client.native?.inbound.assembler.isEmpty == true)
        pair.settle()
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
        #expect(pair.client.closed == nil)
        #expect(pair.service.closed == nil)
    }

    @Test func `while its reply is on the way`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        pair.service.produce()
        pair.service.takeActions()
        pair.client.submit(.abandon(call, gone))
        pair.settle()
        expectEnded(call)
        #expect(pair.service.actions == [])
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
    }

    @Test func `after its reply nothing happens`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        pair.settle()
        pair.client.submit(.abandon(call, gone))
        #expect(call.outcomes == [.replied(codec: .raw, payload: [1])])
        #expect(pair.client.takeAll() == [])
    }

    @Test func `with an item half sent in each direction`() {
        var pair = MachinePair.connected()
        let call = pair.client.call("m", itemsFollow: true)
        pair.settle()
        pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(150_000)))
        pair.client.produce(goal: 1)
        pair.service.submit(.item(call: 1, codec: .raw, payload: pattern(150_000)))
        pair.service.produce(goal: 1)
        pair.deliver(from: .client)
        pair.deliver(from: .service)
        pair.client.submit(.abandon(call, gone))
        pair.settle()
        #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: [1])) == .ended)
        pair.service.submit(.fail(call: 1, Failure(.internal, "stopped")))
        pair.settle()
        expectEnded(call)
        #expect(call.items == [])
        #expect(call.lateEvents == 0)
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
        #expect(!pair.service.actions.contains { if case .item = $0 { true } else { false } })
    }

    @Test func `the callee learns whether it was a deadline`() {
        var service = MachineEnd.openService()
        service.receive(.request(1), .request(3), .cancel(1, .deadlineExceeded), .cancel(3, .unavailable))
        service.submit(.reply(call: 1, codec: .raw, payload: []))
        service.submit(.reply(call: 3, codec: .raw, payload: []))
        #expect(service.frames().map(\.failureCode) == [FailureCode.deadlineExceeded.rawValue, FailureCode.cancelled.rawValue])
    }

    @Test func `a second cancel says nothing new to the handler`() {
        var service = MachineEnd.openService()
        service.receive(.request(1), .cancel(1), .cancel(1))
        #expect(service.actions.count == 2)
    }
}
