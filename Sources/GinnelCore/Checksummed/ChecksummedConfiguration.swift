// The checksummed format (docs/formats/checksummed.md): a length, a checksum over the payload, and the payload. There is one kind of request and one kind of
// reply, and nothing on the wire that names either, so the name of the one method is a matter of this side alone.
//
// The format has no failures. Where the messages have a place for one, a `CallFailureEncoder` of the program's own makes such a message; without
// it, or where it has no answer, a request that fails ends the connection.

/// The reply that tells a caller of a failure, in the words of the program's own messages; `nil` for none. `request` is what the caller sent, which need not be a message at
/// all. Called by the connection while it is locked: it must not block, nor use the connection.
public typealias CallFailureEncoder = @Sendable (_ failure: Failure, _ request: [UInt8]) -> [UInt8]?

package struct ChecksummedConfiguration: Sendable {
    /// Bytes of the longest payload, in both directions, inclusive. Default 1 MiB; 1 to 2³¹ − 1.
    package var maximumMessage = 1 << 20
    /// Default CRC-32 of IEEE 802.3.
    package var checksum = Checksum.ieee
    /// The name of the one method. Default "task".
    package var method = "task"
    /// How payloads are written, as far as this side is concerned. Default protobuf.
    package var codec = Codec.protobuf
    /// Service: how long a handler may take before the service answers with a failure in its place. Default `nil`: as long as it likes.
    package var handlerTimeout: Duration?
    /// Service: what a failure looks like. Default `nil`: the connection ends.
    package var failureEncoder: CallFailureEncoder?
    package var limits = SessionLimits.defaults
    package var timeouts = SessionTimeouts.defaults

    package init() {}
}

extension ChecksummedConfiguration: OrderedFormat {
    package var name: String { "the checksummed format" }
    package var headerSize: Int { 8 }
    package var hasEvents: Bool { false }
    package var holdsEvents: Bool { false }
    package var keepsRequests: Bool { failureEncoder != nil }

    package func next(in input: borrowing RawSpan, at offset: Int, for role: Role) throws(Violation) -> OrderedMessage? {
        guard input.byteCount - offset >= 4 else { return nil }
        let length = Int(input.u32(at: offset))
        guard length > 0 else { throw Violation(.protocolViolation, "a message of no bytes, which the format does not have") }
        guard length <= maximumMessage else {
            throw Violation(.frameTooLarge, "a message of \(length) bytes, over the limit of \(maximumMessage) (maximumMessage)")
        }
        let start = offset + headerSize
        guard input.byteCount - start >= length else { return nil }
        let said = input.u32(at: offset + 4)
        let found = checksum.value(of: input.extracting(start..<start + length))
        guard found == said else {
            throw Violation(.checksumMismatch, "a message of \(length) bytes with the checksum \(Self.hexadecimal(said)), where \(checksum) gives \(Self.hexadecimal(found))")
        }
        return OrderedMessage(role == .service ? .request(method: method) : .reply, payload: start..<start + length)
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    package func fault(in payload: [UInt8], sentAs meaning: OrderedMessage.Meaning) -> Failure? {
        if case .request(let asked) = meaning, asked != method { return Failure(.unknownMethod, "\(name) has one method here, \(method)") }
        if payload.isEmpty { return Failure(.invalidRequest, "a message of no bytes, which \(name) cannot carry") }
        guard payload.count <= maximumMessage else {
            return Failure(.tooLarge, "\(payload.count) bytes, over the limit of \(maximumMessage) (maximumMessage)")
        }
        return nil
    }

    package func reply(_ failure: Failure, to request: [UInt8]) -> [UInt8]? { failureEncoder?(failure, request) }

    package func write(_ payload: [UInt8], to output: inout OutputBuffer) {
        output.append(littleEndian: UInt32(truncatingIfNeeded: payload.count))
        output.append(littleEndian: checksum.value(of: payload.span.bytes))
        output.append(payload)
    }
}
