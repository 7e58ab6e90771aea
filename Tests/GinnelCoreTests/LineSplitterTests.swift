// Lines out of pieces of output.

import GinnelCore
import GinnelTesting
import Testing

@Suite struct LineSplitterTests {
    private static func lines(of pieces: [[UInt8]], limit: Int = 64) -> [SplitLine] {
        var splitter = LineSplitter(limit: limit)
        var lines: [SplitLine] = []
        for piece in pieces { piece.withUnsafeBytes { splitter.add($0) { lines.append($0) } } }
        splitter.finish { lines.append($0) }
        return lines
    }

    private static func lines(of text: String, limit: Int = 64) -> [SplitLine] { lines(of: [Array(text.utf8)], limit: limit) }

    @Test func `lines end with LF or CRLF, and the last one need not end`() {
        #expect(Self.lines(of: "one\ntwo\r\n\nfour") == [SplitLine("one"), SplitLine("two"), SplitLine(""), SplitLine("four")])
        #expect(Self.lines(of: "").isEmpty)
        #expect(Self.lines(of: "\n") == [SplitLine("")])
    }

    @Test func `how the output is cut into pieces makes no difference`() {
        let text = Array("plain\n\u{00e4}\u{20ac}\u{1f408} and more, much more than fits\r\n\n\u{1f408}\u{1f408}\u{1f408}end".utf8)
        let whole = Self.lines(of: [text], limit: 9)
        for cut in 0...text.count { #expect(Self.lines(of: [Array(text[..<cut]), Array(text[cut...])], limit: 9) == whole) }
        #expect(Self.lines(of: text.map { [$0] }, limit: 9) == whole)
    }

    @Test func `a line over the limit comes in parts, cut between characters, and nothing is lost`() {
        let text = String(repeating: "\u{1f408}\u{00e4}x", count: 100)
        for limit in 4...20 {
            let lines = Self.lines(of: text + "\nnext\n", limit: limit)
            #expect(lines.last == SplitLine("next"))
            let parts = lines.dropLast()
            #expect(parts.map(\.text).joined() == text)
            #expect(parts.dropLast().allSatisfy { $0.isCut && $0.text.utf8.count <= limit && !$0.text.isEmpty })
            #expect(parts.last?.isCut == false)
        }
    }

    @Test func `a line of exactly the limit is whole`() {
        #expect(Self.lines(of: "12345678\n", limit: 8) == [SplitLine("12345678")])
        #expect(Self.lines(of: "123456789\n", limit: 8) == [SplitLine("12345678", isCut: true), SplitLine("9")])
    }

    @Test func `what is not UTF-8 is repaired, whatever it is`() {
        #expect(Self.lines(of: [[0x61, 0xFF, 0x62, 0x0A]]) == [SplitLine("a\u{FFFD}b")])
        // Continuations without a beginning, and a beginning without continuations, longer than the limit.
        var random = SplitMix64(seed: 7)
        for _ in 0..<200 {
            let bytes = (0..<50).map { _ in UInt8.random(in: 0x80...0xFF, using: &random) }
            let lines = Self.lines(of: [bytes], limit: 8)
            #expect(lines.dropLast().allSatisfy { $0.isCut })
            #expect(lines.last?.isCut == false)
        }
    }
}
