// The two checksums of the wire formats, over bytes that are only lent, for programs too. CGinnelChecksum does the work.

import CGinnelChecksum

/// A 32-bit cyclic redundancy check: finds accidents, not forgeries.
public enum Checksum: Sendable, CaseIterable {
    /// CRC-32 of IEEE 802.3, as in zlib: reflected 0xEDB88320; `123456789` gives CBF43926.
    case ieee
    /// CRC-32C, as in iSCSI: reflected 0x82F63B78; `123456789` gives E3069283.
    case castagnoli

    /// The checksum of all bytes so far, of which `continuing` is the checksum without these; 0, the default, starts. Of no bytes it is 0. Any thread.
    public func value(of bytes: borrowing RawSpan, continuing checksum: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { buffer in
            switch self {
            case .ieee: ginnel_crc32(checksum, buffer.baseAddress, buffer.count)
            case .castagnoli: ginnel_crc32c(checksum, buffer.baseAddress, buffer.count)
            }
        }
    }

    /// The same by table alone: slower, on every processor.
    package func valueByTable(of bytes: borrowing RawSpan, continuing checksum: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { buffer in
            switch self {
            case .ieee: ginnel_crc32_table(checksum, buffer.baseAddress, buffer.count)
            case .castagnoli: ginnel_crc32c_table(checksum, buffer.baseAddress, buffer.count)
            }
        }
    }
}
