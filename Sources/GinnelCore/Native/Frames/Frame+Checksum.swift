// The optional checksum of a frame: CRC-32C over the header with its checksum field zero, then the payload.

extension FrameHeader {
    /// Appends a frame's bytes in `body`, then fills in its checksum when `sealed`.
    static func seal(_ output: inout OutputBuffer, from start: Int, sealed: Bool) {
        guard sealed else { return }
        let sum = output.withBytes { bytes in
            Checksum.castagnoli.value(of: UnsafeRawBufferPointer(rebasing: bytes[start...]).bytes)
        }
        output.overwrite(at: start + checksumOffset, littleEndian: sum)
    }

    /// Whether the frame at `offset` of `input` carries the checksum of its bytes.
    func isIntact(in input: borrowing RawSpan, at offset: Int) -> Bool {
        let head = Checksum.castagnoli.value(of: input.extracting(offset..<offset + Self.checksumOffset))
        let zeros: [UInt8] = [0, 0, 0, 0]
        let middle = Checksum.castagnoli.value(of: zeros.span.bytes, continuing: head)
        let payload = input.extracting(offset + Self.size..<offset + Self.size + length)
        return Checksum.castagnoli.value(of: payload, continuing: middle) == checksum
    }
}
