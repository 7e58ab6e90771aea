// Messages whose payload travels compressed (docs/protocol.md §11).
//
// What stands before the payload stays readable, so a name is known before anything is expanded. Everything that is counted is counted as if nothing were
// compressed: limits, the request window, item credit. So a small message can make the receiver hold no more than its sender was allowed anyway, and
// the argument that nobody waits for ever (§7) is the same with and without.

extension NativeSession {
    /// Bytes of the length that stands before a compressed message.
    static let expandedLengthBytes = 4

    /// The message as it leaves: smaller where both sides agreed on that and it is worth it.
    func compressed(_ message: OutgoingMessage) -> OutgoingMessage {
        guard let options = configuration.compression, agreement?.features.contains(.compression) == true else { return message }
        guard message.kind.isCompressible, message.payload.count >= options.threshold else { return message }
        guard let bytes = options.compressor.compress(message.payload), bytes.count + Self.expandedLengthBytes < message.payload.count else { return message }
        var smaller = message
        smaller.expandedPayload = message.payload.count
        smaller.payload = bytes
        smaller.flags.insert(.compressed)
        return smaller
    }

    /// What a compressed message counts as: the length that it says it has when expanded. Judged with its first chunk, before any memory is taken for it.
    func expandedLength(_ header: FrameHeader, _ payload: borrowing RawSpan, total: Int) throws(Violation) -> Int {
        let offset = header.flags.contains(.more) ? 4 : 0
        guard payload.byteCount >= offset + Self.expandedLengthBytes else {
            throw Violation(.protocolViolation, "the first chunk of a compressed message on stream \(header.stream) has no room for its length")
        }
        let expanded = Int(payload.u32(at: offset))
        guard expanded <= announced.maximumMessage else {
            throw Violation(.tooLarge, "a message of \(expanded) bytes when expanded, over the limit of \(announced.maximumMessage) (maximumMessage)")
        }
        guard total < expanded else { throw Violation(.protocolViolation, "a message of \(total) bytes was compressed to save nothing of \(expanded)") }
        return expanded
    }

    /// The message as if it had never been compressed.
    func expand(_ kind: FrameKind, _ message: Payload, of input: borrowing RawSpan) throws(Violation) -> Payload {
        try message.withBytes(of: input) { bytes throws(Violation) in
            guard let options = configuration.compression, bytes.byteCount >= Self.expandedLengthBytes else {
                throw Violation(.protocolViolation, "a compressed message of \(bytes.byteCount) bytes, shorter than its length")
            }
            let expanded = Int(bytes.u32(at: 0))
            let rest = bytes.extracting(Self.expandedLengthBytes...)
            let head = try Self.headLength(of: kind, rest)
            guard head <= expanded else { throw Violation(.protocolViolation, "\(kind) of \(expanded) bytes when expanded has a head of \(head)") }
            do throws(CompressionFailure) {
                return .owned(try Self.joined(rest, head: head, expanded: expanded, options.compressor))
            } catch {
                throw Violation(.protocolViolation, "\(kind) cannot be expanded: \(error.sentence)")
            }
        }
    }

    private static func joined(
        _ bytes: borrowing RawSpan, head: Int, expanded: Int, _ compressor: any PayloadCompressor
    ) throws(CompressionFailure) -> [UInt8] {
        // Zeroed first, so that whatever a compressor leaves out is no memory of ours.
        var message = bytes.extracting(first: head).copied() + [UInt8](repeating: 0, count: expanded - head)
        try compressor.expand(bytes.extracting(head...), into: &message, from: head)
        return message
    }

    /// Bytes before the payload.
    private static func headLength(of kind: FrameKind, _ bytes: borrowing RawSpan) throws(Violation) -> Int {
        let length: Int
        switch kind {
        case .request: length = bytes.byteCount < 12 ? 12 : 12 + Int(bytes.u16(at: 8)) + Int(bytes.u16(at: 10))
        case .message: length = bytes.byteCount < MessageHead.size ? MessageHead.size : MessageHead.size + Int(bytes.u16(at: 16))
        case .event: length = bytes.byteCount < 6 ? 6 : 6 + Int(bytes.u16(at: 4))
        default: length = 0
        }
        guard bytes.byteCount >= length else { throw Violation(.protocolViolation, "a compressed \(kind) of \(bytes.byteCount) bytes, shorter than its head of \(length)") }
        return length
    }
}
