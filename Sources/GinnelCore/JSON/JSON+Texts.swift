// Whether a decoder that hashes or compares the texts in a JSON text is held up by them. The scanner refuses such texts; this is for what no scanner has seen, before Foundation decodes it, and
// leaves every other judgement to it.

extension JSON {
    /// Whether a key or a value has more combining marks in a row than any text needs, or all of it is not in UTF-8 but in one of the encodings with zeros, in which nobody looks. Says nothing about
    /// whether it is valid. What is ASCII without escapes costs one look at each byte.
    package static func hasUnsafeTexts(_ bytes: borrowing RawSpan) -> Bool {
        bytes.withUnsafeBytes { bytes in
            if bytes.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "\\") && $0 != 0 }) { return false }
            if bytes.contains(0) { return true }
            var rest = bytes[...]
            while let quote = rest.firstIndex(of: UInt8(ascii: "\"")) {
                let (text, isEscaped) = content(bytes[(quote + 1)...])
                if text.count > CombiningMarks.harmless, JSONText(UnsafeRawBufferPointer(rebasing: text), isEscaped: isEscaped).hasTooManyMarks { return true }
                rest = bytes[min(text.endIndex + 1, bytes.endIndex)...]
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
}
