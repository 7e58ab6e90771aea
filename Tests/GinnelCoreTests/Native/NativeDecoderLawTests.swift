import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeDecoderLawTests {
    private let toService: [WireFrame] = [
        .request(1, "short", [1, 2, 3], timeLeft: 5_000_000_000), .request(3, "a_method_with_a_long_name", pattern(50), flags: WireFrame.itemsFollow | 1 << 4),
        .ping(1), .item(3, pattern(20)), WireFrame(WireFrame.Kind.event, lane: 3, WireFrame.eventBody("event", [9], missed: 4)), .cancel(1), .credit(3, 100), .end(3),
        WireFrame(200, pattern(9)), .response(2, [5, 6]), .failure(4, .forbidden, "no"), .item(6, [7]),
    ]

    private func chunked(_ stream: UInt32) -> [WireFrame] {
        WireFrame.chunks(WireFrame.Kind.request, stream: stream, first: 30, rest: 25, WireFrame.requestBody("chunked", pattern(90)))
    }

    private func prepared(_ service: inout MachineEnd) {
        for name in ["a", "b", "c"] { service.call(name, itemsFollow: name == "c") }
    }

    @Test(arguments: [nil, WireFrame(99), .request(2), WireFrame(WireFrame.Kind.request, stream: 9, flags: 1, lane: 2, [0, 0, 0, 0, 0]), .goodbye(.idle), .goodbye(.finished)])
    func `a service reads a conversation in whatever portions it comes`(last: WireFrame?) {
        let frames = toService + chunked(5) + (last.map { [$0] } ?? [])
        let input = HandGreeting.hello.asHello + frames.flatMap(\.encoded)
        let difference = verifyDecoder(input, prepare: prepared) { NativeSession(role: .service, configuration()) }
        #expect(difference == nil)
    }

    @Test func `the law is worth something: the conversation reaches every kind`() {
        var service = MachineEnd(.service, configuration())
        service.start()
        prepared(&service)
        service.receive(HandGreeting.hello.asHello + (toService + chunked(5)).flatMap(\.encoded))
        #expect(service.closed == nil)
        #expect(service.actions.count == 12)
        #expect(service.requests.count == 3)
    }

    @Test func `a client reads a conversation in whatever portions it comes`() {
        let reply = WireFrame.chunks(WireFrame.Kind.response, stream: 3, flags: 1 << 4, first: 10, rest: 33, pattern(120))
        let frames: [WireFrame] =
            [.item(5, [1]), reply[0], .credit(5, 70_000), .response(1, [1, 2]), reply[1], .request(2, "back", [4]), .credit(0, 5), reply[2], .item(5, [])]
            + reply.dropFirst(3) + [.failure(5, .internal, "over"), .ping(3), WireFrame(WireFrame.Kind.pong, WireFrame.u64(9)), .goodbye(.shuttingDown, "bye")]
        let input = HandGreeting.welcome.asWelcome + frames.flatMap(\.encoded)
        let difference = verifyDecoder(input, prepare: prepared) { NativeSession(role: .client, configuration()) }
        #expect(difference == nil)
        var client = MachineEnd(.client, configuration())
        client.start()
        prepared(&client)
        client.receive(input)
        #expect(client.closed == nil)
        #expect(client.actions.count == 10)
    }

    @Test func `sealed frames obey the law`() {
        let hello = HandGreeting.hello.with(2, WireFrame.u64(1))
        let input = hello.asHello + (toService + chunked(5)).flatMap(\.sealed.encoded)
        #expect(verifyDecoder(input, prepare: prepared) { NativeSession(role: .service, configuration { $0.offersChecksums = true }) } == nil)
    }

    @Test func `handshakes that fail obey the law`() {
        let inputs = [
            Array("GINNEX--".utf8), WireFrame.preamble + WireFrame.ping().encoded, [0x47, 0x49, 0x4E, 0x4E, 0x45, 0x4C, 2, 0, 0],
            HandGreeting.hello.with(9, Array("another".utf8)).asHello + WireFrame.ping().encoded,
        ]
        for input in inputs {
            #expect(verifyDecoder(input) { NativeSession(role: .service, configuration { $0.service = "this" }) } == nil)
            #expect(verifyDecoder(input, prepare: prepared) { NativeSession(role: .client, configuration()) } == nil)
        }
    }

    @Test func `large frames obey the law`() {
        let large = WireFrame.chunks(WireFrame.Kind.request, stream: 7, first: 65_532, rest: 9000, WireFrame.requestBody("large", pattern(80_000)))
        let input = HandGreeting.hello.asHello + (toService + large + [.ping(2)]).flatMap(\.encoded)
        #expect(verifyDecoder(input, everyOffset: false) { NativeSession(role: .service, configuration()) } == nil)
    }

    /// What a client and a service really said to each other, in both directions.
    @Test func `a recorded conversation obeys the law in both directions`() {
        var pair = MachinePair(client: configuration(), service: configuration())
        pair.start()
        var said: [Role: [UInt8]] = [.client: [], .service: []]
        func talk() {
            while pair.client.session.machine.hasOutput || pair.service.session.machine.hasOutput {
                for side in [Role.client, .service] {
                    let bytes = pair[side].takeAll()
                    said[side]? += bytes
                    if !bytes.isEmpty { pair[side.other].receive(bytes) }
                }
            }
        }
        prepared(&pair.client)
        prepared(&pair.service)
        talk()
        for side in [Role.client, .service] {
            pair[side].submit(.event(name: "e", codec: .json, payload: pattern(30), lane: .low))
            for request in pair[side].requests {
                pair[side].submit(.item(call: request.call, codec: .raw, payload: pattern(12)))
                pair[side].submit(.reply(call: request.call, codec: .raw, payload: pattern(40)))
            }
        }
        talk()
        pair.client.submit(.farewell(Failure(.finished, "done")))
        talk()
        #expect(pair.client.closed?.failure.code == .finished)
        for side in [Role.client, .service] {
            #expect(verifyDecoder(said[side.other] ?? [], prepare: prepared) { NativeSession(role: side, configuration()) } == nil)
        }
    }
}
