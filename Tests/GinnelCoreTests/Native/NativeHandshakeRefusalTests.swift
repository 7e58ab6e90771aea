import GinnelTesting
import Testing

@testable import GinnelCore

/// What ends a handshake: what our side reports, what is said, and what a real client reads of it.
@Suite struct NativeHandshakeRefusalTests {
    private func service(_ change: Change = { _ in }) -> MachineEnd {
        var end = MachineEnd(.service, configuration(change))
        end.start()
        return end
    }

    private func client() -> MachineEnd {
        var end = MachineEnd(.client, configuration())
        end.start()
        _ = end.takeAll()
        return end
    }

    /// Feeds the service and expects it to say REJECT with `code`, after its preamble.
    private func expectReject(_ code: FailureCode, _ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) {
        var service = service()
        service.receive(bytes)
        #expect(service.closed?.by == .us, sourceLocation: location)
        #expect(service.closed?.failure.code == code, "\(String(describing: service.closed))", sourceLocation: location)
        let answer = service.takeAll()
        #expect(answer.starts(with: WireFrame.preamble), sourceLocation: location)
        let frames = WireFrame.all(in: answer)
        #expect(frames.map(\.kind) == [WireFrame.Kind.reject], sourceLocation: location)
        #expect(frames.first?.failureCode == code.rawValue, sourceLocation: location)

        var reader = client()
        reader.receive(answer)
        #expect(reader.closed?.by == .peer, sourceLocation: location)
        #expect(reader.closed?.failure.code == code, sourceLocation: location)
    }

    @Test(arguments: [1, 2, 4, 5, 6, 7, 8, 10] as [UInt16])
    func `a hello without a required field is rejected`(tag: UInt16) {
        expectReject(.protocolViolation, HandGreeting.hello.with(tag, nil).asHello)
    }

    @Test(arguments: [1, 2, 4, 5, 6, 7, 8, 10] as [UInt16])
    func `a required field of the wrong length is rejected`(tag: UInt16) throws {
        let right = try #require(HandGreeting.hello[tag])
        expectReject(.protocolViolation, HandGreeting.hello.with(tag, right + [0]).asHello)
        expectReject(.protocolViolation, HandGreeting.hello.with(tag, right.dropLast()).asHello)
    }

    @Test func `a field that stands twice is rejected, also one that nobody knows`() {
        var hello = HandGreeting.hello
        hello.fields.append((5, WireFrame.u32(1)))
        expectReject(.protocolViolation, hello.asHello)
        hello = HandGreeting.hello
        hello.fields += [(400, [1]), (400, [1])]
        expectReject(.protocolViolation, hello.asHello)
    }

    /// Tag, value inside, value outside.
    @Test(
        arguments: [
            (4, 1024, 1023), (4, 1 << 20, 1 << 31), (6, 1 << 20, (1 << 20) - 1), (6, (1 << 31) - 1, 1 << 31), (7, 1, 0), (7, (1 << 31) - 1, 1 << 31),
            (5, (1 << 31) - 1, 1 << 31),
        ] as [(UInt16, UInt32, UInt32)])
    func `a limit outside its range is rejected and one at its edge is not`(tag: UInt16, inside: UInt32, outside: UInt32) {
        expectReject(.protocolViolation, HandGreeting.hello.with(tag, outside).asHello)
        var service = service()
        service.receive(HandGreeting.hello.with(tag, inside).asHello)
        #expect(service.closed == nil)
        var client = client()
        client.receive(HandGreeting.welcome.with(tag, outside).asWelcome)
        #expect(client.closed?.failure.code == .protocolViolation)
    }

    @Test func `minor versions in the wrong order are rejected`() {
        expectReject(.protocolViolation, HandGreeting.hello.with(1, [3, 0]).asHello)
    }

    @Test func `a field that is cut off or claims too much is rejected`() {
        for body in [[1, 0], [1, 0, 3], [1, 0, 200, 0, 1, 2]] as [[UInt8]] {
            expectReject(.protocolViolation, WireFrame.preamble + WireFrame(WireFrame.Kind.hello, body).encoded)
        }
    }

    @Test func `fields may be 4,096 bytes long and no longer`() {
        let rest = HandGreeting.hello.body.count + 4
        expectReject(.frameTooLarge, HandGreeting.hello.with(300, [UInt8](repeating: 0, count: 4097 - rest)).asHello)
        var service = service()
        service.receive(HandGreeting.hello.with(300, [UInt8](repeating: 0, count: 4096 - rest)).asHello)
        #expect(service.closed == nil)
    }

    @Test func `a hello over its limit is rejected by its header alone`() {
        expectReject(.frameTooLarge, WireFrame.preamble + WireFrame.u32(4097) + [WireFrame.Kind.hello] + [UInt8](repeating: 0, count: 11))
    }

    @Test func `another major version is rejected with our own preamble`() {
        for major in [0, 2, 255] as [UInt8] {
            var bytes = HandGreeting.hello.asHello
            bytes[6] = major
            expectReject(.versionUnsupported, bytes)
            expectReject(.versionUnsupported, Array(bytes.prefix(8)))
        }
    }

    @Test func `a higher minor version in the preamble is no reason to refuse`() {
        var service = service()
        var bytes = HandGreeting.hello.asHello
        bytes[7] = 200
        service.receive(bytes)
        #expect(service.closed == nil)
        #expect(service.actions.count == 1)
    }

