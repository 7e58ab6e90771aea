// Whether a decoder that hashes the keys of a text is held up by them. The scanner refuses such keys; this is for texts that no scanner has seen, before Foundation decodes them, and
// leaves every other judgement to it.

extension JSON {
    /// Whether a key has more combining marks in a row than any text needs, or the text is not in UTF-8 but in one of the encodings with zeros, in which nobody looks. Says nothing about whether it is
    /// valid. Texts of ASCII without escapes cost one look at each byte.
    package static func hasUnsafeKeys(_ bytes: borrowing RawSpan) -> Bool {
        bytes.withUnsafeBytes { bytes in
            if bytes.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "\\") && $0 != 0 }) { return false }
            if bytes.contains(0) { return true }
            var rest = bytes[...]
            while let quote = rest.firstIndex(of: UInt8(ascii: "\"")) {
                let (text, isEscaped) = content(bytes[(quote + 1)...])
                rest = bytes[min(text.endIndex + 1, bytes.endIndex)...]
                let behind = rest.first { !isSpace($0) }
                if behind == UInt8(ascii: ":"), JSONText(UnsafeRawBufferPointer(rebasing: text), isEscaped: isEscaped).hasTooManyMarks { return true }
            }
            return false
        }
    }

    /// What stands before the next quote that is not escaped.
    private static func content(_ bytes: Slice<UnsafeRawBufferPointer>) -> (text: Slice<UnsafeRawBufferPointer>, isEscaped: Bool) {
        var isEscaped = false
        var index = bytes.startIndex
        while index < bytes.endIndex, bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] == UInt8(ascii: "\\") {
                isEscaped = true
                index += 1
            }
            index += 1
        }
        return (bytes[..<min(index, bytes.endIndex)], isEscaped)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}
