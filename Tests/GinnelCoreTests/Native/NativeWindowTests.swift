import GinnelTesting
import Testing

@testable import GinnelCore

/// Calls in flight and the request window: rules 1 and 2 of docs/protocol.md §7.
@Suite struct NativeWindowTests {
    @Test func `calls beyond the peer's calls in flight wait for a final frame`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 2 })
        let calls = (0..<4).map { pair.client.call("m\($0)") }
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["m0", "m1"])
        pair.service.submit(.reply(call: 3, codec: .raw, payload: [1]))
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["m0", "m1", "m2"])
        #expect(calls.map(\.hasEnded) == [false, true, false, false])
        for call in [1, 5, 7] as [UInt32] {
            pair.service.submit(.reply(call: call, codec: .raw, payload: [2]))
            pair.settle()
        }
        #expect(calls.map(\.reply) == [[2], [1], [2], [2]])
        #expect(pair.client.leftovers == [])
    }

    @Test func `of those that wait the highest lane begins first, and the oldest in it`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        pair.client.call("running")
        pair.client.call("low", lane: .low)
        pair.client.call("normal")
        pair.client.call("high 1", lane: .high)
        pair.client.call("high 2", lane: .high)
        pair.settle()
        for _ in 0..<4 {
            pair.service.submit(.reply(call: pair.service.lastCall, codec: .raw, payload: []))
            pair.settle()
        }
        #expect(pair.service.requests.map(\.method) == ["running", "high 1", "high 2", "normal", "low"])
    }

    @Test func `a request waits until the window has room for all of it`() {
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 60_000
            $0.limits.announced.requestWindow = 100_000
        })
        pair.client.call("a", pattern(50_000 - 13))
        pair.client.call("b", pattern(50_000 - 13))
        pair.client.call("c")
        pair.client.produce()
        #expect(WireFrame.all(in: pair.client.sent).map(\.payload.count) == [50_000, 50_000])
        pair.deliver(from: .client)
        let credits = framesWaiting(at: pair.service)
        #expect(credits.allSatisfy { $0.kind == WireFrame.Kind.credit && $0.stream == 0 })
        #expect(credits.reduce(0) { $0 + WireFrame.u32($1.payload) } == 100_000)
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["a", "b", "c"])
    }

    @Test func `a large request is not overtaken by small ones for ever`() {
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 100_000
            $0.limits.announced.requestWindow = 100_000
        })
        pair.client.call("first", pattern(50_000))
        let large = pair.client.call("large", pattern(90_000))
        let small = (0..<5).map { _ in pair.client.call("small") }
        #expect(small.allSatisfy { $0.callNumber == 0 })
        pair.settle()
        #expect(large.callNumber == 3)
        #expect(small.map(\.callNumber) == [5, 7, 9, 11, 13])
    }

    @Test(arguments: [1024, 1500, 2048, 5000])
    func `whatever the window, requests of any size always get through`(window: Int) {
        var random = SplitMix64(seed: UInt64(window))
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 1024
            $0.limits.announced.requestWindow = window
        })
        for _ in 0..<300 {
            pair.client.call("m", pattern(random.oneIn(3) ? 1024 - 13 : random.number(in: 0...1011)))
            pair.settle()
            #expect(pair.client.native?.outgoing.waitingCount == 0)
            pair.service.submit(.reply(call: pair.service.lastCall, codec: .raw, payload: []))
            pair.settle()
        }
        #expect(pair.service.requests.count == 300)
        #expect(pair.service.closed == nil)
    }

    @Test func `a call of a higher lane does not wait behind one that waits for the window`() {
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 100_000
            $0.limits.announced.requestWindow = 100_000
        })
        pair.client.call("first", pattern(50_000))
        let large = pair.client.call("large", pattern(90_000))
        let urgent = pair.client.call("urgent", lane: .high)
        #expect(large.callNumber == 0)
        #expect(urgent.callNumber == 3)
        pair.settle()
        #expect(large.callNumber == 5)
    }

    @Test func `credit comes when a request is complete, not when it is answered`() {
        var pair = MachinePair.connected(service: {
            $0.limits.announced.maximumMessage = 2000
            $0.limits.announced.requestWindow = 2000
        })
        for _ in 0..<20 {
            pair.client.call("m", pattern(1500))
            pair.settle()
        }
        #expect(pair.service.requests.count == 20)
    }

    @Test func `small requests do not cost a credit each`() {
        var pair = MachinePair.connected()
        for _ in 0..<100 { pair.client.call() }
        pair.client.produce()
        pair.deliver(from: .client)
        #expect(pair.service.takeAll() == [])
    }

    // MARK: Peers made by hand

    @Test func `a request beyond the calls in flight is a violation`() {
        var service = MachineEnd.openService { $0.limits.announced.callsInFlight = 2 }
        service.receive(.request(1), .request(3))
        #expect(service.closed == nil)
        service.receive(.request(5))
        expectRefusal(&service, .flowControl)
    }

    @Test func `a caller that reads no replies cannot make us hold more of them than its calls in flight`() {
        var service = MachineEnd.openService { $0.limits.announced.callsInFlight = 2 }
        for stream in [1, 3] as [UInt32] {
            service.receive(.request(stream))
            service.submit(.reply(call: stream, codec: .raw, payload: []))
        }
        var read = service
        _ = read.takeAll()
        read.receive(.request(5))
        #expect(read.closed == nil)
        service.receive(.request(5))
        expectRefusal(&service, .flowControl)
    }

    @Test func `a request beyond the window is a violation`() {
        var service = MachineEnd.openService {
            $0.limits.announced.maximumMessage = 1024
            $0.limits.announced.requestWindow = 2000
        }
        func first(_ stream: UInt32, _ total: UInt32) -> WireFrame {
            WireFrame(WireFrame.Kind.request, stream: stream, flags: WireFrame.more, lane: 2, WireFrame.u32(total) + [1])
        }
        service.receive(first(1, 1000), first(3, 1000))
        #expect(service.closed == nil)
        service.receive(first(5, 2))
        expectRefusal(&service, .flowControl)
    }

    @Test func `credit on the connection may lift the balance to 2,147,483,647 and no further`() {
        var client = MachineEnd.openClient()
        client.receive(.credit(0, UInt32(Int32.max) - (4 << 20)))
        #expect(client.closed == nil)
        client.receive(.credit(0, 0))
        #expect(client.closed == nil)
        client.receive(.credit(0, 1))
        expectRefusal(&client, .flowControl, from: .client)
    }
}
