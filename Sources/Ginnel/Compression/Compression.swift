// Smaller messages, where both sides of a connection want them (docs/protocol.md §11).

internal import GinnelCore

/// How the payloads of a connection are compressed: `.zstd()`, which exists with the package trait `Compression`.
///
/// In force where both sides have it. It pays where bytes are dear: over a forwarded socket, or for text of many kilobytes that waits in queues. On one machine a copy is
/// mostly cheaper. Lengths of compressed messages tell something about their content: where a secret stands in one message with what a stranger chooses, leave it off.
public struct Compression: Sendable {
    /// Bytes from which on a payload is compressed, if it gets smaller. Default 4,096; a value below 1 counts as 1.
    public var threshold = CompressionOptions.defaultThreshold

    let compressor: any PayloadCompressor

    init(_ compressor: any PayloadCompressor) { self.compressor = compressor }

    var options: CompressionOptions { CompressionOptions(compressor, threshold: max(1, threshold)) }
}
