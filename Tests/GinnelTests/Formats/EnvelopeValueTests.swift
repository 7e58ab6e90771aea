// Members of any type in messages of the envelope format.

import Ginnel
import GinnelTesting
import Testing

@Suite struct EnvelopeValueTests {
    /// As programs may have them in types of their own.
    private struct Decoded: Message {
        var details: Envelope.Value?
    }

    private static func read<Payload: Message>(_ json: String, as type: Payload.Type = Payload.self) throws -> Payload { try Payload(decoding: Array(json.utf8).span.bytes) }

    @Test func `a member of any type is read as what it is, as a decoder would`() throws {
        let json = #"""
            {"details" : { "a" : [ ] , "b" : { } , "c" : [ null , true,false, 1 , -1 , 1.0,2.5,1e2,-0, 1e300, 18446744073709551615 ,9223372036854775807,"", "x\u00e9\n\"\\",[[{"d":[[]]}]]],
              "e\u0301\\" : "[{:,}]" , "f" : {"g":{"h":null},"i" : "j"} } }
            """#
        let details = try Self.read(json, as: Envelope.UserAction.self).details
        let decoded = try Self.read(json, as: Decoded.self)
        #expect(Envelope.Value.object(details) == decoded.details)
        let expected: [Envelope.Value] = [
            .null, .boolean(true), .boolean(false), .integer(1), .integer(-1), .integer(1), .number(2.5), .integer(100), .integer(0), .number(1e300),
            .number(0x1p64), .integer(.max), .string(""), .string("xé\n\"\\"), .array([.array([.object(["d": .array([.array([])])])])]),
        ]
        #expect(details["c"] == .array(expected))
    }

    @Test func `what is no such message is refused, and what is left out has its default`() throws {
        for wrong in [#"{"details":[]}"#, #"{"details":"x"}"#, #"{"action":1}"#, "[]", "", #"{"details":{"a":1,"a":2}}"#, #"{"details":{"a":}}"#] {
            #expect(throws: (any Error).self) { try Self.read(wrong, as: Envelope.UserAction.self) }
        }
        #expect(try Self.read(#"{"context":null,"stackTrace":"s"}"#) == Envelope.ErrorReport(userId: "", errorCode: "", stackTrace: "s"))
        #expect(try Self.read("{}") == Envelope.ConfigurationUpdate(key: "", value: .null))
        #expect(try Self.read(#"{"key":"k","value":null,"scope":null}"#) == Envelope.ConfigurationUpdate(key: "k", value: .null))
    }

    /// To guess the type of each of them would take longer than this may.
    @Test(.timeLimit(.minutes(2))) func `values below deep nesting are read as quickly as others`() throws {
        let bottom = Array(repeating: "{}", count: 1_400_000).joined(separator: ",")
        let json = #"{"details":{"a":\#(String(repeating: "[", count: 60))\#(bottom)\#(String(repeating: "]", count: 60))}}"#
        var value = try Self.read(json, as: Envelope.UserAction.self).details["a"]
        for _ in 1..<60 {
            guard case .array(let elements) = value, elements.count == 1 else { break }
            value = elements[0]
        }
        guard case .array(let elements) = value else { return #expect(Bool(false), "nothing below") }
        #expect(elements.count == 1_400_000 && elements.allSatisfy { $0 == .object([:]) })
    }
}
