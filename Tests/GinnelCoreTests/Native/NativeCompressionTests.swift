// Compressed messages (docs/protocol.md §11) as the machine sees them, with a compressor that is a toy.

import GinnelTesting
import Testing

@testable import GinnelCore

private func wanting(_ configuration: inout NativeConfiguration) { configuration.compression = CompressionOptions(ToyCompressor()) }

private let offering = HandGreeting.hello.with(2, WireFrame.u64(8))

@Suite struct NativeCompressionTests {
    /// Around the threshold, one frame of expanded and of compressed bytes, and the default limit.
    static let sizes = [4128, 65_536, 100_000, 1 << 20]

    private func connected() -> MachinePair { .connected(client: wanting, service: wanting) }

    /// Bytes that the toy makes smaller: to an eighth.
    private func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 / 16 * 7) } }

    @Test(arguments: sizes)
    func `messages of every kind leave smaller and arrive as they were`(size: Int) {
        let payload = text(size - 32)
        var pair = connected()
        let call = pair.client.call("method", payload, codec: .json, itemsFollow: true)
        pair.client.submit(.sendItem(call, codec: .raw, payload: payload))
        pair.client.submit(.event(name: "event", codec: .protobuf, payload: payload, lane: .low))
        pair.client.produce()
        #expect(pair.client.sent.count < 3 * size / 6)
        pair.settle()
        #expect(pair.service.requests == [RecordedRequest(call: 1, method: "method", codec: .json, payload: payload, itemsFollow: true)])
        #expect(pair.service.actions.contains(.item(call: 1, codec: .raw, payload: payload)))
        #expect(pair.service.actions.contains(.event(name: "event", codec: .protobuf, payload: payload, missed: 0)))
        pair.service.submit(.reply(call: 1, codec: .json, payload: payload))
        pair.service.produce()
        #expect(pair.service.sent.count < size / 6)
        pair.settle()
        #expect(call.outcomes == [.replied(codec: .json, payload: payload)])
        #expect(pair.client.leftovers == [] && pair.service.leftovers == [])
    }

    @Test func `the length stands first, the name stays readable`() {
        let payload = [UInt8](repeating: 9, count: 510 * 20)
        var pair = connected()
        pair.client.call("method", payload)
        let frames = pair.client.frames()
        let head = WireFrame.requestBody("method")
        #expect(frames.count == 1)
        #expect(frames[0].flags == 8)
        #expect(frames[0].payload == WireFrame.u32(UInt32(head.count + payload.count)) + head + (0..<40).flatMap { _ in [255, 9] })
    }

    @Test func `in chunks the length of the message stands before its length when expanded`() {
        let payload = text(1_000_000)
        var pair = connected()
        pair.client.call("method", payload)
        let frames = pair.client.frames()
        #expect(frames.count > 1)
        #expect(frames[0].flags == 8 | WireFrame.more)
        #expect(Int(WireFrame.u32(frames[0].payload[..<4])) == frames.reduce(-4) { $0 + $1.payload.count })
        #expect(Int(WireFrame.u32(frames[0].payload[4..<8])) == 18 + payload.count)
    }

    @Test func `what is short, or does not get smaller, leaves as it is`() {
        for payload in [text(4095), pattern(100_000)] {
            var pair = connected()
            pair.client.call("m", payload)
            let frames = pair.client.frames()
            #expect(frames.allSatisfy { $0.flags & 8 == 0 })
            for frame in frames { pair.service.receive(frame) }
            #expect(pair.service.requests.first?.payload == payload)
        }
    }

    @Test func `failures, and a peer that does not want it, get nothing compressed`() {
        var pair = connected()
        let call = pair.client.call()
        pair.settle()
        let failure = Failure(.forbidden, "no", details: text(50_000))
        pair.service.submit(.fail(call: 1, failure))
        #expect(framesWaiting(at: pair.service).allSatisfy { $0.flags & 8 == 0 })
        pair.settle()
        #expect(call.failure == failure)

        var plain = MachinePair.connected(client: wanting)
        plain.client.call("m", text(50_000))
        #expect(plain.client.frames().allSatisfy { $0.flags & 8 == 0 })
    }

    // MARK: What counts

    @Test func `the window counts what a request is when expanded, and gives all of it back`() {
        var pair = MachinePair.connected(client: wanting) {
            wanting(&$0)
            $0.limits.announced.maximumMessage = 100_000
            $0.limits.announced.requestWindow = 150_000
        }
        let calls = (0..<6).map { pair.client.call("\($0)", text(90_000)) }
        #expect(pair.client.native?.outgoing.count == 1)
        pair.client.submit(.abandon(calls[0], Failure(.cancelled, "")))
        #expect(pair.client.native?.outgoing.count == 1)  // the second took its place
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["1", "2", "3", "4", "5"])
        for request in pair.service.requests { pair.service.submit(.reply(call: request.call, codec: .raw, payload: [])) }
        pair.settle()
        #expect(pair.client.native?.outbound.requests.balance == pair.service.native?.inbound.requests.balance)
        #expect(pair.client.leftovers == [] && pair.service.leftovers == [])
    }

    @Test func `a request that is cancelled half sent gives back what it counted`() {
        var service = MachineEnd.openService(hello: offering) {
            wanting(&$0)
            $0.limits.announced.maximumMessage = 100_000
            $0.limits.announced.requestWindow = 100_000
        }
        for stream in [1, 3, 5] as [UInt32] {
            let body = WireFrame.u32(90_000) + WireFrame.requestBody("m", [255, 1, 255, 1])
            service.receive(WireFrame(WireFrame.Kind.request, stream: stream, flags: 9, lane: 2, WireFrame.u32(60_000) + body), .cancel(stream))
        }
        #expect(service.closed == nil)
        let credits = service.frames().filter { $0.kind == WireFrame.Kind.credit }.map { WireFrame.u32($0.payload) }
        #expect(credits == [90_000, 90_000, 90_000])
    }

    @Test func `items cost what they are when expanded`() {
        var pair = MachinePair.connected(client: wanting) {
            wanting(&$0)
            $0.limits.announced.itemWindow = 10_000
        }
        let call = pair.client.call("m", itemsFollow: true)
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: text(9_000))) == .taken(mayCarryOn: true))
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: text(9_000))) == .taken(mayCarryOn: false))
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: text(9_000))) == .noCredit)
        pair.settle()
        #expect(pair.service.native?.incoming[1]?.flow.receive.balance == 10_000 - 2 * 9_016)
        #expect(pair.service.closed == nil)
    }

    @Test func `messages that are acknowledged are compressed too, and cost what they are when expanded`() {
        let delivering: Change = {
            wanting(&$0)
            $0.offersDelivery = true
            $0.encryption = EncryptionOptions(ToyEncryption(secret: 1), isRequired: true)
        }
        var pair = MachinePair.connected(client: delivering, service: delivering)
        pair.client.submit(.message(OutgoingDelivery(id: 7, floor: 7, lane: .low, name: "name", codec: .json, payload: text(90_000))))
        pair.client.produce()
        #expect(pair.client.sent.count < 90_000 / 6)
        pair.settle()
        #expect(pair.service.actions == [.message(OutgoingDelivery(id: 7, floor: 7, redelivered: false, lane: .low, name: "name", codec: .json, payload: text(90_000)))])
        let window = AnnouncedLimits.defaults.deliveryWindow
        let cost = DeliveryCost.of(MessageHead.size + 4 + 90_000)
        #expect(pair.client.native?.delivery?.outgoing.window.balance == pair.service.native?.delivery?.incoming.balance)
        #expect(pair.service.native?.delivery?.incoming.balance == window - cost)
        pair.service.submit(.acknowledge(id: 7, code: nil))
        pair.settle()
        #expect(pair.client.native?.delivery?.outgoing.window.balance == window)
    }

    // MARK: Lies

    struct Lie: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: FailureCode
        let frames: [WireFrame]

        init(_ name: String, _ code: FailureCode, _ frames: WireFrame...) {
            testDescription = name
            self.code = code
            self.frames = frames
        }
    }

    private static func request(_ expanded: UInt32, _ runs: [UInt8], flags: UInt8 = 8) -> WireFrame {
        WireFrame(WireFrame.Kind.request, stream: 1, flags: flags, lane: 2, WireFrame.u32(expanded) + WireFrame.requestBody("m", runs))
    }

    static let lies = [
        Lie("more than the limit", .tooLarge, request(1 << 20 + 1, [255, 1])),
        Lie("four gigabytes", .tooLarge, request(.max, [255, 1])),
        Lie("less than announced", .protocolViolation, request(300, [255, 1])),
        Lie("more than announced", .protocolViolation, request(200, [255, 1, 255, 1])),
        Lie("bytes that no compressor made", .protocolViolation, request(300, [255, 1, 7])),
        Lie("nothing saved", .protocolViolation, request(19, [6, 1])),
        Lie("no room for the length", .protocolViolation, WireFrame(WireFrame.Kind.request, stream: 1, flags: 8, lane: 2, [1, 2, 3])),
        Lie("no room for it in the first chunk", .protocolViolation, WireFrame(WireFrame.Kind.request, stream: 1, flags: 9, lane: 2, WireFrame.u32(100) + [1, 2, 3])),
        Lie("shorter than its head", .protocolViolation, WireFrame(WireFrame.Kind.request, stream: 1, flags: 8, lane: 2, WireFrame.u32(300) + WireFrame.u64(.max))),
        Lie(
            "a head longer than the whole", .protocolViolation,
            WireFrame(WireFrame.Kind.request, stream: 1, flags: 8, lane: 2, WireFrame.u32(40) + WireFrame.u64(.max) + [200, 0, 0, 0])),
        Lie("an event without its head", .protocolViolation, WireFrame(WireFrame.Kind.event, flags: 8, lane: 2, WireFrame.u32(300) + [0])),
        Lie("a compressed failure", .protocolViolation, WireFrame(WireFrame.Kind.failure, stream: 2, flags: 8, lane: 2, WireFrame.u32(300) + [255, 1])),
        Lie("a compressed ping", .protocolViolation, WireFrame(WireFrame.Kind.ping, flags: 8, WireFrame.u64(1))),
    ]

    @Test(arguments: lies) func `a lie about compression closes the connection`(lie: Lie) {
        var service = MachineEnd.openService(hello: offering, wanting)
        for frame in lie.frames { service.receive(frame) }
        #expect(service.requests == [])
        expectRefusal(&service, lie.code)
    }

    @Test func `the flag is a violation where compression is not in force`() {
        var service = MachineEnd.openService(wanting)
        service.receive(Self.request(300, [255, 1, 26, 1]))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `compressed messages obey the decoder law`() {
        let message = WireFrame.u32(13 + 2550) + WireFrame.requestBody("m", (0..<10).flatMap { [255, UInt8($0)] })
        let frames =
            [WireFrame(WireFrame.Kind.request, stream: 1, flags: 8, lane: 2, message)]
            + WireFrame.chunks(WireFrame.Kind.request, stream: 3, flags: 8, first: 7, rest: 6, message)
        let input = offering.asHello + frames.flatMap(\.encoded)
        #expect(verifyDecoder(input) { NativeSession(role: .service, configuration(wanting)) } == nil)
        var service = MachineEnd.openService(hello: offering, wanting)
        for frame in frames { service.receive(frame) }
        #expect(service.requests.map(\.payload.count) == [2550, 2550])
    }
}
