// From a program's output to lines.
//
// Output comes in pieces that know nothing of lines or characters. What is kept is one unfinished line, of at most `limit` bytes: a longer one is handed out in parts, cut between characters,
// so that nothing is lost and nobody can make us keep more.

/// A line, or a part of one that is too long.
package struct SplitLine: Equatable, Sendable {
    /// Without its end, LF or CRLF. What is not UTF-8 has become U+FFFD.
    package var text: String
    /// More of the same line follows.
    package var isCut: Bool

    package init(_ text: String, isCut: Bool = false) {
        self.text = text
        self.isCut = isCut
    }
}

package struct LineSplitter: Sendable {
    private let limit: Int
    private var rest: [UInt8] = []
    /// Parts of the line were handed out before, so that its last one is due even when nothing follows.
    private var isContinued = false

    /// `limit`: bytes of the longest line that is handed out whole; 4 or more, so that a character fits.
    package init(limit: Int) { self.limit = max(4, limit) }

    /// Takes what came, and hands out the lines that it completes.
    package mutating func add(_ bytes: UnsafeRawBufferPointer, _ line: (SplitLine) -> Void) {
        var left = bytes[...]
        while let end = left.firstIndex(of: UInt8(ascii: "\n")) {
            append(left[..<end], line)
            finishLine(line)
            left = left[(end + 1)...]
        }
        append(left, line)
    }

    /// Hands out the last line, which has no end.
    package mutating func finish(_ line: (SplitLine) -> Void) {
        if !rest.isEmpty || isContinued { finishLine(line) }
    }

    private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>, _ line: (SplitLine) -> Void) {
        var left = bytes
        while rest.count + left.count > limit {
            let taken = left.prefix(limit - rest.count)
            rest += taken
            left = left[taken.endIndex...]
            let end = rest.count - Self.unfinishedCharacter(rest)
            line(SplitLine(String(decoding: rest[..<end], as: UTF8.self), isCut: true))
            rest.removeSubrange(..<end)
            isContinued = true
        }
        rest += left
    }

    /// Bytes at the end that begin a character and do not finish it: 0 to 3.
    private static func unfinishedCharacter(_ bytes: [UInt8]) -> Int {
        for (index, byte) in bytes.suffix(3).reversed().enumerated() where byte & 0xC0 != 0x80 {
            let length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return index + 1 < length ? index + 1 : 0
        }
        return 0
    }

    private mutating func finishLine(_ line: (SplitLine) -> Void) {
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        line(SplitLine(String(decoding: rest, as: UTF8.self)))
        rest.removeAll(keepingCapacity: rest.capacity <= 4096)
        isContinued = false
    }
}
