// What the values of a request may be, with the sentences of those that may not. A request that breaks a rule is answered and costs its sender nothing else.

public import Ginnel

/// Why a request is refused.
public struct InvalidRequest: Error, Equatable, CustomStringConvertible {
    /// Without the words in front of it.
    public let reason: String

    public init(_ reason: String) { self.reason = reason }

    /// As the client reads it.
    public var description: String { "Invalid request: \(reason)" }
    public var callError: CallError { CallError(.invalidRequest, description) }
}

public enum Rules {
    /// 1 to 64 letters and digits, and `\`, `.`, `/`, `_`, `-`.
    public static func check(monitor id: String) throws(InvalidRequest) {
        guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy({ isAlphanumeric($0) || #"\./_-"#.utf8.contains($0) }) else {
            throw InvalidRequest("Invalid monitor ID: \(shown(id))")
        }
    }

    /// 1 to 256 letters and digits, and `_`, `.`, `-`, `:`, `{`, `}`, `#`, `|`.
    public static func check(source id: String) throws(InvalidRequest) {
        guard (1...256).contains(id.utf8.count), id.utf8.allSatisfy({ isAlphanumeric($0) || "_.-:{}#|".utf8.contains($0) }) else {
            throw InvalidRequest("Invalid source ID: \(shown(id))")
        }
    }

    /// Not negative.
    public static func check(window handle: Int64) throws(InvalidRequest) {
        if handle < 0 { throw InvalidRequest("Invalid window handle: \(handle)") }
    }

    /// −65,535 to 65,535.
    public static func check(x: Int32, y: Int32) throws(InvalidRequest) {
        for (name, value) in [("x", x), ("y", y)] where !(-65_535...65_535).contains(value) { throw InvalidRequest("\(name) out of range: \(value)") }
    }

    /// 1 to 16,384.
    public static func check(width: UInt32, height: UInt32) throws(InvalidRequest) {
        for (name, value) in [("width", width), ("height", height)] where !(1...16_384).contains(value) {
            throw InvalidRequest("\(name) out of range: \(value) (max 16384)")
        }
    }

    /// 64 hexadecimal digits.
    public static func check(token: String) throws(InvalidRequest) {
        // The token is not repeated: errors end up in logs.
        guard ApprovalToken.isWellFormed(token) else { throw InvalidRequest("Invalid token: 64 hexadecimal digits are due") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: false
        }
    }

    /// A reply has room for one sentence, not for 64 KiB of somebody's identifier.
    private static func shown(_ id: String) -> String { id.count <= 300 ? id : "\(id.prefix(300))…" }
}

/// The secret with which a picker shows that the user has agreed once: 32 random bytes, as 64 hexadecimal digits.
public enum ApprovalToken {
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<32).map { _ in
            let byte = UInt8.random(in: .min ... .max, using: &generator)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    public static func isWellFormed(_ token: String) -> Bool { token.utf8.count == 64 && token.utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit } }

    /// Whether both are the same; it takes as long wherever they differ.
    public static func areEqual(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
