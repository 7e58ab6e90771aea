// The 24 bytes before every payload (docs/formats/headered.md, "Header").
//
// What a header alone can show to be wrong is refused before the payload has arrived and before memory is taken for it: magic, version, flags,
// type, length. The checksum needs the whole message and comes last; so a bit that flips in the header is called by what it has become.

struct HeaderedFlags: OptionSet, Sendable {
    let rawValue: UInt8

    static let compressed = HeaderedFlags(rawValue: 1)
    static let encrypted = HeaderedFlags(rawValue: 2)
    static let streaming = HeaderedFlags(rawValue: 4)
    static let priority = HeaderedFlags(rawValue: 8)
    static let known: HeaderedFlags = [.compressed, .encrypted, .streaming, .priority]
}

package struct HeaderedHeader: Sendable {
    package static let size = 24
    /// On the wire its bytes are 43 50 41 4C.
    static let magic: UInt32 = 0x4C41_5043
    static let version: UInt8 = 1
    static let checksumOffset = 20

    var type: HeaderedType
    var flags: HeaderedFlags
    /// Bytes of payload.
    var length: Int
    var id: UInt64
    var checksum: UInt32 = 0

    init(_ type: HeaderedType, flags: HeaderedFlags = [], length: Int, id: UInt64) {
        self.type = type
        self.flags = flags
        self.length = length
        self.id = id
    }

    /// The header at `offset`, checked; `nil` while it is incomplete. Whoever speaks another language is told after four bytes.
    init?(_ input: borrowing RawSpan, at offset: Int, maximumPayload: Int) throws(Violation) {
        let available = input.byteCount - offset
        if available >= 4 { try Self.check(magic: input.u32(at: offset)) }
        guard available >= Self.size else { return nil }
        let version = input.byte(at: offset + 4)
        guard version == Self.version else { throw Violation(.versionUnsupported, "version \(version) of the header is not \(Self.version)") }
        flags = HeaderedFlags(rawValue: input.byte(at: offset + 5))
        try Self.check(flags)
        let number = input.u16(at: offset + 6)
        guard let type = HeaderedType(rawValue: number) else { throw Violation(.protocolViolation, "unknown message type \(HeaderedType.hexadecimal(number))") }
        self.type = type
        length = Int(input.u32(at: offset + 8))
        guard length <= maximumPayload else {
            throw Violation(.frameTooLarge, "\(type) with a payload of \(length) bytes, over the limit of \(maximumPayload) (maximumPayload)")
        }
        id = input.u64(at: offset + 12)
        checksum = input.u32(at: offset + Self.checksumOffset)
    }

    private static func check(magic: UInt32) throws(Violation) {
        if magic == Self.magic { return }
        let bytes = magic.littleEndianBytes.map { HeaderedType.hexadecimalByte($0) }.joined(separator: " ")
        let hint = magic == Self.magic.byteSwapped ? "; these read LAPC: the sender's byte order is wrong" : ""
        throw Violation(.protocolViolation, "the message begins with \(bytes) and not with the magic 43 50 41 4C\(hint)")
    }

    private static func check(_ flags: HeaderedFlags) throws(Violation) {
        let unknown = flags.subtracting(.known).rawValue
        guard unknown == 0 else { throw Violation(.protocolViolation, "unknown flags \(HeaderedType.hexadecimalByte(unknown))") }
        if flags.contains(.encrypted) { throw Violation(.unsupportedCodec, "an encrypted message (flag 2); encryption is not supported") }
        if flags.contains(.compressed) { throw Violation(.unsupportedCodec, "a compressed message (flag 1); compression is not supported") }
    }

    /// Throws when the whole message at `offset` does not match its checksum.
    func checkIntact(in input: borrowing RawSpan, at offset: Int) throws(Violation) {
        let head = Checksum.ieee.value(of: input.extracting(offset..<offset + Self.checksumOffset))
        let zeros: [UInt8] = [0, 0, 0, 0]
        let middle = Checksum.ieee.value(of: zeros.span.bytes, continuing: head)
        let payload = input.extracting(offset + Self.size..<offset + Self.size + length)
        guard Checksum.ieee.value(of: payload, continuing: middle) == checksum else {
            throw Violation(.checksumMismatch, "\(type) with a payload of \(length) bytes does not match its checksum")
        }
    }

    /// Appends header and payload, with their checksum.
    static func write(_ header: HeaderedHeader, _ payload: [UInt8], to output: inout OutputBuffer) {
        let start = output.count
        output.reserve(size + payload.count)
        output.append(littleEndian: magic)
        output.append(littleEndian: UInt32(version) | UInt32(header.flags.rawValue) << 8 | UInt32(header.type.rawValue) << 16)
        output.append(littleEndian: UInt32(truncatingIfNeeded: payload.count))
        output.append(littleEndian: header.id)
        output.append(littleEndian: UInt32(0))
        output.append(payload)
        let sum = output.withBytes { Checksum.ieee.value(of: UnsafeRawBufferPointer(rebasing: $0[start...]).bytes) }
        output.overwrite(at: start + checksumOffset, littleEndian: sum)
    }
}
