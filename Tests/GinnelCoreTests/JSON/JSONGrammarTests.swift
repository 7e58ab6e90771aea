import GinnelCore
import Testing

@Suite struct JSONGrammarTests {
    @Test(arguments: [
        "{}", "[]", "0", "-0", "null", "true", "false", #""""#, " \t\r\n{} \t\r\n", "[1,2]", "[[],[[]]]", #"{"a":{"b":[1,{"c":null}]}}"#,
        "1.5", "-1.5e+10", "1E-2", "1e5", "0.0", "0e999999999999999999999", "0.000e400", "1e-999", "1e308", "1.7976931348623157e308",
        "-1.7976931348623158e308", "10e307", "0.1e309", "18446744073709551615", "-9223372036854775808", #""\u0000""#, #""\"\\\/\b\f\n\r\t""#,
        #""\uD83D\uDE00""#, #""\ud83d\ude00 \u00e9 \uFFFF""#, "\"é€😀\u{10FFFF}\u{7F}\u{FFFF}\"", #"{"":1}"#, #"{"a":1,"A":2}"#,
        #"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#, "{\"\u{E9}\":1,\"e\u{301}\":2}", "\"12345678901234567\"",
    ])
    func `what RFC 8259 allows is accepted`(text: String) throws {
        try JSON.validate(text)
    }

