import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeDeliveryViolationTests {
    private static let kind = WireFrame.Kind.message

    @Test(arguments: [WireFrame.message(1), .acknowledge(1)])
    func `without the feature both kinds are violations`(frame: WireFrame) {
        var service = MachineEnd.openService()
        service.receive(frame)
        expectRefusal(&service, .protocolViolation)
        service = MachineEnd.openService { $0.offersDelivery = true }
        service.receive(frame)
        expectRefusal(&service, .protocolViolation)
    }

    @Test(
        arguments: [
            [], WireFrame.messageBody(1).dropLast(2), WireFrame.messageBody(1, ""), WireFrame.messageBody(0, floor: 0), WireFrame.messageBody(1, floor: 0),
            WireFrame.messageBody(1, floor: 2), WireFrame.messageBody(1, flags: 2), WireFrame.messageBody(1, flags: 0x81), WireFrame.messageBody(1, reserved: 1),
            WireFrame.u64(1) + WireFrame.u64(1) + WireFrame.u16(2) + [0, 0, 65], WireFrame.u64(1) + WireFrame.u64(1) + WireFrame.u16(2) + [0, 0, 0xC3, 0x28],
            WireFrame.u64(1) + WireFrame.u64(1) + WireFrame.u16(256) + [0, 0] + pattern(300), WireFrame.u64(1) + WireFrame.u64(1) + WireFrame.u16(.max) + [0, 0] + pattern(300),
        ] as [[UInt8]])
    func `a message whose head lies is a violation`(body: [UInt8]) {
        var service = MachineEnd.deliveringService()
        service.receive(WireFrame(Self.kind, lane: 2, body))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `a message in the lane of control frames or on a stream is a violation`() {
        for frame in [WireFrame.message(1, lane: 0), .message(1, lane: 4), WireFrame(Self.kind, stream: 1, lane: 2, WireFrame.messageBody(1))] {
            var service = MachineEnd.deliveringService()
            service.receive(frame)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `ids that do not grow in a lane, or that stand twice, are violations`() {
        for second in [WireFrame.message(5), .message(4), .message(5, lane: 1)] {
            var service = MachineEnd.deliveringService()
            service.receive(.message(5), .message(3, lane: 1))
            #expect(service.arrived == [5, 3])
            service.receive(second)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `an id may not come again after its acknowledgement`() {
        var service = MachineEnd.deliveringService()
        service.receive(.message(1))
        service.acknowledge(1)
        _ = service.takeAll()
        service.receive(.message(1))
        expectRefusal(&service, .protocolViolation)
    }

    @Test(arguments: [[], [1], pattern(11), pattern(13), pattern(25)] as [[UInt8]])
    func `acknowledgements that are no whole records are a violation`(payload: [UInt8]) {
        var service = MachineEnd.deliveringService()
        service.send(1)
        service.receive(WireFrame(WireFrame.Kind.acknowledge, payload))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `an acknowledgement of what is not under way, or a second one, is a violation`() {
        for frame in [WireFrame.acknowledge(2), .acknowledge(0), .acknowledge(1, 1), .acknowledge(1, 2)] {
            var service = MachineEnd.deliveringService()
            service.send(1)
            _ = service.takeAll()
            service.receive(frame)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `an acknowledgement on a stream or in chunks is a violation`() {
        for (stream, flags) in [(1, 0), (0, WireFrame.more), (0, WireFrame.continued)] as [(UInt32, UInt8)] {
            var service = MachineEnd.deliveringService()
            service.send(1)
            _ = service.takeAll()
            service.receive(WireFrame(WireFrame.Kind.acknowledge, stream: stream, flags: flags, WireFrame.acknowledgement(1)))
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `a message longer than the maximum is refused by its first chunk`() {
        var service = MachineEnd.deliveringService { $0.limits.announced.maximumMessage = 2000 }
        service.receive(WireFrame(Self.kind, flags: WireFrame.more, lane: 2, WireFrame.u32(2001) + pattern(100)))
        expectRefusal(&service, .tooLarge)
    }

    @Test func `another message of the lane in between is a violation, one of another lane and an event are not`() {
        var service = MachineEnd.deliveringService()
        let chunks = WireFrame.chunks(Self.kind, stream: 0, lane: 2, first: 10, rest: 50, WireFrame.messageBody(1, "m", pattern(30)))
        service.receive(chunks[0], .message(2, lane: 3), WireFrame(WireFrame.Kind.event, lane: 2, WireFrame.eventBody("e")))
        #expect(service.closed == nil)
        var other = service
        other.receive(.message(3, lane: 2))
        expectRefusal(&other, .protocolViolation)
        var event = service
        event.receive(WireFrame(WireFrame.Kind.event, flags: WireFrame.continued, lane: 2, chunks[1].payload))
        expectRefusal(&event, .protocolViolation)
        service.receive(chunks[1])
        #expect(service.arrived == [2, 1])
    }

    @Test func `an unfinished message that does not go on ends the session`() {
        var service = MachineEnd.deliveringService { $0.timeouts.readMidMessage = .seconds(3) }
        service.receive(WireFrame.chunks(Self.kind, stream: 0, lane: 2, first: 10, rest: 50, WireFrame.messageBody(1, "m", pattern(30)))[0])
        service.now = service.now.advanced(by: .milliseconds(2999))
        service.timeOut()
        #expect(service.closed == nil)
        service.now = service.now.advanced(by: .milliseconds(1))
        service.timeOut()
        #expect(service.closed?.failure.code == .readTimeout)
    }

    @Test func `a conversation with messages obeys the decoder law`() {
        let chunks = WireFrame.chunks(Self.kind, stream: 0, lane: 3, first: 3, rest: 25, WireFrame.messageBody(4, floor: 2, "long", pattern(60), flags: 1))
        let frames: [WireFrame] =
            [
                .message(1, [7]), chunks[0], .message(2, pattern(20), name: "second", lane: 1), .ping(1), .acknowledge(1, 3, code: 5), chunks[1], .message(3, floor: 2),
            ] + chunks.dropFirst(2) + [.acknowledge(2)]
        // After the handshake, since what is acknowledged must have been sent.
        var open = MachineEnd.deliveringService()
        for id in 1...3 as ClosedRange<UInt64> { open.send(id) }
        for last in [nil, WireFrame.message(3), .acknowledge(9), .goodbye(.finished)] {
            let input = (frames + (last.map { [$0] } ?? [])).flatMap(\.encoded)
            #expect(verifyDecoder(input) { open.native ?? NativeSession(role: .service, configuration()) } == nil)
        }
        var whole = open
        whole.receive(frames.flatMap(\.encoded))
        #expect(whole.closed == nil)
        #expect(whole.arrived == [1, 2, 3, 4])
        #expect(whole.acknowledged.count == 3)
    }
}
