import GinnelTesting
import Testing

@testable import GinnelCore

/// What a peer may not send: each closes the session with a code that our side reports and the other side reads.
@Suite struct NativeBadInputTests {
    @Test func `random bytes never trap, before and after the handshake`() {
        var random = SplitMix64(seed: 11)
        for round in 0..<300 {
            var service = round % 2 == 0 ? MachineEnd.openService() : MachineEnd(.service, configuration())
            var client = MachineEnd.openClient()
            client.call("m", itemsFollow: true)
            let bytes = random.bytes(random.number(in: 1...300))
            service.receive(bytes)
            client.receive(bytes)
            if bytes.count >= 16, round % 2 == 0 { #expect(service.closed != nil || WireFrame.u32(bytes[..<4]) <= 65_536) }
        }
    }

    @Test func `frames that are almost right never trap`() {
        var random = SplitMix64(seed: 12)
        for _ in 0..<2000 {
            var service = MachineEnd.openService { $0.offersChecksums = false }
            var client = MachineEnd.openClient()
            client.call("m", itemsFollow: true)
            for _ in 0..<8 {
                let kind = UInt8(random.number(in: 0...18))
                let streams: [UInt32] = [0, 1, 2, 3, .max]
                let frame = WireFrame(
                    kind, stream: streams[random.number(in: 0...4)], flags: UInt8(random.number(in: 0...7)), lane: UInt8(random.number(in: 0...3)),
                    random.bytes(random.oneIn(3) ? [0, 4, 8, 6, 12][random.number(in: 0...4)] : random.number(in: 0...40)))
                service.receive(frame)
                client.receive(frame)
            }
            #expect(service.actions.count { if case .close = $0 { true } else { false } } <= 1)
        }
    }

    @Test func `a frame over the limit is refused by its header alone`() {
        var service = MachineEnd.openService()
        var header = WireFrame(WireFrame.Kind.request, stream: 1, lane: 2).header
        header.replaceSubrange(0..<4, with: WireFrame.u32(65_537))
        service.receive(header)
        expectRefusal(&service, .frameTooLarge)

        service = MachineEnd.openService()
        header.replaceSubrange(0..<4, with: WireFrame.u32(65_536))
        service.receive(header)
        #expect(service.closed == nil)
    }

    @Test(arguments: [0, 8, 16, 17, 18, 100, 127] as [UInt8])
    func `unknown and reserved kinds are violations`(kind: UInt8) {
        var service = MachineEnd.openService()
        service.receive(WireFrame(kind))
        expectRefusal(&service, .protocolViolation)
    }

    @Test(arguments: [128, 200, 255] as [UInt8])
    func `extensions are skipped, whatever they hold`(kind: UInt8) {
        var service = MachineEnd.openService()
        service.receive(WireFrame(kind, stream: 5, flags: 0xFF, lane: 77, pattern(65_536)), .ping(1))
        #expect(service.closed == nil)
        #expect(service.frames().map(\.kind) == [WireFrame.Kind.pong])
    }

    @Test func `handles are a violation in version 1_0`() {
        for kind in [WireFrame.Kind.request, WireFrame.Kind.ping, 128] {
            var service = MachineEnd.openService()
            var frame = WireFrame(kind, stream: kind == WireFrame.Kind.request ? 1 : 0, lane: 2, WireFrame.requestBody("m"))
            frame.handles = 1
            service.receive(frame)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `the reserved flag and lanes above three are violations`() {
        for frame in [WireFrame.request(1, flags: 8), .request(1, lane: 4), WireFrame(WireFrame.Kind.ping, flags: 8, WireFrame.u64(1))] {
            var service = MachineEnd.openService()
            service.receive(frame)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `a frame on the wrong stream is a violation`() {
        for frame in [
            WireFrame(WireFrame.Kind.ping, stream: 1, WireFrame.u64(1)), WireFrame(WireFrame.Kind.goodbye, stream: 1, WireFrame.failureBody(111)),
            WireFrame(WireFrame.Kind.event, stream: 1, lane: 2, WireFrame.eventBody("e")), .request(0), .response(0), .failure(0, .internal), .item(0), .end(0), .cancel(0),
        ] {
            var service = MachineEnd.openService()
            service.receive(frame)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `a request with the callee's parity is a violation`() {
        var service = MachineEnd.openService()
        service.receive(.request(2))
        expectRefusal(&service, .protocolViolation)
        var client = MachineEnd.openClient()
        client.receive(.request(3))
        expectRefusal(&client, .protocolViolation, from: .client)
    }

    @Test func `a request whose number is in flight is a violation`() {
        var service = MachineEnd.openService()
        service.receive(.request(1), .request(1))
        expectRefusal(&service, .protocolViolation)
        service = MachineEnd.openService()
        service.receive(.request(1), .cancel(1), .request(1))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `credit and cancel of the wrong length are violations`() {
        for kind in [WireFrame.Kind.credit, WireFrame.Kind.cancel] {
            for count in [0, 3, 5] {
                var service = MachineEnd.openService()
                service.receive(.request(1), WireFrame(kind, stream: 1, pattern(count)))
                expectRefusal(&service, .protocolViolation)
            }
        }
    }

    @Test(
        arguments: [
            [], [UInt8](repeating: 0, count: 11), WireFrame.u64(1) + WireFrame.u16(0) + WireFrame.u16(0), WireFrame.u64(1) + WireFrame.u16(256) + WireFrame.u16(0) + pattern(300),
            WireFrame.u64(1) + WireFrame.u16(5) + WireFrame.u16(0) + [1, 2, 3, 4], WireFrame.u64(1) + WireFrame.u16(1) + WireFrame.u16(4) + [65, 1, 0, 0],
            WireFrame.u64(1) + WireFrame.u16(1) + WireFrame.u16(4) + [65, 1, 0, 9, 0],
            WireFrame.u64(1) + WireFrame.u16(1) + WireFrame.u16(4097) + [65] + WireFrame.field(9, [UInt8](repeating: 0, count: 4093)),
        ] as [[UInt8]])
    func `a request whose head lies is a violation`(body: [UInt8]) {
        var service = MachineEnd.openService()
        service.receive(WireFrame(WireFrame.Kind.request, stream: 1, lane: 2, body))
        expectRefusal(&service, .protocolViolation)
        #expect(service.actions.count == 1)
    }

    @Test func `fields of a request may be 4,096 bytes long`() {
        var service = MachineEnd.openService()
        let fields = WireFrame.field(9, [UInt8](repeating: 0, count: 4092))
        service.receive(WireFrame(WireFrame.Kind.request, stream: 1, lane: 2, WireFrame.requestBody("m", [1], fields: fields)))
        #expect(service.requests.map(\.payload) == [[1]])
    }

    @Test(arguments: [[], [1, 0, 0, 0, 0], [1, 0, 0, 0, 5, 0, 65]] as [[UInt8]])
    func `a failure whose head lies is a violation`(body: [UInt8]) {
        for kind in [WireFrame.Kind.failure, WireFrame.Kind.goodbye] {
            var client = MachineEnd.openClient()
            let call = client.call()
            client.receive(WireFrame(kind, stream: kind == WireFrame.Kind.failure ? 1 : 0, lane: 2, body))
            expectRefusal(&client, .protocolViolation, from: .client)
            #expect(call.outcomes.count == 1)
        }
    }

    @Test func `a failure's sentence that is no text is repaired, and its code is kept`() {
        var client = MachineEnd.openClient()
        let call = client.call()
        client.receive(WireFrame(WireFrame.Kind.failure, stream: 1, lane: 2, WireFrame.u32(4242) + WireFrame.u16(2) + [0xC3, 0x28, 7]))
        #expect(call.failure?.code.rawValue == 4242)
        #expect(call.failure?.sentence == "\u{FFFD}(")
        #expect(call.failure?.details == [7])
    }

    @Test func `a frame that does not match its checksum is a violation`() {
        let sealed = HandGreeting.hello.with(2, WireFrame.u64(1))
        for index in [0, 4, 5, 6, 8, 12, 15, 16, 30] {
            var service = MachineEnd.openService(hello: sealed) { $0.offersChecksums = true }
            var bytes = WireFrame.request(1, "method", pattern(20)).sealed.encoded
            service.receive(WireFrame.request(3, "method", pattern(20)).sealed)
            #expect(service.closed == nil)
            service.takeActions()
            bytes[index] ^= index == 0 ? 1 : 0x10
            service.receive(bytes + (index == 0 ? [0] : []))
            let codes: [FailureCode] = [.checksumMismatch, .protocolViolation]
            #expect(service.closed.map { codes.contains($0.failure.code) } == true, "byte \(index)")
            if index > 7 { expectRefusal(&service, .checksumMismatch, sealed: true) }
            #expect(service.requests == [])
        }
    }

    @Test func `extensions carry a checksum like all frames`() {
        let sealed = HandGreeting.hello.with(2, WireFrame.u64(1))
        var service = MachineEnd.openService(hello: sealed) { $0.offersChecksums = true }
        service.receive(WireFrame(200, [1, 2]).sealed)
        #expect(service.closed == nil)
        service.receive(WireFrame(200, [1, 2]))
        expectRefusal(&service, .checksumMismatch, sealed: true)
    }

    @Test func `nothing after a violation is looked at`() {
        var service = MachineEnd.openService()
        service.receive(.request(1), WireFrame(99), .request(3), .ping())
        #expect(service.requests.count == 1)
        #expect(service.frames().map(\.kind) == [WireFrame.Kind.goodbye])
    }

    @Test func `a violation tells those whose calls were in flight`() {
        var service = MachineEnd.openService()
        let call = service.call()
        _ = service.takeAll()
        service.receive(.request(1), WireFrame(99))
        #expect(call.failure?.code == .connectionLost)
        #expect(service.actions.count { if case .cancel(1, _) = $0 { true } else { false } } == 1)
    }
}
