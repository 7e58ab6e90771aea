// What JSON leaves open, and what this format answers, for requests and replies alike (docs/formats/tagged-json.md).

import GinnelCore
import Testing

@Suite struct TaggedJSONOpenQuestionTests {
    /// `X` stands for the value of a member.
    private static func object(_ value: String) -> [UInt8] { Array(#"{"type":"ping","x":\#(value)}"#.utf8) }
    private static func nested(_ levels: Int) -> [UInt8] { object(String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1)) }
    private static func string(_ bytes: [UInt8]) -> [UInt8] { Array(#"{"type":"ping","x":""#.utf8) + bytes + Array(#""}"#.utf8) }

    static let refused: [(String, [UInt8])] = [
        ("a key twice", Array(#"{"type":"ping","type":"ping"}"#.utf8)),
        ("a key twice, once escaped", Array(#"{"type":"ping","a":1,"\u0061":1}"#.utf8)),
        ("a key twice further down", object(#"[{"a":1,"a":1}]"#)),
        ("65 levels", nested(65)),
        ("30,000 levels", nested(30_000)),
        ("2^64", object("18446744073709551616")),
        ("below -2^63", object("-9223372036854775809")),
        ("a number over every double", object("1e309")),
        ("a number that is none", object("NaN")),
        ("a leading zero", object("01")),
        ("a plus sign", object("+1")),
        ("half a number", object("1.")),
        ("a byte that is no UTF-8", string([0xFF])),
        ("an overlong character", string([0xC0, 0x80])),
        ("a surrogate in UTF-8", string([0xED, 0xA0, 0x80])),
        ("a character cut short", string([0xE2, 0x82])),
        ("a lone surrogate, escaped", string(Array(#"\ud800"#.utf8))),
        ("a control character", string([0x0A])),
        ("a NUL", string([0])),
        ("an escape that is none", string(Array(#"\x41"#.utf8))),
        ("single quotes", Array("{'type':'ping'}".utf8)),
        ("a comma too many", Array(#"{"type":"ping",}"#.utf8)),
        ("a comment", Array(#"{"type":"ping"} // end"#.utf8)),
        ("a byte order mark", [0xEF, 0xBB, 0xBF] + Array(#"{"type":"ping"}"#.utf8)),
        ("two objects", Array(#"{"type":"ping"}{"type":"ping"}"#.utf8)),
        ("UTF-16", Array(#"{"type":"ping"}"#.utf16).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }),
    ]

    static let taken: [[UInt8]] = [
        nested(64), object("18446744073709551615"), object("-9223372036854775808"), object("1.7976931348623157e308"), object("1e-400"), object("-0"),
        string(Array(#"\ud83d\ude00\u0000"#.utf8)), string(Array("é😀\u{10FFFF}".utf8)), Array(" {\r\n\t\"type\" : \"p\\u0069ng\" } \n".utf8),
        Array(#"{"x":{"type":"pong"},"type":"ping","":null}"#.utf8),
    ]

    private static func framed(_ text: [UInt8]) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: text.count >> ($0 * 8)) } + text }

    @Test(arguments: refused) func `a service ends the connection, without a word`(name: String, text: [UInt8]) {
        var side = TaggedJSONSide(.service)
        _ = side.taken()
        side.receive(Self.framed(text))
        let log = side.taken()
        #expect(log.count == 1 && log[0].hasPrefix("closed by this side, protocolViolation: a message of \(text.count) bytes"), "\(log)")
        #expect(side.output() == [])
    }

    @Test(arguments: refused) func `a client ends the connection, and its caller knows`(name: String, text: [UInt8]) {
        var side = TaggedJSONSide(.client)
        side.call(TaggedJSONSide.Caller("A"), #"{"type":"ping"}"#)
        _ = (side.output(), side.taken())
        side.receive(Self.framed(text))
        let log = side.taken()
        #expect(log.count == 2 && log[0].hasPrefix("failed A connectionLost: closed by this side, protocolViolation"), "\(log)")
    }

    @Test(arguments: refused) func `neither sends such a text, and the connection is none the worse for it`(name: String, text: [UInt8]) {
        var client = TaggedJSONSide(.client)
        _ = client.taken()
        client.submit(.call(TaggedJSONSide.Caller("A"), OutgoingRequest(method: "m", codec: .json, payload: text)))
        #expect(client.taken().first?.hasPrefix("failed A invalidRequest: a request of m was not sent") == true)
        #expect(client.output() == [])
        client.call(TaggedJSONSide.Caller("B"), #"{"type":"ping"}"#)
        #expect(client.output() == taggedFrame(#"{"type":"ping"}"#))
    }

    @Test(arguments: taken) func `what is just inside is taken`(text: [UInt8]) {
        var service = TaggedJSONSide(.service)
        _ = service.taken()
        service.receive(Self.framed(text))
        #expect(service.taken().first?.hasPrefix("request ping ") == true)
        var client = TaggedJSONSide(.client)
        client.call(TaggedJSONSide.Caller("A"), #"{"type":"ping"}"#)
        _ = (client.output(), client.taken())
        client.receive(Self.framed(text))
        #expect(client.taken().first?.hasPrefix("replied A ") == true)
    }
}
