// What stands before a message's name and payload, and the records of an acknowledgement (docs/protocol.md §9).

struct MessageHead {
    static let size = 20
    /// The flag of a message that was sent before.
    static let redelivered: UInt8 = 1

    let id: UInt64
    let floor: UInt64
    let redelivered: Bool
    let name: String
    /// Bytes of the head and the name.
    let byteCount: Int

    init(_ bytes: borrowing RawSpan, _ names: inout NameCache) throws(Violation) {
        guard bytes.byteCount >= Self.size else { throw Violation(.protocolViolation, "a message of \(bytes.byteCount) bytes, shorter than its head of \(Self.size)") }
        id = bytes.u64(at: 0)
        floor = bytes.u64(at: 8)
        guard floor >= 1, floor <= id else { throw Violation(.protocolViolation, "a message with the id \(id) and a floor of \(floor), outside 1 to the id") }
        let flags = bytes.byte(at: 18)
        guard flags & ~Self.redelivered == 0, bytes.byte(at: 19) == 0 else { throw Violation(.protocolViolation, "a reserved flag in the head of a message") }
        redelivered = flags != 0
        let length = Int(bytes.u16(at: 16))
        byteCount = Self.size + length
        guard (1...255).contains(length), bytes.byteCount >= byteCount else {
            throw Violation(.protocolViolation, "a message's name claims \(length) bytes where \(bytes.byteCount - Self.size) are left and 1 to 255 are allowed")
        }
        guard let name = names.name(bytes.extracting(Self.size..<byteCount)) else { throw Violation(.protocolViolation, "a message's name is not UTF-8") }
        self.name = name
    }
}

extension Acknowledgement {
    static let size = 12
    /// Records that are put into one frame at most.
    static let mostInFrame = 340

    /// All records of a frame.
    static func all(in bytes: borrowing RawSpan) throws(Violation) -> [Acknowledgement] {
        guard !bytes.isEmpty, bytes.byteCount % size == 0 else {
            throw Violation(.protocolViolation, "acknowledgements of \(bytes.byteCount) bytes, which are no records of \(size)")
        }
        var list: [Acknowledgement] = []
        list.reserveCapacity(bytes.byteCount / size)
        for offset in stride(from: 0, to: bytes.byteCount, by: size) {
            let code = bytes.u32(at: offset + 8)
            list.append(Acknowledgement(id: bytes.u64(at: offset), refusal: code == 0 ? nil : FailureCode(rawValue: code)))
        }
        return list
    }

    /// A refusal with the code that means the opposite counts as `internal`.
    var encoded: [UInt8] {
        let code = refusal.map { $0.rawValue == 0 ? FailureCode.internal.rawValue : $0.rawValue }
        return id.littleEndianBytes + (code ?? 0).littleEndianBytes
    }
}
