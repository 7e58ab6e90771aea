// Strings: no control characters, the nine escapes, surrogates in pairs only, UTF-8 as the Unicode standard defines it (table 3-7), and no more combining marks in a row than any text needs.

extension JSONScanner {
    /// A string, from its opening quote to behind its closing one.
    mutating func string() throws(JSONError) -> JSONText {
        position += 1
        let start = position
        var isEscaped = false
        var isASCII = true
        while true {
            skipPlain()
            guard position < bytes.count else { throw error(expected: .closingQuote) }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let content = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                position += 1
                let text = JSONText(content, isEscaped: isEscaped)
                if isEscaped || !isASCII, text.hasTooManyMarks { throw JSONError(.tooManyMarks, at: start) }
                return text
            case UInt8(ascii: "\\"):
                try escape()
                isEscaped = true
            case 0..<0x20: throw JSONError(.controlCharacter, at: position)
            case 0x20..<0x80: position += 1
            default:
                try multibyte()
                isASCII = false
            }
        }
    }

    /// Eight bytes a step over what needs no look: ASCII that is neither control, quote nor backslash.
    private mutating func skipPlain() {
        while position + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let each: UInt64 = 0x0101_0101_0101_0101
            // The high bit of a byte is set where it is not plain. A borrow may also set it above such a byte, never below the first.
            let special = word | (word &- each &* 0x20) | ((word ^ each &* 0x22) &- each) | ((word ^ each &* 0x5C) &- each)
            let marks = special & (each &* 0x80)
            guard marks == 0 else {
                position += marks.trailingZeroBitCount / 8
                return
            }
            position += 8
        }
    }

    private mutating func escape() throws(JSONError) {
        let start = position
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            switch try hexadecimal() {
            case 0xD800..<0xDC00:
                guard byte == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") else {
                    throw JSONError(.loneSurrogate, at: start)
                }
                position += 1
                guard case 0xDC00..<0xE000 = try hexadecimal() else { throw JSONError(.loneSurrogate, at: start) }
            case 0xDC00..<0xE000: throw JSONError(.loneSurrogate, at: start)
            default: break
            }
        default:
            if position == bytes.count { throw error(expected: .closingQuote) }
            throw JSONError(.invalidEscape, at: start)
        }
    }

    /// The `u` of an escape and its four digits.
    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        position += 1
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = JSONText.hexadecimalDigit(byte) else {
                if position >= bytes.count { throw error(expected: .closingQuote) }
                throw JSONError(.invalidEscape, at: position)
            }
            unit = unit << 4 | digit
            position += 1
        }
        return unit
    }

    /// A character of two to four bytes. The second byte's range shuts out overlong forms, surrogates and what lies beyond U+10FFFF.
    private mutating func multibyte() throws(JSONError) {
        let start = position
        let second: ClosedRange<UInt8>
        let count: Int
        switch bytes[position] {
        case 0xC2...0xDF: (second, count) = (0x80...0xBF, 2)
        case 0xE0: (second, count) = (0xA0...0xBF, 3)
        case 0xED: (second, count) = (0x80...0x9F, 3)
        case 0xE1...0xEF: (second, count) = (0x80...0xBF, 3)
        case 0xF0: (second, count) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, count) = (0x80...0xBF, 4)
        case 0xF4: (second, count) = (0x80...0x8F, 4)
        default: throw JSONError(.invalidUTF8, at: start)
        }
        position += 1
        for index in 1..<count {
            guard position < bytes.count else { throw error(expected: .closingQuote) }
            guard (index == 1 ? second : 0x80...0xBF).contains(byte) else { throw JSONError(.invalidUTF8, at: start) }
            position += 1
        }
    }
}
