// How Swift values become payload bytes and back.

public import GinnelCore

/// A value that can be the payload of a message.
///
/// Most types want `Message`, which is JSON for anything `Codable`. `[UInt8]` is a wire value too: raw bytes, the fast path, never touched.
public protocol WireValue: Sendable {
    /// How the bytes are written.
    static var codec: Codec { get }

    /// The bytes. Whatever it throws becomes the caller's error.
    func encoded() throws -> [UInt8]

    /// Reads lent bytes, which are gone when this returns. Throws when they are not such a value.
    init(decoding bytes: borrowing RawSpan) throws
}

/// A `Codable` value that travels as JSON.
public protocol Message: WireValue, Codable {}

extension Message {
    public static var codec: Codec { .json }

    public func encoded() throws -> [UInt8] { try JSONCoding.encode(self) }

    public init(decoding bytes: borrowing RawSpan) throws { self = try JSONCoding.decode(Self.self, from: bytes) }
}

extension Array: WireValue where Element == UInt8 {
    public static var codec: Codec { .raw }

    public func encoded() -> [UInt8] { self }

    public init(decoding bytes: borrowing RawSpan) { self = bytes.copied() }
}

/// Nothing: an empty payload.
public struct Nothing: WireValue, Hashable {
    public static var codec: Codec { .raw }

    public init() {}
    public func encoded() -> [UInt8] { [] }
    public init(decoding bytes: borrowing RawSpan) {}
}
