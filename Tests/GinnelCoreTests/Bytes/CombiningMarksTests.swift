// Texts that take very long to hash: who may be sent them refuses them, and does so quickly. Without that they take from half a minute up.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite(.timeLimit(.minutes(5))) struct CombiningMarksTests {
    private static let marks: [Unicode.Scalar] = ["\u{301}", "\u{316}"]

    /// So many combining marks of two classes in turn.
    static func marks(_ count: Int) -> String { String(String.UnicodeScalarView((0..<count).map { marks[$0 % 2] })) }

    /// About as many as fit into a message.
    static let many = marks(500_000)

    @Test func `256 marks in a row are a text like any other, and one more is too much`() {
        #expect(!("a" + Self.marks(256)).hasTooManyMarks)
        #expect(("a" + Self.marks(257)).hasTooManyMarks)
        #expect(!String(repeating: "a" + Self.marks(256), count: 100).hasTooManyMarks)
        #expect((String(repeating: "a" + Self.marks(256), count: 100) + "\u{316}").hasTooManyMarks)
        // Three letters of Tibetan are no marks by their class, and stand for two each.
        for letter in ["\u{F73}", "\u{F75}", "\u{F81}"] { #expect(String(repeating: letter, count: 257).hasTooManyMarks) }
        for text in ["", "é"] + ["각", "\u{1100}", "क्"].map({ String(repeating: $0, count: 1000) }) { #expect(!text.hasTooManyMarks) }
        #expect(Self.many.hasTooManyMarks)
    }

    private static func hasUnsafeTexts(_ bytes: [UInt8]) -> Bool { JSON.hasUnsafeTexts(bytes.span.bytes) }

    private static let escaped = (0..<300).map { $0 % 2 == 0 ? #"\u0301"# : #"\u0316"# }.joined()

    @Test(arguments: [
        (#"{"a\#(marks(256))":"a\#(marks(256))"}"#, false), (#"{"a\#(marks(257))":1}"#, true), (#"{"\#(escaped)":1}"#, true), (#"{"a":"\#(marks(257))"}"#, true),
        (#"[{"a":{"\#(marks(257))" :1}}]"#, true), (#"{"\"\\":"\#(marks(256))","b":1}"#, false), (#"{"\"\\\#(marks(257))":1}"#, true), (#"["é","\#(escaped)"]"#, true),
        (#"["\#(marks(200))","\#(marks(200))"]"#, false), (#"["\#(marks(200))\n\#(marks(200))"]"#, false),
    ])
    func `a text with too many marks in a row is none`(json: String, isUnsafe: Bool) {
        let bytes = Array(json.utf8)
        #expect(Self.hasUnsafeTexts(bytes) == isUnsafe)
        do throws(JSONError) {
            try JSON.validate(bytes)
            #expect(!isUnsafe)
        } catch {
            #expect(isUnsafe && error.fault == .tooManyMarks)
        }
    }

    @Test func `what is cut off or in another encoding is looked through all the same`() {
        for json in ["", "\"", "\"é", "\"é\\", "{\"é\"", "é:\"", "\\"] { #expect(!Self.hasUnsafeTexts(Array(json.utf8))) }
        #expect(Self.hasUnsafeTexts(Array("\"\(Self.marks(257))".utf8)))
        let wide = "{\"\(Self.marks(257))\":1}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        #expect(Self.hasUnsafeTexts(wide))
        #expect(Self.hasUnsafeTexts(Array("{\"\(Self.many)\":1}".utf8)))
    }

    @Test func `a string of protobuf with too many marks in a row is refused by name, the key of a map too`() throws {
        var every = EveryField()
        every.counts = [Self.marks(256): 1]
        #expect(try EveryField(serializedBytes: every.serializedBytes()).counts == every.counts)
        for (number, path) in [(14, [14]), (25, [25, 1])] {
            var writer = ProtobufWriter()
            if number == 14 { writer.putAlways(.string, 14, Self.many) } else { writer.putDelimited(25) { $0.putAlways(.string, 1, Self.many) } }
            do throws(ProtobufError) {
                _ = try EveryField(serializedBytes: writer.bytes)
                #expect(Bool(false), "it was read")
            } catch {
                #expect(error.kind == .tooManyMarks && error.path == path)
            }
        }
    }

    @Test func `an acknowledgement of an id that is none of ours is ignored, however long it is`() {
        var client = MachineEnd.envelope(.client)
        let call = client.callEnvelope("BACKUP_STARTED")
        client.hearAcknowledgment(of: String(repeating: "x" + Self.marks(256), count: 100))
        #expect(!call.hasEnded && client.closed == nil)
        client.hearAcknowledgment(of: ours(1), #""success":false,"error":"\#(Self.marks(256))""#)
        #expect(call.failure?.code == .envelopeError)
        client.hearAcknowledgment(of: Self.many)
        #expect(client.closed?.failure.code == .protocolViolation)
    }

    @Test func `of a type of tagged JSON that no method can have only the beginning is looked up`() {
        var configuration = TaggedJSONConfiguration()
        configuration.maximumMessage = 2 << 20
        var service = MachineEnd(OrderedSession(role: .service, configuration))
        service.start()
        let text = Array(#"{"type":"\#(String(repeating: "é", count: 500_000))"}"#.utf8)
        service.receive(UInt32(text.count).littleEndianBytes + text)
        let method = service.requests.first?.method
        // A character that was cut is replaced.
        #expect(method?.utf8.count == 254 + 3 + 3 && method?.hasSuffix("…") == true)
        service.submit(.fail(call: 1, Failure(.unknownMethod, "no")))
        #expect(service.closed == nil)
        let long = Array(#"{"type":"\#(String(repeating: "x", count: 255))"}"#.utf8)
        service.receive(UInt32(long.count).littleEndianBytes + long)
        #expect(service.requests.last?.method == String(repeating: "x", count: 255))
    }

    @Test func `what is written in sentences is what readers take, whatever peers have said`() {
        for text in ["a" + Self.marks(256) + Self.marks(256) + "b", Self.many, String(repeating: "\u{F73}", count: 300)] {
            let written = JSON.quoted(text)
            #expect(Self.hasUnsafeTexts(Array("\"\(text)\"".utf8)) && !Self.hasUnsafeTexts(written))
            #expect(written.last == UInt8(ascii: "\"") && written.count > 3)
        }
        #expect(JSON.quoted("a" + Self.marks(100) + "b") == Array(("\"a" + Self.marks(100) + "b\"").utf8))
    }
}
