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
            var pair = MachinePair.connected(service: { $0.limits.bufferedBytes = 10_000 + 2 * 128 })
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

    @Test(arguments: [10_000, nil])
    func `a peer that pings and does not read is closed long before the limit on messages`(limit: Int?) {
        var service = MachineEnd.openService { if let limit { $0.limits.controlBytes = limit } }
        var pings = 0
        while service.closed == nil, pings < 100_000 {
            service.receive(.ping())
            pings += 1
        }
        #expect(pings == (limit ?? 1 << 20) / 24 + 1)
        #expect(service.closed?.failure.sentence.contains("controlBytes") == true)
        expectRefusal(&service, .slowReader)
    }

    @Test func `control frames leave in portions of whole frames`() {
        var service = MachineEnd.openService()
        for value in 0..<1000 as Range<UInt64> { service.receive(.ping(value)) }
        var frames: [WireFrame] = []
        while service.session.machine.hasOutput {
            service.produce(goal: 100)
            let sent = service.takeSent()
            #expect(sent.count <= 120)
            frames += WireFrame.all(in: sent)
        }
        #expect(frames == (0..<1000).map { WireFrame(WireFrame.Kind.pong, WireFrame.u64($0)) })
    }

    @Test func `messages without content count for the memory that they take`() {
        var service = MachineEnd.openService { $0.limits.bufferedBytes = 10_000 }
        for index in 0..<100 as Range<UInt32> { service.receive(.request(2 * index + 1)) }
        var replies: UInt32 = 0
        while service.closed == nil, replies < 100 {
            service.submit(.reply(call: 2 * replies + 1, codec: .raw, payload: []))
            replies += 1
        }
        #expect(replies == 10_000 / 128 + 1)
        expectRefusal(&service, .slowReader)
    }

    @Test func `a stream sends no more than 4 MiB ahead, whatever window the peer announces`() {
        var service = MachineEnd.openService(hello: HandGreeting.hello.with(7, UInt32(Int32.max)))
        service.receive(.request(1))
        let item = Command.item(call: 1, codec: .raw, payload: pattern(1 << 20))
        #expect((0..<5).map { _ in service.submit(item) } == [true, true, true, false].map { .taken(mayCarryOn: $0) } + [.noCredit])
        service.receive(.credit(1, 1 << 20))
        #expect(service.submit(item) != .noCredit)
        #expect(service.submit(item) == .noCredit)
    }

    @Test func `a stream with the largest window does not stall at what its sender allows itself`() {
        var pair = MachinePair.connected(client: { $0.limits.announced.itemWindow = Int(Int32.max) })
        let call = pair.client.call()
        pair.settle()
        for _ in 0..<50 {
            #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: pattern(1 << 20))) != .noCredit)
            pair.settle()
            pair.client.submit(.grant(call, bytes: 1 << 20))
            pair.settle()
        }
    }

    @Test func `a buffer that is never quite empty keeps memory in proportion to what waits`() {
        var buffer = OutputBuffer()
        buffer.append([0])
        for index in 1..<100_000 {
            buffer.append([UInt8](repeating: UInt8(index % 256), count: 100))
            buffer.removeFirst(100)
        }
        #expect(buffer.count == 1)
        #expect(buffer.withBytes { Array($0) } == [UInt8(99_999 % 256)])
        #expect(buffer.capacity < 100_000)
    }

    @Test func `of what waits behind a violation only the farewell leaves`() {
        var service = MachineEnd.openService()
        for _ in 0..<1000 { service.receive(.ping()) }
        service.receive(WireFrame(99))
        #expect(service.frames().map(\.kind) == [WireFrame.Kind.goodbye])
    }

    @Test func `a violation right behind HELLO leaves after the answer to it`() {
        var service = MachineEnd(.service, configuration())
        service.start()
        service.receive(HandGreeting.hello.asHello + WireFrame.ping().encoded + WireFrame(99).encoded)
        let said = service.takeAll()
        #expect(Array(said.prefix(8)) == WireFrame.preamble)
        #expect(WireFrame.all(in: Array(said.dropFirst(8))).map(\.kind) == [WireFrame.Kind.welcome, WireFrame.Kind.goodbye])
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