    @Test(
        arguments: [
            ("", .ended(expected: .value), 0),
            ("  ", .ended(expected: .value), 2),
            (",", .unexpectedByte(expected: .value), 0),
            ("[", .ended(expected: .value), 1),
            ("[1", .ended(expected: .commaOrBracket), 2),
            ("[,]", .unexpectedByte(expected: .value), 1),
            ("[1,]", .unexpectedByte(expected: .value), 3),
            ("[1 2]", .unexpectedByte(expected: .commaOrBracket), 3),
            ("[1}", .unexpectedByte(expected: .commaOrBracket), 2),
            ("]", .unexpectedByte(expected: .value), 0),
            ("[]]", .trailingBytes, 2),
            ("{", .ended(expected: .keyOrEnd), 1),
            ("{,}", .unexpectedByte(expected: .keyOrEnd), 1),
            ("{1:2}", .unexpectedByte(expected: .keyOrEnd), 1),
            ("{a:2}", .unexpectedByte(expected: .keyOrEnd), 1),
            ("{'a':2}", .unexpectedByte(expected: .keyOrEnd), 1),
            (#"{"a"}"#, .unexpectedByte(expected: .colon), 4),
            (#"{"a"=1}"#, .unexpectedByte(expected: .colon), 4),
            (#"{"a":}"#, .unexpectedByte(expected: .value), 5),
            (#"{"a":1,}"#, .unexpectedByte(expected: .key), 7),
            (#"{"a":1]"#, .unexpectedByte(expected: .commaOrBrace), 6),
            (#"{"a":1 "b":2}"#, .unexpectedByte(expected: .commaOrBrace), 7),
            ("{} {}", .trailingBytes, 3),
            ("1,", .trailingBytes, 1),
            ("null\0", .trailingBytes, 4),
            ("nul", .ended(expected: .literal), 3),
            ("nulL", .unexpectedByte(expected: .literal), 3),
            ("True", .unexpectedByte(expected: .value), 0),
            ("NaN", .unexpectedByte(expected: .value), 0),
            ("Infinity", .unexpectedByte(expected: .value), 0),
            ("/**/1", .unexpectedByte(expected: .value), 0),
            ("\u{A0}1", .unexpectedByte(expected: .value), 0),
            ("\u{C}1", .unexpectedByte(expected: .value), 0),
            ("01", .leadingZero, 0),
            ("-01", .leadingZero, 1),
            ("00", .leadingZero, 0),
            ("+1", .unexpectedByte(expected: .value), 0),
            ("-", .ended(expected: .digit), 1),
            ("--1", .unexpectedByte(expected: .digit), 1),
            (".5", .unexpectedByte(expected: .value), 0),
            ("1.", .ended(expected: .digit), 2),
            ("1.e5", .unexpectedByte(expected: .digit), 2),
            ("1e", .ended(expected: .digit), 2),
            ("1e+", .ended(expected: .digit), 3),
            ("0x10", .trailingBytes, 1),
            ("1e999", .numberOverflows, 0),
            ("-1e309", .numberOverflows, 0),
            ("[1.7976931348623159e308]", .numberOverflows, 1),
            ("0.001e999999999999999999999999", .numberOverflows, 0),
            ("18446744073709551616", .integerOutOfRange(.either64), 0),
            ("-9223372036854775809", .integerOutOfRange(.either64), 0),
            ("123456789012345678901234567890", .integerOutOfRange(.either64), 0),
            ("\"", .ended(expected: .closingQuote), 1),
            (#""a"#, .ended(expected: .closingQuote), 2),
            (#""\"#, .ended(expected: .closingQuote), 2),
            (#""\u00"#, .ended(expected: .closingQuote), 5),
            ("\"\u{1F}\"", .controlCharacter, 1),
            ("\"1234567\n\"", .controlCharacter, 8),
            (#""\x""#, .invalidEscape, 1),
            (#""\u00g0""#, .invalidEscape, 5),
            (#""\U0041""#, .invalidEscape, 1),
            (#""\ud800""#, .loneSurrogate, 1),
            (#""\udc00""#, .loneSurrogate, 1),
            (#""\ud800\ud800""#, .loneSurrogate, 1),
            (#""\ud800\n""#, .loneSurrogate, 1),
            (#""\ude00\ud83d""#, .loneSurrogate, 1),
            ("\u{FEFF}{}", .byteOrderMark, 0),
            (#"{"a":1,"a":2}"#, .duplicateKey, 7),
            (#"{"a":1,"\u0061":2}"#, .duplicateKey, 7),
            (#"{"\u00e9":1,"é":2}"#, .duplicateKey, 12),
            (#"[{"x":{"a":{},"b":1,"a":1}}]"#, .duplicateKey, 20),
            (#"{"":1,"":2}"#, .duplicateKey, 6),
        ] as [(String, JSONError.Fault, Int)])
    func `what it does not allow is refused, with the place`(text: String, fault: JSONError.Fault, offset: Int) {
        #expect(throws: JSONError(fault, at: offset)) { try JSON.validate(text) }
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE], [0x80], [0xBF],
            [0xC3, 0x28], [0xE2, 0x82, 0x28], [0xF0, 0x9F, 0x98, 0x28], [0xC3], [0xE2, 0x82], [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused in strings and keys`(bytes: [UInt8]) {
        let quoted = [0x22, 0x78] + bytes + [0x22]
        #expect(throws: JSONError(.invalidUTF8, at: 2)) { try JSON.validate(quoted) }
        let key = [0x7B] + quoted + Array(":1}".utf8)
        #expect(throws: JSONError(.invalidUTF8, at: 3)) { try JSON.validate(key) }
    }

    @Test func `every scalar is accepted as UTF-8 and as an escape and means itself`() throws {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(Character(scalar))
            let escape = text.utf16.map { "\\u" + String(0x10000 + UInt32($0), radix: 16).dropFirst() }.joined()
            let bytes = Array("{\"a\":\"\(escape)\",\"b\":".utf8) + JSON.quoted(text) + [0x7D]
            let object = try JSONObject(bytes, members: ["a", "b"])
            #expect(object["a"]?.string(in: bytes) == text)
            #expect(object["b"]?.string(in: bytes) == text)
        }
    }

    @Test(arguments: [0, 1, 64, 5_000])
    func `the depth limit is reached but not passed`(limit: Int) throws {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            func nested(_ depth: Int) -> String {
                String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            }
            try JSON.validate(nested(limit), limits: JSONLimits(depth: limit))
            #expect(throws: JSONError(.tooDeep(limit: limit), at: limit * open.utf8.count)) {
                try JSON.validate(nested(limit + 1), limits: JSONLimits(depth: limit))
            }
        }
        #expect(JSONLimits.defaults.depth == 64)
    }

    @Test(
        arguments: [
            (.signed64, ["9223372036854775807", "-9223372036854775808", "-0"], ["9223372036854775808", "-9223372036854775809"]),
            (.unsigned64, ["18446744073709551615", "-0", "0"], ["-1", "18446744073709551616"]),
            (.either64, ["18446744073709551615", "-9223372036854775808"], ["18446744073709551616", "-9223372036854775809"]),
        ] as [(JSONIntegers, [String], [String])])
    func `integers are held to the range that was asked for`(range: JSONIntegers, accepted: [String], refused: [String]) throws {
        for text in accepted { try JSON.validate(text, limits: JSONLimits(integers: range)) }
        for text in refused {
            #expect(throws: JSONError(.integerOutOfRange(range), at: 0)) {
                try JSON.validate(text, limits: JSONLimits(integers: range))
            }
        }
    }

    @Test func `unbounded integers still have to fit a double`() throws {
        let limits = JSONLimits(integers: .unbounded)
        try JSON.validate(String(repeating: "1", count: 309), limits: limits)
        for text in [String(repeating: "1", count: 310), "1" + String(repeating: "8", count: 308), "-" + String(repeating: "9", count: 400)] {
            #expect(throws: JSONError(.numberOverflows, at: 0)) { try JSON.validate(text, limits: limits) }
        }
    }

    @Test func `an error names the fault, the place and the limit, and nothing of the text`() {
        #expect("\(JSONError(.tooDeep(limit: 64), at: 70))" == "arrays and objects nested more than 64 deep at byte 70")
        #expect("\(JSONError(.ended(expected: .colon), at: 4))" == "the text ends where ':' is due, at byte 4")
        #expect("\(JSONError(.integerOutOfRange(.signed64), at: 9))" == "an integer outside -2^63 to 2^63-1 at byte 9")
    }
}
