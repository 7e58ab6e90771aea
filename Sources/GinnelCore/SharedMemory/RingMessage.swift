// The 16 bytes with which a stream over shared memory is offered, accepted, refused, switched to and ended (docs/shared-memory.md §4).

package enum RingVerb: UInt8, Sendable {
    case offer = 1
    case accept = 2
    case refuse = 3
    case `switch` = 4
    /// The farewell of a bare stream.
    case end = 5
}

package struct RingMessage: Sendable, Equatable {
    package static let size = 16
    package static let version: UInt8 = 1
    /// What stands before the offer and its answer on the socket of a bare stream.
    package static let preamble: [UInt8] = Array("GINSHM".utf8) + [1, 0]

    package var verb: RingVerb
    /// Descriptors that come with it.
    package var handles: Int
    /// Capacity of each ring (offer) or the code of a failure (refuse).
    package var value: UInt32

    package init(_ verb: RingVerb, handles: Int = 0, value: UInt32 = 0) {
        self.verb = verb
        self.handles = handles
        self.value = value
    }

    package var encoded: [UInt8] {
        [verb.rawValue, Self.version, UInt8(clamping: handles), 0] + value.littleEndianBytes + [UInt8](repeating: 0, count: 8)
    }

    /// Reads a message of exactly 16 bytes.
    package init(_ bytes: borrowing RawSpan) throws(RingViolation) {
        guard bytes.byteCount == Self.size else { throw RingViolation(sentence: "a message about shared memory of \(bytes.byteCount) bytes where \(Self.size) are due") }
        let first = bytes.u32(at: 0)
        guard let verb = RingVerb(rawValue: UInt8(first & 0xFF)) else { throw RingViolation(sentence: "unknown verb \(first & 0xFF) about shared memory") }
        guard UInt8(first >> 8 & 0xFF) == Self.version else {
            throw RingViolation(sentence: "shared memory in version \(first >> 8 & 0xFF), where this side speaks \(Self.version)")
        }
        let (handles, value) = (Int(first >> 16 & 0xFF), bytes.u32(at: 4))
        guard verb == .offer || handles == 0 else { throw RingViolation(sentence: "\(handles) descriptors with a message about shared memory that is no offer") }
        guard first >> 24 == 0, bytes.u64(at: 8) == 0, verb == .offer || verb == .refuse || value == 0 else {
            throw RingViolation(sentence: "reserved bytes of a message about shared memory are not zero")
        }
        self.init(verb, handles: handles, value: value)
    }
}