    @Test func `a stranger is closed without an answer at its first wrong byte`() {
        for bytes in [Array("GET / HTTP/1.1\r\n".utf8), [0x47, 0x49, 0x4E, 0x4E, 0x45, 0x4D], [0]] {
            var service = service()
            service.receive(bytes)
            #expect(service.closed?.by == .us)
            #expect(service.closed?.failure.code == .protocolViolation)
            #expect(service.takeAll() == [])
            var client = client()
            client.receive(bytes)
            #expect(client.closed?.failure.code == .protocolViolation)
            #expect(client.takeAll() == [])
        }
    }

    @Test func `a client that finds another major version says nothing more`() {
        var client = client()
        client.receive([0x47, 0x49, 0x4E, 0x4E, 0x45, 0x4C, 2, 0])
        #expect(client.closed?.by == .us)
        #expect(client.closed?.failure.code == .versionUnsupported)
        #expect(client.takeAll() == [])
    }

    @Test(arguments: [
        WireFrame(WireFrame.Kind.welcome, HandGreeting.welcome.body), WireFrame.request(1), .response(1), .failure(1, .internal), .item(1), .end(1), .credit(0, 1),
        .cancel(1), .ping(), WireFrame(WireFrame.Kind.event, WireFrame.eventBody("e")), WireFrame(8), WireFrame(16), WireFrame(17), WireFrame(0), WireFrame(18),
        WireFrame(127), WireFrame(128), WireFrame(WireFrame.Kind.reject, WireFrame.failureBody(103)),
    ])
    func `anything but a hello during the handshake is rejected`(frame: WireFrame) {
        expectReject(.protocolViolation, WireFrame.preamble + frame.encoded)
    }

    @Test func `a client is welcomed or rejected and nothing else`() {
        for frame in [WireFrame(WireFrame.Kind.hello, HandGreeting.hello.body), .request(2), .ping(), .response(1), WireFrame(200)] {
            var client = client()
            client.receive(WireFrame.preamble + frame.encoded)
            #expect(client.closed?.by == .us)
            #expect(client.closed?.failure.code == .protocolViolation)
        }
    }

    @Test func `a client refuses a version or a feature that it did not offer`() {
        for welcome in [HandGreeting.welcome.with(1, [1, 1]), HandGreeting.welcome.with(1, [0, 1]), HandGreeting.welcome.with(2, WireFrame.u64(1))] {
            var client = client()
            let call = client.call()
            client.receive(welcome.asWelcome)
            #expect(client.closed?.failure.code == .protocolViolation)
            #expect(call.failure?.code == .unavailable)
        }
    }

    @Test(arguments: [FailureCode.tooManyConnections, .peerRefused, .shuttingDown, .wrongService, FailureCode(rawValue: 4321)])
    func `a client keeps the code of its rejection and gives it to those who waited`(code: FailureCode) {
        var client = client()
        let call = client.call()
        let body = WireFrame.failureBody(code.rawValue, "no", details: [5])
        client.receive(WireFrame.preamble + WireFrame(WireFrame.Kind.reject, body).encoded)
        #expect(client.closed == CloseReason(by: .peer, Failure(code, "no", details: [5])))
        #expect(call.failure?.code == .unavailable)
        #expect(client.call().failure?.code == .unavailable)
    }

    @Test func `a peer that was refused unread gets a preamble and an empty reason`() {
        let bytes = NativeSession.refusal(.peerRefused)
        #expect(bytes == WireFrame.preamble + WireFrame(WireFrame.Kind.reject, WireFrame.failureBody(103)).encoded)
        var client = client()
        client.receive(bytes)
        #expect(client.closed == CloseReason(by: .peer, Failure(.peerRefused, "")))
    }

    @Test func `a rejection with a long sentence can be read by a client`() {
        let name = String(repeating: "n", count: 3900)
        var hello = HandGreeting.hello
        hello.fields.append((9, Array(name.utf8)))
        var service = service { $0.service = "recorder" + String(repeating: "x", count: 240) }
        service.receive(hello.asHello)
        var client = client()
        client.receive(service.takeAll())
        #expect(client.closed?.by == .peer)
        #expect(client.closed?.failure.code == .wrongService)
    }

    @Test func `a second hello, welcome or rejection is a violation`() {
        for kind in [WireFrame.Kind.hello, WireFrame.Kind.welcome, WireFrame.Kind.reject] {
            var service = MachineEnd.openService()
            service.receive(WireFrame(kind, HandGreeting.hello.body))
            expectRefusal(&service, .protocolViolation)
            var client = MachineEnd.openClient()
            client.receive(WireFrame(kind, HandGreeting.hello.body))
            expectRefusal(&client, .protocolViolation, from: .client)
        }
    }

    @Test func `a broken or ended connection during the handshake is named so`() {
        var service = service()
        service.receive(Array(HandGreeting.hello.asHello.prefix(20)))
        service.inputEnded()
        #expect(service.closed?.by == .nobody)
        #expect(service.closed?.failure.code == .connectionLost)
        var client = client()
        let call = client.call()
        client.inputEnded(Failure(.connectionLost, "reset by peer"))
        #expect(client.closed?.by == .nobody)
        #expect(client.closed?.failure.sentence.contains("reset by peer") == true)
        #expect(call.failure?.code == .unavailable)
    }

    @Test func `a service that shuts down before the hello rejects the client`() {
        var service = service()
        service.receive(Array(HandGreeting.hello.asHello.prefix(30)))
        service.submit(.farewell(Failure(.shuttingDown, "bye")))
        #expect(service.closed?.failure.code == .shuttingDown)
        var client = client()
        client.receive(service.takeAll())
        #expect(client.closed == CloseReason(by: .peer, Failure(.shuttingDown, "bye")))
    }
}
