// SHA-256 of bytes and of files: for programs that pin a peer's program by what it is, and for those that keep the hash of a file.
//
// The arithmetic is the platform layer's, which has it to identify peers. It is the plain form of the standard, one core and no special instructions: hundreds of megabytes in a second, where
// libraries for cryptography have a multiple of that. It keeps no secrets: for passwords, keys and signatures there are those libraries.

internal import CGinnelPlatform

/// A SHA-256 digest (FIPS 180-4) of bytes or of a file.
///
///     let tool = try ContentDigest(ofFile: "/opt/tool/bin/tool")
///     let service = Service(at: endpoint, policy: .allOf([.sameUser, .sha256([tool.hexadecimal])]))
public struct ContentDigest: Hashable, Sendable {
    /// 32 of them.
    public let bytes: [UInt8]

    /// Of all these bytes, which may be none. Any thread.
    public init(of bytes: borrowing RawSpan) {
        var builder = Builder()
        builder.append(bytes)
        self = builder.digest
    }

    /// From 64 hexadecimal digits of either case, as `hexadecimal` and `sha256sum` write them; `nil` for anything else.
    public init?(hexadecimal text: String) {
        let digits = text.utf8.map { Self.value(ofDigit: $0) }
        guard digits.count == 64, digits.allSatisfy({ $0 != nil }) else { return nil }
        bytes = (0..<32).map { (digits[2 * $0] ?? 0) << 4 | (digits[2 * $0 + 1] ?? 0) }
    }

    /// 64 hexadecimal digits in lower case, as `PeerPolicy.sha256` takes them.
    public var hexadecimal: String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    private init(_ state: gn_sha256_state) {
        // What the builder has so far stays as it is: the end changes a copy.
        var state = state
        bytes = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            gn_sha256_end(&state, buffer.baseAddress)
            count = 32
        }
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension ContentDigest: CustomStringConvertible {
    /// As `hexadecimal`.
    public var description: String { hexadecimal }
}

// MARK: In parts

extension ContentDigest {
    /// A digest of bytes that come in parts, however they are cut. A value: a copy goes its own way. One thread at a time.
    public struct Builder: Sendable {
        private var state = gn_sha256_state()

        /// Of no bytes yet.
        public init() { gn_sha256_begin(&state) }

        /// Adds bytes behind those before; none is allowed.
        public mutating func append(_ bytes: borrowing RawSpan) {
            bytes.withUnsafeBytes { gn_sha256_add(&state, $0.baseAddress, $0.count) }
        }

        /// Of all that was appended so far; more may follow.
        public var digest: ContentDigest { ContentDigest(state) }
    }
}
