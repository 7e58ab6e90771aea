// The first eight bytes of each direction (docs/protocol.md §1).

enum Preamble {
    static let magic: [UInt8] = Array("GINNEL".utf8)
    static let size = 8
    static let majorVersion: UInt8 = 1

    static let bytes: [UInt8] = magic + [majorVersion, Greeting.minorVersion]

    /// What the bytes so far say. A stranger is told apart by the first wrong byte.
    static func check(_ input: borrowing RawSpan) -> Verdict {
        for index in 0..<min(input.byteCount, magic.count) where input.byte(at: index) != magic[index] { return .stranger }
        guard input.byteCount >= size else { return .incomplete }
        let major = input.byte(at: magic.count)
        return major == majorVersion ? .matches : .otherVersion(major)
    }

    enum Verdict: Equatable {
        case incomplete
        case matches
        case otherVersion(UInt8)
        case stranger
    }
}
