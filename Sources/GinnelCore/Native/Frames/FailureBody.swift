// A failure as the payload of FAILURE, REJECT and GOODBYE (docs/protocol.md §6).

extension Failure {
    /// Bytes of a REJECT or GOODBYE; enough for a sentence, and less than any peer's limit on one frame.
    static let maximumControlBody = 4096
    private static let head = 6
    private static let maximumSentence = 4096

    /// u32 code, u16 length, sentence, details, in at most `limit` bytes (6 or more). A long sentence is cut; details that have no room are left out whole,
    /// since half of them would mislead. What must arrive is the code.
    func body(atMost limit: Int) -> [UInt8] {
        var text = sentence
        text.makeContiguousUTF8()
        var bytes = Array(text.utf8.prefix(min(Self.maximumSentence, limit - Self.head)))
        while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        let fits = details.count <= limit - Self.head - bytes.count
        return code.rawValue.littleEndianBytes + UInt16(bytes.count).littleEndianBytes + bytes + (fits ? details : [])
    }

    init(body: borrowing RawSpan) throws(Violation) {
        guard body.byteCount >= 6 else { throw Violation(.protocolViolation, "a failure of \(body.byteCount) bytes, shorter than its head of 6") }
        let length = Int(body.u16(at: 4))
        guard body.byteCount - 6 >= length else {
            throw Violation(.protocolViolation, "a failure's sentence claims \(length) bytes where \(body.byteCount - 6) are left")
        }
        let sentence = body.extracting(6..<6 + length).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        self.init(FailureCode(rawValue: body.u32(at: 0)), sentence, details: body.extracting((6 + length)...).copied())
    }
}
