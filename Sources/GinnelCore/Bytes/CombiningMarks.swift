// Texts that take far longer to hash and to compare than they are long.
//
// Swift's texts are equal when they are canonically equivalent, so hashing one first puts the combining marks that follow each other into their order, and the time for that grows with the square of
// their number: a key of 500 KB of such marks holds a thread up for a quarter of a minute. An enumeration of texts, `hasPrefix` and characters are no better. No language has more than a few on one
// letter, "Stream-Safe Text Format" (UAX #15) allows 30 in a row, and who decorates names for fun has some dozens. So what a peer sends as text, in JSON and in protobuf, has 256 in a row at most, and
// whoever goes on to hash it is safe. Names that are short by rule need no look.

extension Sequence<Unicode.Scalar> {
    /// Whether more combining marks follow each other than any text needs.
    fileprivate var hasTooManyMarks: Bool {
        var row = 0
        for scalar in self {
            row = scalar.isMark ? row + 1 : 0
            if row > CombiningMarks.longestRow { return true }
        }
        return false
    }
}

package enum CombiningMarks {
    package static let longestRow = 256
    /// Bytes of the longest text that need not be looked through: no mark has fewer than two.
    package static let harmless = 2 * longestRow
}

extension String {
    /// Whether more combining marks follow each other than any text needs.
    package var hasTooManyMarks: Bool { utf8.count > CombiningMarks.harmless && unicodeScalars.hasTooManyMarks }
}

extension Unicode.Scalar {
    /// Whether it is reordered with its neighbours: by its class, or, as three vowels of Tibetan, because it stands for others that are.
    fileprivate var isMark: Bool {
        if value < 0x300 { return false }
        return properties.canonicalCombiningClass != .notReordered || value == 0xF73 || value == 0xF75 || value == 0xF81
    }
}
