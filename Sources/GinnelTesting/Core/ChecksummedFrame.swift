// Frames of the checksummed format, made by hand.

package import GinnelCore

package enum ChecksummedFrame {
    /// Length, checksum, payload. `length` and `crc` for those that lie.
    package static func encoded(_ payload: [UInt8], _ checksum: Checksum = .ieee, length: UInt32? = nil, crc: UInt32? = nil) -> [UInt8] {
        WireFrame.u32(length ?? UInt32(payload.count)) + WireFrame.u32(crc ?? checksum.valueByTable(of: payload.span.bytes)) + payload
    }
}
