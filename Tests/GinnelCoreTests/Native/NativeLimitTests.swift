import GinnelTesting
import Testing

@testable import GinnelCore

/// What one side allows itself to keep for one peer. What it announces is tested with what it limits: windows, streams, chunks, events.
@Suite struct NativeLimitTests {
    @Test func `as many calls may wait as the limit says`() {
        var pair = MachinePair(client: configuration { $0.limits.waitingCalls = 3 }, service: configuration())
        let calls = (0..<4).map { pair.client.call("m\($0)") }
        #expect(calls.map(\.failure?.code) == [nil, nil, nil, .resourceExhausted])
        pair.connect()
        #expect(pair.client.leftovers == ["3 outgoing calls"])
    }

    @Test func `output up to the limit waits and one byte more closes a slow reader`() {
        for extra in [0, 1] {
            var pair = MachinePair.connected(service: { $0.limits.bufferedBytes = 10_000 })
            pair.client.call("a")
            pair.client.call("b")
            pair.settle()
            pair.service.submit(.reply(call: 1, codec: .raw, payload: pattern(9000)))
            #expect(pair.service.closed == nil)
            pair.service.submit(.reply(call: 3, codec: .raw, payload: pattern(1000 + extra)))
            if extra == 0 {
                #expect(pair.service.closed == nil)
            } else {
                expectRefusal(&pair.service, .slowReader)
            }
        }
    }

    @Test func `a peer that pings and does not read is closed as a slow reader`() {
        var service = MachineEnd.openService { $0.limits.bufferedBytes = 10_000 }
        var pings = 0
        while service.closed == nil, pings < 10_000 {
            service.receive(.ping())
            pings += 1
        }
        #expect(pings == 10_000 / 24 + 1)
        #expect(service.closed?.failure.code == .slowReader)
        #expect(service.takeAll().count < 12_000)
    }

    @Test func `when a call's own request is too much for the buffer, its end is the last thing said about it`() {
        var client = MachineEnd.openClient { $0.limits.bufferedBytes = 1000 }
        let call = client.call("m", pattern(2000), itemsFollow: true)
        #expect(client.closed?.failure.code == .slowReader)
        #expect(call.failure?.code == .unavailable)
        #expect(call.lateEvents == 0)
        guard case .close? = client.actions.last else {
            Issue.record("\(client.actions)")
            return
        }
    }

    @Test func `small calls answered with nothing leave no unbounded queue`() {
        var service = MachineEnd.openService { $0.limits.announced.callsInFlight = 10 }
        var stream: UInt32 = 1
        while service.closed == nil, stream < 1000 {
            service.receive(.request(stream))
            service.submit(.reply(call: stream, codec: .raw, payload: []))
            stream += 2
        }
        #expect(stream <= 23)
        #expect(service.closed?.failure.code == .flowControl)
    }
}
