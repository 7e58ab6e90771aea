import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeChunkViolationTests {
    private static let more = WireFrame.more, continued = WireFrame.continued

    private func request(_ flags: UInt8, _ bytes: [UInt8], stream: UInt32 = 1, lane: UInt8 = 2) -> WireFrame {
        WireFrame(WireFrame.Kind.request, stream: stream, flags: flags, lane: lane, bytes)
    }

    /// A service that has read the first chunk of a request of 100 bytes, 20 of them.
    private func begun() -> MachineEnd {
        var service = MachineEnd.openService()
        service.receive(WireFrame.chunks(WireFrame.Kind.request, stream: 1, first: 20, rest: 40, WireFrame.requestBody("m", pattern(87)))[0])
        return service
    }

    @Test(arguments: [
        (announced: 20, rest: [80]), (announced: 99, rest: [80]), (announced: 101, rest: [80]), (announced: 100, rest: [79]), (announced: 100, rest: [81]),
        (announced: 0, rest: [80]), (announced: 19, rest: [80]), (announced: 100, rest: [40, 41]), (announced: 100, rest: [80, 0]),
    ])
    func `chunks that do not add up to the announced length are a violation`(announced: Int, rest: [Int]) {
        var service = MachineEnd.openService()
        service.receive(request(Self.more, WireFrame.u32(UInt32(announced)) + WireFrame.requestBody("m", pattern(7))))
        for (index, count) in rest.enumerated() where service.closed == nil {
            service.receive(request(Self.continued | (index == rest.count - 1 ? 0 : Self.more), pattern(count)))
        }
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `a message may be as long as announced in the handshake and not longer`() {
        var service = MachineEnd.openService { $0.limits.announced.maximumMessage = 70_000 }
        service.receive(request(Self.more, WireFrame.u32(70_000) + pattern(100)))
        #expect(service.closed == nil)
        service.receive(request(Self.more, WireFrame.u32(70_001) + pattern(100), stream: 3))
        expectRefusal(&service, .tooLarge)

        service = MachineEnd.openService { $0.limits.announced.maximumMessage = 1024 }
        service.receive(request(0, WireFrame.requestBody("m", pattern(1024 - 13))))
        #expect(service.closed == nil)
        service.receive(request(0, WireFrame.requestBody("m", pattern(1024 - 12)), stream: 3))
        expectRefusal(&service, .tooLarge)
    }

    @Test func `a reply over our own limit is a violation`() {
        var client = MachineEnd.openClient { $0.limits.announced.maximumMessage = 1024 }
        let call = client.call()
        _ = client.takeAll()
        client.receive(.response(1, pattern(1025)))
        expectRefusal(&client, .tooLarge, from: .client)
        #expect(call.failure?.code == .connectionLost)
    }

    @Test func `a length of four billion takes no memory`() {
        var service = MachineEnd.openService()
        service.receive(request(Self.more, WireFrame.u32(.max) + pattern(100)))
        expectRefusal(&service, .tooLarge)
    }

    @Test(arguments: [[], [1, 2, 3], WireFrame.u32(100)] as [[UInt8]])
    func `a first chunk without data is a violation`(payload: [UInt8]) {
        var service = MachineEnd.openService()
        service.receive(request(Self.more, payload))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `an empty chunk in the middle is a violation`() {
        var service = begun()
        service.receive(request(Self.more | Self.continued, []))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `a continued chunk of nothing is a violation`() {
        for frame in [
            request(Self.continued, [1]), request(Self.continued | Self.more, [1]), WireFrame(WireFrame.Kind.event, flags: Self.continued, lane: 2, [1]),
        ] {
            var service = MachineEnd.openService()
            service.receive(.request(1), frame)
            expectRefusal(&service, .protocolViolation)
        }
        var client = MachineEnd.openClient()
        client.call()
        client.receive(.response(1, [1], flags: Self.continued))
        expectRefusal(&client, .protocolViolation, from: .client)
    }

    @Test func `a continued chunk for a stream that nobody waits for is dropped`() {
        var service = MachineEnd.openService()
        service.receive(request(Self.continued, [1], stream: 77), request(Self.continued | Self.more, [1], stream: 77))
        #expect(service.closed == nil)
        #expect(service.actions == [])
    }

    @Test func `a chunk of another kind or lane is a violation`() {
        var service = begun()
        service.receive(WireFrame(WireFrame.Kind.item, stream: 1, flags: Self.continued, lane: 2, pattern(80)))
        expectRefusal(&service, .protocolViolation)
        service = begun()
        service.receive(request(Self.continued, pattern(80), lane: 3))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `another message of the same stream in between is a violation`() {
        for frame in [request(0, WireFrame.requestBody("m")), .item(1, [1]), request(Self.more, WireFrame.u32(100) + [1]), .end(1)] {
            var service = begun()
            service.receive(frame)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `another event of the same lane in between is a violation, one of another lane is not`() {
        var service = MachineEnd.openService()
        let chunk = WireFrame.chunks(WireFrame.Kind.event, stream: 0, lane: 2, first: 10, rest: 10, WireFrame.eventBody("e", pattern(30)))[0]
        service.receive(chunk, WireFrame(WireFrame.Kind.event, lane: 3, WireFrame.eventBody("f")))
        #expect(service.closed == nil)
        service.receive(WireFrame(WireFrame.Kind.event, lane: 2, WireFrame.eventBody("f")))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `chunks of what may not be chunked are a violation`() {
        for frame in [WireFrame.ping(), .credit(0, 1), .cancel(1), .end(1), .goodbye(.finished)] {
            for flag in [Self.more, Self.continued] {
                var service = MachineEnd.openService()
                var chunk = frame
                chunk.flags = flag
                service.receive(chunk)
                expectRefusal(&service, .protocolViolation)
            }
        }
    }

    @Test func `memory for a chunked message grows with what has arrived`() {
        var service = MachineEnd.openService {
            $0.limits.announced.requestWindow = 1 << 30
            $0.limits.announced.maximumMessage = 1 << 30
        }
        service.receive(request(Self.more, WireFrame.u32(1 << 30) + pattern(1000)))
        #expect((service.native?.inbound.assembler.heldBytes ?? .max) < 100_000)
    }
}
