// What the other side sends once it is sealed. Everything about a record is judged by its length before it has come, and by its key before a bit of it is believed.

struct RecordReader: Sendable {
    private var opener: any RecordOpener
    private var hasBegun = false
    /// A record was opened: the peer has the keys that it should have.
    private(set) var isProven = false
    /// The peer's final record has come.
    private(set) var hasEnded = false

    init(_ opener: any RecordOpener) { self.opener = opener }

    /// Opens the next record in `input`, from `offset` on, and moves that behind it; `nil` while it is incomplete.
    mutating func next(in input: borrowing RawSpan, at offset: inout Int) throws(Violation) -> [UInt8]? {
        if !hasBegun {
            guard input.byteCount - offset >= Record.openingBytes else { return nil }
            guard opener.begin(input.extracting(offset..<offset + Record.openingBytes).copied()) else { throw Self.notOpened(isProven) }
            hasBegun = true
            offset += Record.openingBytes
        }
        guard input.byteCount > offset else { return nil }
        guard !hasEnded else { throw Violation(.protocolViolation, "\(input.byteCount - offset) bytes after the final record") }
        guard input.byteCount - offset >= 4 else { return nil }
        let length = Int(input.u32(at: offset))
        guard (Record.overhead...Record.overhead + Record.maximumPlain).contains(length) else {
            throw Violation(.frameTooLarge, "a record of \(length) bytes, outside \(Record.overhead) to \(Record.overhead + Record.maximumPlain)")
        }
        let start = offset + 4
        guard input.byteCount - start >= length else { return nil }
        guard let record = opener.open(input.extracting(start..<start + length)) else { throw Self.notOpened(isProven) }
        isProven = true
        hasEnded = record.tag == .final
        offset = start + length
        return record.bytes
    }

    private static func notOpened(_ wasProven: Bool) -> Violation {
        Violation(
            .encryptionFailed,
            wasProven
                ? "a record cannot be opened: it was changed, repeated, left out or put in another order on its way"
                : "the peer's first record cannot be opened: it has other keys than it should have, or the handshake was changed on its way")
    }
}
