// Peers that have shaken hands and then break the rules: GOODBYE with the code, and the same code in our log.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ViolationTests {
    typealias Kind = WireFrame.Kind

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let code: FailureCode

        init(_ name: String, _ code: FailureCode, _ frames: WireFrame...) {
            testDescription = name
            bytes = frames.flatMap(\.encoded)
            self.code = code
        }

        init(_ name: String, _ code: FailureCode, bytes: [UInt8]) {
            testDescription = name
            self.bytes = bytes
            self.code = code
        }
    }

    private static func altered(_ frame: WireFrame, _ body: (inout WireFrame) -> Void) -> WireFrame {
        var frame = frame
        body(&frame)
        return frame
    }

    private static let more = WireFrame.more, continued = WireFrame.continued, itemsFollow = WireFrame.itemsFollow

    static let cases: [Case] = [
        Case(
            "a frame over the limit, of which only the header was sent", .frameTooLarge,
            bytes: WireFrame(Kind.request, stream: 1, lane: 2, [UInt8](repeating: 0, count: 65_537)).header),
        Case("a length of four billion", .frameTooLarge, bytes: [0xFF, 0xFF, 0xFF, 0xFF] + WireFrame(Kind.request, stream: 1, lane: 2).header[4...]),
        Case("a message that announces more than is allowed", .tooLarge, WireFrame(Kind.request, stream: 1, flags: more, lane: 2, WireFrame.u32(1 << 30) + [0])),
        Case(
            "chunks that are longer than was announced", .protocolViolation,
            WireFrame(Kind.request, stream: 1, flags: more, lane: 2, WireFrame.u32(20) + [UInt8](repeating: 0, count: 10)),
            WireFrame(Kind.request, stream: 1, flags: continued, lane: 2, [UInt8](repeating: 0, count: 11))),
        Case(
            "chunks that are shorter than was announced", .protocolViolation,
            WireFrame(Kind.request, stream: 1, flags: more, lane: 2, WireFrame.u32(20) + [UInt8](repeating: 0, count: 10)),
            WireFrame(Kind.request, stream: 1, flags: continued, lane: 2, [UInt8](repeating: 0, count: 9))),
        Case(
            "an empty chunk in the middle", .protocolViolation,
            WireFrame(Kind.request, stream: 1, flags: more, lane: 2, WireFrame.u32(20) + [1]),
            WireFrame(Kind.request, stream: 1, flags: more | continued, lane: 2)),
        Case("a continued chunk of nothing", .protocolViolation, WireFrame(Kind.event, flags: continued, lane: 2, [1])),
        Case(
            "a message in the middle of another", .protocolViolation,
            WireFrame(Kind.event, flags: more, lane: 2, WireFrame.u32(20) + [1]), WireFrame(Kind.event, lane: 2, WireFrame.eventBody("tick"))),
        Case("a control frame in chunks", .protocolViolation, WireFrame(Kind.ping, flags: more, [UInt8](repeating: 0, count: 8))),
        Case("kind 0", .protocolViolation, WireFrame(0)),
        Case("an unknown kind", .protocolViolation, WireFrame(99)),
        Case("a kind that is reserved for delivery", .protocolViolation, WireFrame(8)),
        Case("a kind that is reserved for shared memory", .protocolViolation, WireFrame(16)),
        Case("a kind that is reserved for descriptors", .protocolViolation, WireFrame(17)),
        Case("a second HELLO", .protocolViolation, RawHello().frame()),
        Case("a REJECT", .protocolViolation, WireFrame(Kind.reject, WireFrame.failureBody(103))),
        Case("descriptors that did not come", .protocolViolation, altered(.request(1, "echo")) { $0.handles = 1 }),
        Case("a reserved flag", .protocolViolation, altered(.request(1, "echo")) { $0.flags |= 8 }),
        Case("an unknown lane", .protocolViolation, altered(.request(1, "echo")) { $0.lane = 4 }),
        Case("a request on the connection's stream", .protocolViolation, WireFrame.request(0, "echo")),
        Case("a request on a stream that is ours to give out", .protocolViolation, WireFrame.request(2, "echo")),
        Case("a request on a stream that is in flight", .protocolViolation, WireFrame.request(1, "hold"), WireFrame.request(1, "hold")),
        Case("a ping on a stream", .protocolViolation, WireFrame(Kind.ping, stream: 1, [UInt8](repeating: 0, count: 8))),
        Case("a request shorter than its head", .protocolViolation, WireFrame(Kind.request, stream: 1, lane: 2, [1, 2, 3])),
        Case(
            "a method name that claims more than there is", .protocolViolation,
            WireFrame(Kind.request, stream: 1, lane: 2, WireFrame.u64(.max) + WireFrame.u16(200) + WireFrame.u16(0))),
        Case("a method name of no bytes", .protocolViolation, WireFrame.request(1, "")),
        Case(
            "fields that claim more than there is", .protocolViolation,
            WireFrame(Kind.request, stream: 1, lane: 2, WireFrame.u64(.max) + WireFrame.u16(1) + WireFrame.u16(4000) + [65])),
        Case("an event shorter than its head", .protocolViolation, WireFrame(Kind.event, lane: 2, [0])),
        Case("a ping of seven bytes", .protocolViolation, WireFrame(Kind.ping, [UInt8](repeating: 0, count: 7))),
        Case("a cancel of no bytes", .protocolViolation, WireFrame(Kind.cancel, stream: 1)),
        Case("a credit of five bytes", .protocolViolation, WireFrame(Kind.credit, [1, 2, 3, 4, 5])),
        Case("a goodbye that lies about its sentence", .protocolViolation, WireFrame(Kind.goodbye, WireFrame.u32(114) + WireFrame.u16(500))),
        Case("credit for requests beyond all bounds", .flowControl, WireFrame(Kind.credit, WireFrame.u32(.max))),
        Case("credit for items beyond all bounds", .flowControl, WireFrame.request(1, "hold"), WireFrame(Kind.credit, stream: 1, WireFrame.u32(.max))),
        Case(
            "an item after the end", .protocolViolation,
            WireFrame.request(1, "hold", flags: itemsFollow), WireFrame(Kind.end, stream: 1, lane: 2), WireFrame(Kind.item, stream: 1, lane: 2, [1])),
        Case("an item of a call that said it would send none", .protocolViolation, WireFrame.request(1, "hold"), WireFrame(Kind.item, stream: 1, lane: 2, [1])),
        Case(
            "a second end", .protocolViolation,
            WireFrame.request(1, "hold", flags: itemsFollow), WireFrame(Kind.end, stream: 1, lane: 2), WireFrame(Kind.end, stream: 1, lane: 2)),
        Case(
            "items beyond what was granted", .flowControl,
            bytes:
                WireFrame.request(1, "hold", flags: itemsFollow).encoded
                + (0..<3).flatMap { _ in WireFrame(Kind.item, stream: 1, lane: 2, [UInt8](repeating: 0, count: 50)).encoded }),
        Case("more calls than are served at once", .flowControl, bytes: (0..<5).flatMap { WireFrame.request(UInt32(1 + 2 * $0), "hold").encoded }),
        Case(
            "more bytes of requests than are held", .flowControl,
            bytes: (0..<4).flatMap {
                WireFrame(Kind.request, stream: UInt32(1 + 2 * $0), flags: more, lane: 2, WireFrame.u32(900) + [0]).encoded
            }),
    ]

    @Test(arguments: cases) func `a violation is answered with its code and costs nobody else anything`(violation: Case) async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.limits.announced.maximumMessage = 1024
        configuration.limits.announced.requestWindow = 2048
        configuration.limits.announced.callsInFlight = 4
        configuration.limits.announced.itemWindow = 100
        let cancelled = Recorded<Void>()
        try await withNeighbour(configuration) {
            $0.handle("hold") { _, _ async throws -> [UInt8] in
                await DeadlineTests.waitForCancellation()
                cancelled.signal()
                return []
            }
        } _: { running, neighbour in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(violation.bytes)
            try await peer.expectGoodbye(violation.code)
            try await running.log.entry(ended(violation.code))
            try await neighbour.check()
        }
    }

    @Test func `what concerns calls that are over is dropped, and extensions are skipped`() async throws {
        try await withNeighbour { running, _ in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(
                WireFrame(Kind.item, stream: 77, lane: 2, [1]), WireFrame(Kind.end, stream: 77, lane: 2), WireFrame(Kind.cancel, stream: 77, WireFrame.u32(1)),
                WireFrame(Kind.credit, stream: 77, WireFrame.u32(5)), WireFrame(Kind.response, stream: 78, lane: 2, [1]),
                WireFrame(Kind.failure, stream: 80, lane: 2, WireFrame.failureBody(1)), WireFrame(Kind.credit, stream: 82, WireFrame.u32(5)),
                WireFrame(Kind.pong, [UInt8](repeating: 9, count: 8)), WireFrame(128, [1, 2, 3]), WireFrame(255, stream: 5, [1]))
            let answer = try await peer.call("echo", [4], stream: 1)
            #expect(answer?.kind == Kind.response && answer?.payload == [4])
        }
    }

    @Test func `an unknown method and JSON that does not decode fail the call, and the connection stays`() async throws {
        try await withNeighbour { running, _ in
            let peer = try await RawPeer.greeted(at: running.path)
            let unknown = try await peer.call("nonesuch", stream: 1)
            #expect(unknown?.kind == Kind.failure && unknown?.failureCode == FailureCode.unknownMethod.rawValue)
            for (stream, text) in [(UInt32(3), "{"), (5, "[]"), (7, #"{"left":"x","right":1}"#), (9, "\u{FF}"), (11, "")] {
                try await peer.send(.request(stream, "add", Array(text.utf8), codec: .json))
                let failure = try await peer.frame()
                #expect(failure?.stream == stream && failure?.failureCode == FailureCode.invalidRequest.rawValue)
            }
            try await peer.send(.request(13, "add", [1], codec: Codec(rawValue: 9)))
            #expect(try await peer.frame()?.failureCode == FailureCode.unsupportedCodec.rawValue)
            let notText = WireFrame(Kind.request, stream: 15, lane: 2, WireFrame.u64(.max) + WireFrame.u16(2) + WireFrame.u16(0) + [0xFF, 0xFE])
            try await peer.send(notText)
            #expect(try await peer.frame()?.failureCode == FailureCode.invalidRequest.rawValue)
            let answer = try await peer.call("echo", [4], stream: 17)
            #expect(answer?.payload == [4])
        }
    }

    /// What a recorder client may say wrong, and what our log calls it; the client reads nothing.
    static let recorderCases: [(String, [UInt8], FailureCode)] = [
        ("a length over the limit", WireFrame.u32(65_537), .frameTooLarge),
        ("no JSON", WireFrame.u32(3) + [1, 2, 3], .protocolViolation),
        ("no object", WireFrame.u32(2) + Array("[]".utf8), .protocolViolation),
        ("a message of no bytes", WireFrame.u32(0), .protocolViolation),
        ("an object without a type", WireFrame.u32(2) + Array("{}".utf8), .protocolViolation),
        ("a key twice", WireFrame.u32(21) + Array(#"{"type":"a","type":1}"#.utf8), .protocolViolation),
    ]

    @Test(arguments: recorderCases) func `bad input in the recorder format ends the connection in silence`(name: String, bytes: [UInt8], code: FailureCode) async throws {
        try await withRunning(format: .taggedJSON()) { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(bytes)
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry(ended(code))
        }
    }
}
