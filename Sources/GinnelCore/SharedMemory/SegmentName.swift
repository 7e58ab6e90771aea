// From the name that a program gives a ring to the one that the operating system sees, as the other system does it (docs/formats/named-ring.md).

package enum SegmentName {
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
