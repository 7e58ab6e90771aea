// The two layouts that a named ring may have, and what is believed of a segment that is said to hold one.

internal import GinnelCore

extension SharedMemoryBuffer {
    /// How the ring lies in memory. Both programs must mean the same one.
    public enum Layout: Sendable, Hashable {
        /// Ginnel's own (docs/shared-memory.md §1).
        case ginnel
        /// That of another system, with a header of 64 bytes that begins with `LAPCIPC` (docs/formats/named-ring.md); its programs expect a `Name.perBoot` and a size of 1,048,576.
        case headered64
    }
}

extension SharedMemoryBuffer.Layout {
    /// Whether a message may be empty.
    var hasEmptyMessages: Bool { self == .ginnel }

    /// Bytes before the data.
    var controlBytes: Int {
        switch self {
        case .ginnel: RingGeometry.controlBytes
        case .headered64: NamedRingMemory.headerBytes
        }
    }

    /// The shape of a ring that somebody wants to make.
    func shape(wanted size: Int) throws -> BufferShape {
        if let shape = BufferShape(self, size: size) { return shape }
        switch self {
        case .ginnel:
            let isBetween = RingGeometry.capacities.contains(size)
            let next = isBetween ? ", such as \(1 << (Int.bitWidth - size.leadingZeroBitCount))" : ""
            throw GinnelError(.invalid, "a shared memory ring cannot have \(size) bytes: a power of two from 64 to 1073741824 is due\(next)")
        case .headered64:
            throw GinnelError(.invalid, "a shared memory ring with a header of 64 bytes cannot have \(size) bytes: 64 to 1073741824 are due")
        }
    }

    /// The shape of the ring that somebody has made.
    func shape(found segment: Segment) throws(RingHeaderFault) -> BufferShape {
        let header: RingHeader
        switch self {
        case .ginnel:
            header = RingMemory(at: segment.base).header
            try header.check(like: RingMemory.header, control: controlBytes, segment: segment.size)
        case .headered64:
            header = NamedRingMemory(at: segment.base).header
            try header.check(like: NamedRingMemory.header, control: controlBytes, segment: segment.size)
        }
        guard let shape = BufferShape(self, size: Int(clamping: header.capacity)) else { throw .otherCapacity(header.capacity) }
        return shape
    }
}

/// A layout with its measures.
enum BufferShape: Sendable {
    case counted(RingGeometry)
    case positioned(NamedRingGeometry)

    /// `nil` for a size that no ring of the layout has.
    init?(_ layout: SharedMemoryBuffer.Layout, size: Int) {
        switch layout {
        case .ginnel:
            guard let geometry = RingGeometry(capacity: size) else { return nil }
            self = .counted(geometry)
        case .headered64:
            guard let geometry = NamedRingGeometry(capacity: size) else { return nil }
            self = .positioned(geometry)
        }
    }

    /// Bytes of data.
    var size: Int {
        switch self {
        case .counted(let geometry): geometry.capacity
        case .positioned(let geometry): geometry.capacity
        }
    }

    var longestMessage: Int {
        switch self {
        case .counted(let geometry): geometry.longestPayload
        case .positioned(let geometry): geometry.longestPayload
        }
    }

    /// Makes a ring of memory that is all zero.
    func initialize(_ base: UnsafeMutableRawPointer) {
        switch self {
        case .counted(let geometry): RingMemory(at: base).initialize(geometry)
        case .positioned(let geometry): NamedRingMemory(at: base).initialize(geometry)
        }
    }

    func writer(_ base: UnsafeMutableRawPointer) throws(RingViolation) -> any BufferWriter {
        switch self {
        case .counted(let geometry): try CountedBufferWriter(RingMemory(at: base), geometry)
        case .positioned(let geometry): try PositionedBufferWriter(NamedRingMemory(at: base), geometry)
        }
    }

    func reader(_ base: UnsafeMutableRawPointer) throws(RingViolation) -> any BufferReader {
        switch self {
        case .counted(let geometry): try CountedBufferReader(RingMemory(at: base), geometry)
        case .positioned(let geometry): try PositionedBufferReader(NamedRingMemory(at: base), geometry)
        }
    }
}
