// What a peer can do wrong. Each has one reason on our side, and nothing on the wire.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeBadInputTests {
    struct Bad: CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        var code = FailureCode.protocolViolation
        let words: String
        var testDescription: String { name }

        init(_ name: String, _ bytes: [UInt8], _ code: FailureCode = .protocolViolation, _ words: String) {
            (self.name, self.bytes, self.code, self.words) = (name, bytes, code, words)
        }
        init(_ name: String, _ json: String, _ words: String) { self.init(name, enveloped(json), .protocolViolation, words) }
    }

    static let all: [Bad] = [
        Bad("a length of zero", [0, 0, 0, 0], .protocolViolation, "a message length of 0"),
        Bad("a negative length", [0xFF, 0xFF, 0xFF, 0xFF], .protocolViolation, "a message length of -1"),
        Bad("the least length of all", [0, 0, 0, 0x80], .protocolViolation, "a message length of -2147483648"),
        Bad("a length over the limit", [1, 0, 0x10, 0], .frameTooLarge, "a message of 1048577 bytes, over the limit of 1048576 (maximumMessage)"),
        Bad("no JSON", "hello", "something else than a value"),
        Bad("null", "null", "something else than an object"),
        Bad("an array", "[]", "something else than an object"),
        Bad("nothing but space", " ", "the text ends"),
        Bad("two objects", #"{"type":"X"}{"type":"X"}"#, "more after the end"),
        Bad("a text that is cut", #"{"type":"X""#, "the text ends"),
        Bad("a byte order mark", enveloped([0xEF, 0xBB, 0xBF] + Array(#"{"type":"X"}"#.utf8)), .protocolViolation, "a byte order mark"),
        Bad("UTF-8 that is none", enveloped(Array(#"{"type":"X","payload":""#.utf8) + [0xFF] + Array(#""}"#.utf8)), .protocolViolation, "invalid UTF-8"),
        Bad("half a surrogate pair", #"{"type":"X","payload":"\uD800"}"#, "half of a surrogate pair"),
        Bad("a key twice", #"{"type":"X","type":"Y"}"#, "a key that the object already has"),
        Bad("a key twice, once escaped", #"{"type":"X","t\u0079pe":"Y"}"#, "a key that the object already has"),
        Bad("a key twice in the payload", #"{"type":"X","payload":{"a":1,"a":2}}"#, "a key that the object already has"),
        Bad("nesting of 65", #"{"type":"X","payload":\#(String(repeating: "[", count: 64))\#(String(repeating: "]", count: 64))}"#, "nested more than 64 deep"),
        Bad("an integer that no 64 bits hold", #"{"type":"X","payload":18446744073709551616}"#, "an integer outside"),
        Bad("a number that no double holds", #"{"type":"X","payload":1e309}"#, "beyond the range of a double"),
        Bad("a number with a leading zero", #"{"type":"X","payload":01}"#, "a leading zero"),
        Bad("no type", #"{"id":"1"}"#, "without a type"),
        Bad("a type that is null", #"{"id":"1","type":null}"#, "without a type"),
        Bad("a type in other letters", #"{"id":"1","Type":"X"}"#, "without a type"),
        Bad("an empty type", #"{"id":"1","type":""}"#, "without a type"),
        Bad("a type that is a number", #"{"id":"1","type":7}"#, "whose type is no string"),
        Bad("an id that is a number", #"{"id":1,"type":"X"}"#, "whose id is no string"),
        Bad("a timestamp that is a number", #"{"id":"1","type":"X","timestamp":1704110400}"#, "whose timestamp is no string"),
        Bad("an id without end", #"{"id":"\#(String(repeating: "x", count: 1025))","type":"X"}"#, "whose id has 1025 bytes"),
        Bad("a type without end", #"{"type":"\#(String(repeating: "x", count: 256))"}"#, "whose type has 256 bytes"),
        Bad("an acknowledgement without a payload", #"{"type":"ACKNOWLEDGMENT"}"#, "whose payload is no object"),
        Bad("an acknowledgement of nothing", #"{"type":"ACKNOWLEDGMENT","payload":{"success":true}}"#, "without a string `originalMessageId`"),
        Bad("an acknowledgement of a number", #"{"type":"ACKNOWLEDGMENT","payload":{"originalMessageId":1,"success":true}}"#, "without a string `originalMessageId`"),
        Bad("a success that is a text", #"{"type":"ACKNOWLEDGMENT","payload":{"originalMessageId":"1","success":"true"}}"#, "whose `success` is no boolean"),
        Bad("an error that is an object", #"{"type":"ACKNOWLEDGMENT","payload":{"originalMessageId":"1","success":false,"error":{}}}"#, "whose `error` is no string"),
    ]

    @Test(arguments: all, [Role.client, .service]) func `a violation closes in silence, and its reason is named`(bad: Bad, role: Role) {
        var end = MachineEnd.envelope(role)
        let call = end.callEnvelope("X")
        _ = end.takeAll()
        end.receive(bad.bytes)
        #expect(end.closed?.by == .us)
        #expect(end.closed?.failure.code == bad.code)
        #expect(end.closed?.failure.sentence.contains(bad.words) == true, "\(end.closed?.failure.sentence ?? "open")")
        #expect(end.takeAll() == [])
        #expect(call.failure?.code == .connectionLost)
        #expect(end.envelopeLeftovers == nil)
    }

    @Test func `what comes before a violation is still dealt with, and nothing after it`() {
        var service = MachineEnd.envelope(.service)
        service.receive(enveloped(#"{"id":"1","type":"X"}"#) + [0, 0, 0, 0] + enveloped(#"{"id":"2","type":"X"}"#))
        #expect(service.requests.count == 1)
        #expect(service.closed != nil)
        service.answer(envelope: 1)
        #expect(service.takeAll() == [])
    }

    @Test func `the longest message is taken`() {
        let (head, tail) = (#"{"type":"X","payload":""#, #""}"#)
        let text = head + String(repeating: "x", count: (1 << 20) - head.utf8.count - tail.utf8.count) + tail
        var service = MachineEnd.envelope(.service)
        service.hear(text)
        #expect(service.requests.count == 1)
        #expect(service.closed == nil)
    }

    @Test func `the end in the middle of a message is not the end between two`() {
        for (bytes, expected) in [
            ([], "closed by the peer, finished"), ([70, 0], "connection lost, connectionLost"), (Array(enveloped("{}").prefix(5)), "connection lost, connectionLost"),
        ] {
            var end = MachineEnd.envelope(.service)
            end.receive(bytes)
            end.inputEnded()
            #expect(end.actions.closing?.hasPrefix(expected) == true, "\(end.actions)")
        }
    }

    @Test func `a message that does not go on is given up`() {
        var service = MachineEnd.envelope(.service)
        service.receive([70, 0, 0, 0, 0x7B])
        service.pass(.seconds(30))
        #expect(service.closed?.failure.code == .readTimeout)
    }

    @Test func `bytes at random trap nothing`() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<2000 {
            for role in [Role.client, .service] {
                var end = MachineEnd.envelope(role)
                end.callEnvelope("AGENT_STARTED")
                var bytes = enveloped(#"{"id":"1","type":"ACKNOWLEDGMENT","timestamp":"2024-01-01T12:00:00Z","payload":{"originalMessageId":"\#(ours(1))","success":true}}"#)
                for _ in 0..<random.number(in: 1...3) { bytes[random.number(in: 0...bytes.count - 1)] = UInt8(random.number(in: 0...255)) }
                end.receive(bytes)
                end.inputEnded()
                #expect(end.closed != nil)
            }
        }
    }
}
