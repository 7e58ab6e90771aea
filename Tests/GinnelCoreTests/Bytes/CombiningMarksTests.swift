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

    @Test func `thirty marks in a row are a text like any other, and one more is too much`() {
        #expect(!("a" + Self.marks(30)).hasTooManyMarks)
        #expect(("a" + Self.marks(31)).hasTooManyMarks)
        #expect(!String(repeating: "a" + Self.marks(30), count: 1000).hasTooManyMarks)
        #expect((String(repeating: "a" + Self.marks(30), count: 1000) + "\u{316}").hasTooManyMarks)
        // Three letters of Tibetan are no marks by their class, and stand for two each.
        for letter in ["\u{F73}", "\u{F75}", "\u{F81}"] { #expect(String(repeating: letter, count: 31).hasTooManyMarks) }
        for text in ["", "é"] + ["각", "\u{1100}", "क्"].map({ String(repeating: $0, count: 1000) }) { #expect(!text.hasTooManyMarks) }
        #expect(Self.many.hasTooManyMarks)
    }

    private static func hasUnsafeKeys(_ bytes: [UInt8]) -> Bool { JSON.hasUnsafeKeys(bytes.span.bytes) }

    private static let escaped = (0..<40).map { $0 % 2 == 0 ? #"\u0301"# : #"\u0316"# }.joined()

    @Test(arguments: [
        (#"{"a\#(marks(30))":1}"#, false), (#"{"a\#(marks(31))":1}"#, true), (#"{"\#(escaped)":1}"#, true), (#"{"a":"\#(marks(31))"}"#, false),
        (#"[{"a":{"\#(marks(31))" :1}}]"#, true), (#"{"\"\\":"\#(marks(31))","b":1}"#, false), (#"{"\"\\\#(marks(31))":1}"#, true), (#"{"é":"\#(escaped)"}"#, false),
    ])
    func `a key with too many marks in a row is no key, and a value may be any text`(json: String, isUnsafe: Bool) {
        let bytes = Array(json.utf8)
        #expect(Self.hasUnsafeKeys(bytes) == isUnsafe)
        do throws(JSONError) {
            try JSON.validate(bytes)
            #expect(!isUnsafe)
        } catch {
            #expect(isUnsafe && error.fault == .tooManyMarks)
        }
    }

    @Test func `a text that is cut off or in another encoding is looked through all the same`() {
        for json in ["", "\"", "\"é", "\"é\\", "{\"é\"", "é:\"", "\\"] { #expect(!Self.hasUnsafeKeys(Array(json.utf8))) }
        let wide = "{\"\(Self.marks(31))\":1}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        #expect(Self.hasUnsafeKeys(wide))
        #expect(Self.hasUnsafeKeys(Array("{\"\(Self.many)\":1}".utf8)))
    }

    @Test func `a map's key with too many marks in a row is refused by name`() throws {
        var every = EveryField()
        every.counts = [Self.marks(30): 1]
        #expect(try EveryField(serializedBytes: every.serializedBytes()).counts == every.counts)
        var writer = ProtobufWriter()
        writer.putDelimited(25) { $0.putAlways(.string, 1, Self.many) }
        do throws(ProtobufError) {
            _ = try EveryField(serializedBytes: writer.bytes)
            #expect(Bool(false), "it was read")
        } catch {
            #expect(error.kind == .tooManyMarks && error.path == [25, 1])
        }
    }

    @Test func `an acknowledgement of an id that is none of ours is ignored, however long it is, and a sentence may be any text`() {
        // Four times as many, for which time alone would tell: looked up or compared, they would take longer than this suite may.
        let text = String(repeating: Self.many, count: 4)
        var client = MachineEnd.envelope(.client) { $0.maximumMessage = 8 << 20 }
        let call = client.callEnvelope("BACKUP_STARTED")
        client.hearAcknowledgment(of: text)
        #expect(!call.hasEnded && client.closed == nil)
        client.hearAcknowledgment(of: ours(1), #""success":false,"error":"\#(text)""#)
        #expect(call.failure?.code == .envelopeError)
    }

    @Test func `of a type of tagged JSON that no method can have only the beginning is looked up`() {
        var configuration = TaggedJSONConfiguration()
        configuration.maximumMessage = 2 << 20
        var service = MachineEnd(OrderedSession(role: .service, configuration))
        service.start()
        let text = Array(#"{"type":"\#(Self.many)"}"#.utf8)
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
}
