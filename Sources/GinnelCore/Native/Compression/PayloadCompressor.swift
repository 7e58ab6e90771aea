// What makes payloads smaller, as the machine sees it (docs/protocol.md §11). The library that does it belongs to the layers above; this one knows none.

package protocol PayloadCompressor: Sendable {
    /// The payload in fewer bytes, or `nil` when it does not get smaller.
    func compress(_ payload: [UInt8]) -> [UInt8]?

    /// Fills `output` from `offset` to its end with what was compressed. Throws when that is not exactly as long, and never makes `output` longer.
    func expand(_ bytes: borrowing RawSpan, into output: inout [UInt8], from offset: Int) throws(CompressionFailure)
}

/// Why bytes are not what a compressor made.
package struct CompressionFailure: Error, Sendable {
    package let sentence: String
    package init(_ sentence: String) { self.sentence = sentence }
}

/// Compression as one side brings it to the handshake.
package struct CompressionOptions: Sendable {
    /// Bytes from which on a payload is worth the attempt.
    package static let defaultThreshold = 4096

    package var compressor: any PayloadCompressor
    package var threshold: Int

    package init(_ compressor: any PayloadCompressor, threshold: Int = defaultThreshold) {
        self.compressor = compressor
        self.threshold = threshold
    }
}
