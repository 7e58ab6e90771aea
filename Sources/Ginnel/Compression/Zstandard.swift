// Payloads as frames of zstd. One payload is one frame, which states its own content size; both are checked before anything is expanded, and the library writes into memory of just that size.

#if Compression
internal import CZstd
internal import GinnelCore

extension Compression {
    /// - Parameter level: how hard it tries, from 1, the default, which keeps up with memory, to 19, which does not.
    public static func zstd(level: Int = 1) -> Compression { Compression(Zstandard(level: Int32(clamping: min(max(level, 1), 19)))) }
}

struct Zstandard: PayloadCompressor {
    let level: Int32

    func compress(_ payload: [UInt8]) -> [UInt8]? {
        // With room for one byte less than there are, what would not get smaller is an error of the library and no second copy.
        let compressed = [UInt8](unsafeUninitializedCapacity: payload.count) { buffer, count in
            let written = ZSTD_compress(buffer.baseAddress, max(0, payload.count - 1), payload, payload.count, level)
            count = ZSTD_isError(written) == 0 ? written : 0
        }
        return compressed.isEmpty ? nil : compressed
    }

    func expand(_ bytes: borrowing RawSpan, into output: inout [UInt8], from offset: Int) throws(CompressionFailure) {
        let announced = output.count - offset
        let problem: String? = bytes.withUnsafeBytes { input in
            guard ZSTD_findFrameCompressedSize(input.baseAddress, input.count) == input.count else { return "\(input.count) bytes are not one frame of zstd" }
            let content = ZSTD_getFrameContentSize(input.baseAddress, input.count)
            // An unknown size, and one that is no size, are huge numbers.
            guard content == UInt64(announced) else { return "a frame of zstd with another content size than the \(announced) bytes that were announced" }
            let written = output.withUnsafeMutableBytes { ZSTD_decompress($0.baseAddress?.advanced(by: offset), announced, input.baseAddress, input.count) }
            return written == announced ? nil : "a frame of zstd that does not hold the \(announced) bytes that were announced"
        }
        if let problem { throw CompressionFailure(problem) }
    }
}
#endif
