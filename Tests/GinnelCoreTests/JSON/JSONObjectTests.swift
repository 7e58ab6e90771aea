import GinnelCore
import Testing

@Suite struct JSONObjectTests {
    @Test func `members of the outermost object are found with their ranges`() throws {
        let text = #" {"x":{"type":"inner"},"type" : "ping","id":42,"none":null,"list":[1,{"id":7}],"yes":true} "#
        let bytes = Array(text.utf8)
        let object = try JSONObject(bytes, members: ["type", "id", "none", "list", "yes", "x", "absent"])
        func source(_ name: String) -> String? { object[name].map { String(decoding: bytes[$0.range], as: UTF8.self) } }
        #expect(source("type") == #""ping""#)
        #expect(source("id") == "42")
        #expect(source("list") == #"[1,{"id":7}]"#)
        #expect(source("x") == #"{"type":"inner"}"#)
        #expect(["type", "id", "none", "list", "yes", "x"].map { object[$0]?.kind } == [.string, .number, .null, .array, .boolean, .object])
        #expect(object["absent"] == nil)
        #expect(object["inner"] == nil)
        #expect(object["type"]?.string(in: bytes) == "ping")
        #expect(object["id"]?.string(in: bytes) == nil)
        #expect(object["id"]?.integer(in: bytes, as: Int64.self) == 42)
        #expect(object["type"]?.integer(in: bytes, as: Int64.self) == nil)
    }

    @Test func `names and strings count by their meaning, not by how they are escaped`() throws {
        let bytes = Array(#"{"\u0074yp\u0065":"\ud83d\ude00\n\"\\\/\b\f\r\tü"}"#.utf8)
        let object = try JSONObject(bytes, members: ["type"])
        #expect(object["type"]?.string(in: bytes) == "😀\n\"\\/\u{8}\u{C}\r\tü")
    }

    @Test func `names that only look alike are different names`() throws {
        let bytes = Array("{\"e\u{301}\":1}".utf8)
        #expect(try JSONObject(bytes, members: ["\u{E9}"])["\u{E9}"] == nil)
        #expect(try JSONObject(bytes, members: ["e\u{301}"])["e\u{301}"] != nil)
    }

    @Test(arguments: [("300", nil), ("-1", nil), ("255", 255), ("1.0", nil), ("1e2", nil)] as [(String, UInt8?)])
    func `an integer that does not fit its type is none`(text: String, value: UInt8?) throws {
        let bytes = Array("{\"n\":\(text)}".utf8)
        #expect(try JSONObject(bytes, members: ["n"])["n"]?.integer(in: bytes) == value)
    }

    @Test(arguments: ["[]", "1", " null", "\"type\""])
    func `anything but an object is refused where an object is due`(text: String) {
        let start = text.utf8.prefix { $0 == 0x20 }.count
        #expect(throws: JSONError(.notAnObject, at: start)) { try JSONObject(Array(text.utf8)) }
    }

    @Test func `a key is found twice among many`() throws {
        for count in [11, 12, 13, 14, 20_000] {
            let keys = (0..<count).map { #""k\#($0)":\#($0)"# }
            try JSON.validate("{\(keys.joined(separator: ","))}")
            for twin in [0, count / 2, count - 1] {
                let head = "{\(keys.joined(separator: ",")),"
                let text = head + #""\u006b\#(twin)":0}"#
                #expect(throws: JSONError(.duplicateKey, at: head.utf8.count)) { try JSON.validate(text) }
            }
        }
    }

    @Test func `many keys in an inner object leave the outer one's alone`() throws {
        let many = (0..<40).map { #""k\#($0)":1"# }.joined(separator: ",")
        try JSON.validate(#"{"a":{\#(many)},"k1":{\#(many)},"b":[{\#(many)}]}"#)
        let text = #"{"a":{\#(many)},"a":1}"#
        #expect(throws: JSONError(.duplicateKey, at: text.utf8.count - 6)) { try JSON.validate(text) }
    }

    @Test func `quoting is undone by reading`() throws {
        for text in ["", "plain", "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}", "é€😀\u{10FFFF}", "e\u{301}\r\n"] {
            let bytes = Array("{\"t\":".utf8) + JSON.quoted(text) + [0x7D]
            let read = try JSONObject(bytes, members: ["t"])["t"]?.string(in: bytes)
            #expect(read.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test func `quoting within a limit cuts whole characters only`() throws {
        let text = "a\"é\u{1}😀e\u{301}z"
        let whole = JSON.quoted(text)
        for limit in 2...whole.count + 1 {
            let quoted = JSON.quoted(text, limit: limit)
            #expect(quoted.count <= limit)
            let object = Array("{\"t\":".utf8) + quoted + [0x7D]
            let read = try JSONObject(object, members: ["t"])["t"]?.string(in: object) ?? "?"
            #expect(text.hasPrefix(read))
            #expect((quoted == whole) == (limit >= whole.count))
        }
    }
}
