// Little-endian integers in lent bytes. The caller has checked that they lie inside.

extension RawSpan {
    package func u16(at offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    package func u32(at offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    package func u64(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    package func byte(at offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// An owned copy.
    package func copied() -> [UInt8] {
        withUnsafeBytes { [UInt8]($0) }
    }

    /// The bytes as text, or `nil` when they are not UTF-8.
    package func text() -> String? {
        withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    }
}
