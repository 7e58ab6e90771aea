// The content of a JSON string, and the way back.

/// What stands between the quotes of a checked string. Two are equal when they mean the same bytes, however each is escaped.
struct JSONText: Hashable {
    /// Escaped texts are kept unescaped; the others are only lent.
    private enum Content {
        case lent(UnsafeRawBufferPointer)
        case owned([UInt8])
    }
    private let content: Content

    init(_ bytes: UnsafeRawBufferPointer, isEscaped: Bool) {
        content = isEscaped ? .owned(Self.unescaped(bytes)) : .lent(bytes)
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(bytes, isEscaped: bytes.contains(UInt8(ascii: "\\")))
    }

    var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// Whether it would take far longer to hash or to compare as a `String` than it is long (CombiningMarks.swift).
    var hasTooManyMarks: Bool { withBytes { $0.count } > CombiningMarks.harmless && text.hasTooManyMarks }

    static func == (first: JSONText, second: JSONText) -> Bool {
        first.withBytes { first in second.withBytes { first.count == $0.count && first.elementsEqual($0) } }
    }

    static func == (text: JSONText, name: [UInt8]) -> Bool {
        text.withBytes { $0.count == name.count && $0.elementsEqual(name) }
    }

    func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }

    private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch content {
        case .lent(let bytes): body(bytes)
        case .owned(let bytes): bytes.withUnsafeBytes(body)
        }
    }

    /// The UTF-8 that a checked string means.
    private static func unescaped(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch kind {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "u"):
                var units = [popUnit(&rest)]
                if UTF16.isLeadSurrogate(units[0]) {
                    rest.removeFirst(min(2, rest.count))
                    units.append(popUnit(&rest))
                }
                result.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
            default: result.append(kind)
            }
        }
        return result
    }

    private static func popUnit(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UInt16 {
        var unit: UInt16 = 0
        for byte in rest.prefix(4) { unit = unit << 4 | (hexadecimalDigit(byte) ?? 0) }
        rest.removeFirst(min(4, rest.count))
        return unit
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension JSON {
    /// A string with its quotes, of at most `limit` bytes: a longer text loses whole characters at its end. The limit must be 2 or more. Of a character with hundreds of combining marks
    /// it has the first ones, since readers take no more (CombiningMarks.swift): sentences may be put together from what peers have said.
    package static func quoted(_ text: String, limit: Int = .max) -> [UInt8] {
        var result = [UInt8(ascii: "\"")]
        for character in text {
            let start = result.count
            let isShort = character.utf8.count <= CombiningMarks.harmless
            let written = isShort ? String(character) : String(String.UnicodeScalarView(character.unicodeScalars.prefix(CombiningMarks.longestRow / 2)))
            for byte in written.utf8 { append(byte, to: &result) }
            if result.count >= limit {
                result.removeSubrange(start...)
                break
            }
        }
        result.append(UInt8(ascii: "\""))
        return result
    }

    private static func append(_ byte: UInt8, to result: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): result += [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\\"): result += [byte, byte]
        case UInt8(ascii: "\n"): result += Array("\\n".utf8)
        case UInt8(ascii: "\r"): result += Array("\\r".utf8)
        case UInt8(ascii: "\t"): result += Array("\\t".utf8)
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            result += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: result.append(byte)
        }
    }
}
