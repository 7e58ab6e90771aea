import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeHandshakeTests {
    @Test func `both sides learn the other's name, identity, program and limits`() {
        var pair = MachinePair(
            client: configuration {
                $0.identity = Identity(high: 10, low: 11)
                $0.program = "editor 2"
                $0.limits.announced.callsInFlight = 3
            },
            service: configuration {
                $0.service = "recorder"
                $0.identity = Identity(high: 20, low: 21)
                $0.program = "recorderd 1"
                $0.limits.announced.maximumMessage = 5000
                $0.limits.announced.itemWindow = 77
            })
        pair.start()
        pair.settle()
        guard case .established(let atClient)? = pair.client.actions.first, case .established(let atService)? = pair.service.actions.first else {
            Issue.record("no handshake")
            return
        }
        #expect(atClient.service == "recorder")
        #expect(atClient.instance == Identity(high: 20, low: 21))
        #expect(atClient.program == "recorderd 1")
        #expect(atClient.peerLimits.maximumMessage == 5000)
        #expect(atClient.peerLimits.itemWindow == 77)
        #expect(atService.service == "recorder")
        #expect(atService.instance == Identity(high: 10, low: 11))
        #expect(atService.program == "editor 2")
        #expect(atService.peerLimits.callsInFlight == 3)
        #expect(pair.client.actions.count == 1)
        #expect(pair.service.actions.count == 1)
    }

    @Test func `the service is silent until it has read a whole hello`() {
        var service = MachineEnd(.service, configuration())
        service.start()
        let hello = HandGreeting.hello.asHello
        service.receive(Array(hello.dropLast()))
        #expect(service.takeAll() == [])
        #expect(service.actions == [])
        service.receive([hello[hello.count - 1]])
        let answer = service.takeAll()
        #expect(answer.starts(with: WireFrame.preamble))
        #expect(WireFrame.all(in: answer).map(\.kind) == [WireFrame.Kind.welcome])
    }

    @Test func `a hello made by hand is welcomed with the fields of the protocol`() throws {
        var service = MachineEnd(
            .service,
            configuration {
                $0.service = "s"
                $0.program = "p"
                $0.timeouts.heartbeat = .seconds(2)
            })
        service.start()
        service.receive(HandGreeting.hello.asHello)
        let welcome = try #require(service.frames().first)
        let u32 = WireFrame.u32
        let field = WireFrame.field
        let limits = field(4, u32(1 << 20)) + field(5, u32(1024)) + field(6, u32(4 << 20)) + field(7, u32(256 << 10)) + field(8, u32(2000))
        let identity = field(10, WireFrame.u64(1) + WireFrame.u64(2))
        #expect(welcome.payload == field(1, [0, 0]) + field(2, WireFrame.u64(0)) + field(3, [0, 1, 2]) + limits + field(9, [0x73]) + identity + field(11, [0x70]))
    }

    @Test(arguments: [(true, true, true), (true, false, false), (false, true, false), (false, false, false)])
    func `checksums are in force when both sides want them`(client: Bool, service: Bool, both: Bool) {
        var pair = MachinePair.connected(client: { $0.offersChecksums = client }, service: { $0.offersChecksums = service })
        pair.client.call("m", [1, 2, 3])
        pair.client.produce()
        let request = WireFrame.all(in: pair.client.sent)
        #expect(request.allSatisfy { ($0.checksum != 0) == both })
        if both { #expect(request.allSatisfy { $0 == $0.sealed }) }
        pair.settle()
        pair.service.submit(.reply(call: pair.service.lastCall, codec: .raw, payload: [9]))
        pair.service.produce()
        #expect(WireFrame.all(in: pair.service.sent).allSatisfy { ($0.checksum != 0) == both })
        pair.settle()
        #expect(pair.client.actions == [.replied("m", codec: .raw, payload: [9])])
    }

    @Test func `feature bits that nobody here knows are not granted`() throws {
        var service = MachineEnd(.service, configuration { $0.offersChecksums = true })
        service.start()
        service.receive(HandGreeting.delivering().with(2, WireFrame.u64(.max)).asHello)
        let welcome = try #require(service.frames().first)
        #expect(welcome.payload.dropFirst(6).starts(with: WireFrame.field(2, WireFrame.u64(1))))
    }

    @Test(arguments: [(0, 0, 0), (0, 9, 9), (200, 255, nil), (1, 1, nil)] as [(UInt8, UInt8, Int?)])
    func `a common minor version is needed`(lowest: UInt8, highest: UInt8, chosen: Int?) {
        var service = MachineEnd(.service, configuration())
        service.start()
        service.receive(HandGreeting.hello.with(1, [lowest, highest]).asHello)
        let answer = service.frames()
        if chosen != nil {
            #expect(answer.map(\.kind) == [WireFrame.Kind.welcome])
            #expect(answer[0].payload.starts(with: WireFrame.field(1, [0, 0])))
        } else {
            #expect(answer.map(\.kind) == [WireFrame.Kind.reject])
            #expect(service.closed?.failure.code == .versionUnsupported)
        }
    }

    @Test(arguments: [("", "recorder", true), ("recorder", "recorder", true), ("", "", true), ("recorder", "", true), ("player", "recorder", false)])
    func `a client finds the service it looks for, or any`(wanted: String, name: String, welcome: Bool) {
        var pair = MachinePair(client: configuration { $0.service = wanted }, service: configuration { $0.service = name })
        pair.start()
        pair.settle()
        if welcome {
            #expect(pair.client.closed == nil)
            #expect(pair.service.closed == nil)
        } else {
            #expect(pair.service.closed?.by == .us)
            #expect(pair.service.closed?.failure.code == .wrongService)
            #expect(pair.client.closed?.by == .peer)
            #expect(pair.client.closed?.failure.code == .wrongService)
            #expect(pair.client.closed?.failure.sentence.contains(name) == true)
        }
    }

    @Test func `unknown fields are skipped`() {
        var service = MachineEnd(.service, configuration())
        service.start()
        service.receive(HandGreeting.hello.with(999, pattern(200)).with(0, []).asHello)
        #expect(service.closed == nil)
        #expect(service.actions.count == 1)
        var client = MachineEnd(.client, configuration())
        client.start()
        client.receive(HandGreeting.welcome.with(65_535, [1]).asWelcome)
        #expect(client.closed == nil)
        #expect(client.actions.count == 1)
    }

    @Test func `limits outside their ranges are announced as the nearest inside`() {
        for (low, high) in [(0, 100 << 20), (-5, .max)] {
            var pair = MachinePair(
                client: configuration {
                    $0.limits.announced.maximumMessage = low
                    $0.limits.announced.itemWindow = low
                    $0.limits.announced.callsInFlight = -1
                    $0.limits.announced.requestWindow = low
                }, service: configuration { $0.limits.announced.maximumMessage = high })
            pair.start()
            pair.settle()
            guard case .established(let atClient)? = pair.client.actions.first, case .established(let atService)? = pair.service.actions.first else {
                Issue.record("\(pair.client.actions) \(pair.service.actions)")
                return
            }
            let most = min(high, Int(Int32.max))
            #expect(atClient.peerLimits.maximumMessage == most)
            #expect(atClient.peerLimits.requestWindow == most)
            #expect(atService.peerLimits.maximumMessage == 1024)
            #expect(atService.peerLimits.requestWindow == 1024)
            #expect(atService.peerLimits.itemWindow == 1)
            #expect(atService.peerLimits.callsInFlight == 0)
        }
    }

    @Test func `a peer that names no codecs is asked and answers for itself`() {
        var client = MachineEnd.openClient(welcome: HandGreeting.welcome.with(3, nil))
        let call = client.call("m", [1], codec: .json)
        #expect(!call.hasEnded)
        #expect(client.frames().count == 1)
    }

    @Test func `codec numbers above fifteen name no codec`() {
        var client = MachineEnd.openClient(welcome: HandGreeting.welcome.with(3, [0, 17]))
        #expect(client.call("m", [1], codec: .json).failure?.code == .unsupportedCodec)
    }

    @Test func `calls that were asked for before the handshake begin after it`() {
        var pair = MachinePair(client: configuration(), service: configuration())
        let early = pair.client.call("early", [1])
        pair.start()
        let second = pair.client.call("second", [2])
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["early", "second"])
        #expect(!early.hasEnded && !second.hasEnded)
    }

    @Test func `the larger frames that come with the hello are read after it`() {
        var service = MachineEnd(.service, configuration())
        service.start()
        service.receive(HandGreeting.hello.asHello + WireFrame.request(1, "m", pattern(60_000)).encoded)
        #expect(service.closed == nil)
        #expect(service.requests.count == 1)
    }
}
