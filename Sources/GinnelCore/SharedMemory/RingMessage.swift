// The 16 bytes with which a stream over shared memory is offered, accepted, refused, switched to and ended (docs/shared-memory.md §4).

package enum RingVerb: UInt8, Sendable {
    case offer = 1
    case accept = 2
    case refuse = 3
    case `switch` = 4
    /// The farewell of a bare stream.
    case end = 5
}

/// The descriptors of an offer.
package struct OfferedHandles: Sendable, Equatable, ExpressibleByIntegerLiteral {
    package var count: Int
    /// Where a descriptor does not travel beside bytes, the only one is named here, by its number in the receiver's process; 0 elsewhere.
    package var number: UInt64

    package init(_ count: Int, number: UInt64 = 0) {
        self.count = count
        self.number = number
    }

    package init(integerLiteral count: Int) { self.init(count) }

    package static let none: OfferedHandles = 0
}

package struct RingMessage: Sendable, Equatable {
    package static let size = 16
    package static let version: UInt8 = 1
    /// What stands before the offer and its answer on the socket of a bare stream.
    package static let preamble: [UInt8] = Array("GINSHM".utf8) + [1, 0]

    package var verb: RingVerb
    /// Descriptors that come with it, or in it.
    package var handles: OfferedHandles
    /// Capacity of each ring (offer) or the code of a failure (refuse).
    package var value: UInt32

    package init(_ verb: RingVerb, handles: OfferedHandles = .none, value: UInt32 = 0) {
        self.verb = verb
        self.handles = handles
        self.value = value
    }

    package var encoded: [UInt8] {
        [verb.rawValue, Self.version, UInt8(clamping: handles.count), 0] + value.littleEndianBytes + handles.number.littleEndianBytes
    }

    /// Reads a message of exactly 16 bytes.
    package init(_ bytes: borrowing RawSpan) throws(RingViolation) {
        guard bytes.byteCount == Self.size else { throw RingViolation(sentence: "a message about shared memory of \(bytes.byteCount) bytes where \(Self.size) are due") }
        let first = bytes.u32(at: 0)
        guard let verb = RingVerb(rawValue: UInt8(first & 0xFF)) else { throw RingViolation(sentence: "unknown verb \(first & 0xFF) about shared memory") }
        guard UInt8(first >> 8 & 0xFF) == Self.version else {
            throw RingViolation(sentence: "shared memory in version \(first >> 8 & 0xFF), where this side speaks \(Self.version)")
        }
        let (handles, value) = (OfferedHandles(Int(first >> 16 & 0xFF), number: bytes.u64(at: 8)), bytes.u32(at: 4))
        guard verb == .offer || handles.count == 0 else {
            throw RingViolation(sentence: "\(handles.count) descriptors with a message about shared memory that is no offer")
        }
        guard first >> 24 == 0, verb == .offer || handles.number == 0, verb == .offer || verb == .refuse || value == 0 else {
            throw RingViolation(sentence: "reserved bytes of a message about shared memory are not zero")
        }
        guard handles.number == 0 || handles.count == 1 else {
            throw RingViolation(sentence: "reserved bytes of an offer of \(handles.count) descriptors are not zero")
        }
        self.init(verb, handles: handles, value: value)
    }
}
