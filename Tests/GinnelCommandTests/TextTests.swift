// The small functions behind what is printed and read.

import Testing

@testable import GinnelCommand

@Suite struct TextTests {
    @Test(arguments: [
        ("{\"a\":[1,2.50,{}],\"b\":{\"c\":\"x,y\\\"{\"},\"d\":[]}", "{\n  \"a\": [\n    1,\n    2.50,\n    {}\n  ],\n  \"b\": {\n    \"c\": \"x,y\\\"{\"\n  },\n  \"d\": []\n}"),
        (" [ ] ", "[]"), ("\"a \\\\\" ", "\"a \\\\\""), ("1.0", "1.0"), ("[[[]]]", "[\n  [\n    []\n  ]\n]"), ("{ }", "{}"),
    ])
    func `JSON is laid out without changing a value`(text: String, indented: String) {
        #expect(JSONLayout.indented(text) == indented)
        #expect(JSONLayout.compact(indented) == JSONLayout.compact(text))
    }

    @Test func `what could steer a terminal is escaped`() {
        #expect(JSONLayout.indented("\"a\u{9B}31m\u{202E}\"") == "\"a\\u009b31m\\u202e\"")
        #expect(JSONTree.text("a\u{1B}[31m\"\\\n\u{E0001}").text == "\"a\\u001b[31m\\\"\\\\\\n\\udb40\\udc01\"")
        #expect("two\nlines\u{1B}[1m".harmless == "two\\u{a}lines\\u{1b}[1m")
    }

    @Test func `members keep their order and numbers that are none become null`() {
        let tree: JSONTree = ["z": 1, "a": [true, .null, .number(.nan), 2, "x"], "v": .verbatim("1.50")]
        #expect(tree.text == "{\"z\":1,\"a\":[true,null,null,2,\"x\"],\"v\":1.50}")
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")]) func `counts are grouped by thousands`(value: Int, text: String) {
        #expect(Figure.count(value) == text)
    }

    @Test(
        arguments: [(999, "999 ns"), (85_300, "85.3 \u{B5}s"), (123_456, "123 \u{B5}s"), (1_240_000, "1.24 ms"), (250_400_000, "250 ms"), (2_000_000_000, "2.00 s")]
            as [(UInt64, String)])
    func `times have the unit that suits`(nanoseconds: UInt64, text: String) {
        #expect(Figure.time(nanoseconds) == text)
    }
}
