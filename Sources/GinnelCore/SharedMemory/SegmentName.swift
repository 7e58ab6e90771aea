// From the name that a program gives a ring to the one that the operating system sees: one that every system takes, or as the other system does it (docs/formats/named-ring.md).

package enum SegmentName {
    /// Characters of a name that every system takes.
    package static let longestSanitised = 200

    /// `text` with `_` for whatever is no ASCII letter, digit, `-` or `_`, and with a dash and the 16 hexadecimal digits of `suffix` behind it, if there is one; cut to `limit` characters, the suffix kept.
    package static func sanitised(_ text: String, suffix: UInt64?, limit: Int) -> String {
        let ending = suffix.map { "-" + Identity(high: 0, low: $0).description.suffix(16) } ?? ""
        let clean = text.unicodeScalars.map { isTaken($0) ? Character($0) : "_" }
        return String(clean.prefix(max(0, min(limit, longestSanitised) - ending.count))) + ending
    }

    private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
        default: false
        }
    }

    /// Systems whose names have fewer bytes than this have no room for the boot, and no names that outlive it.
    private static let roomForBoot = 64

    /// `text` without one slash in front, with `_` for every other slash, and with the first eight digits of `boot`; where names are short, without them, but cut in its middle to `limit`
    /// bytes. The slash that POSIX wants in front is not part of it and counts only in the cut.
    package static func perBoot(_ text: String, boot: String, limit: Int) -> String {
        let name = (text.hasPrefix("/") ? String(text.dropFirst()) : text).map { $0 == "/" ? "_" : String($0) }.joined()
        guard limit < roomForBoot else { return "\(name)-\(boot.prefix(8))" }
        let slashed = "/" + name
        guard slashed.utf8.count > limit + 1 else { return name }
        let half = limit / 2
        return slashed.dropFirst().prefix(half - 1) + "_" + slashed.suffix(half)
    }
}
