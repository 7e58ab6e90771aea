// What the beginning of a named segment says of the ring in it, and what is believed of that. Where the fields lie is each layout's own affair.

package struct RingHeader: Sendable, Equatable {
    package var magic: UInt64
    package var version: UInt32
    package var flags: UInt32
    package var capacity: UInt64

    package init(magic: UInt64, version: UInt32, flags: UInt32, capacity: UInt64) {
        self.magic = magic
        self.version = version
        self.flags = flags
        self.capacity = capacity
    }

    /// Checks that this is what a maker writes who writes `due`, whatever the capacity, and that a ring of it fits into a segment of `bytes`, of which `control` are not data.
    package func check(like due: RingHeader, control: Int, segment bytes: UInt64) throws(RingHeaderFault) {
        guard magic != 0 else { throw .notInitialised }
        guard magic == due.magic else { throw .otherMagic(magic) }
        guard version == due.version else { throw .otherVersion(version, due: due.version) }
        guard flags & due.flags == due.flags else { throw .notInitialised }
        guard capacity <= bytes, UInt64(control) <= bytes - capacity else { throw .otherCapacity(capacity) }
    }
}

/// Why a named segment is not opened.
package enum RingHeaderFault: Error, Sendable, Equatable {
    /// Its maker has not finished, or never will.
    case notInitialised
    case otherMagic(UInt64)
    case otherVersion(UInt32, due: UInt32)
    /// One that no ring has, or that does not fit into the segment.
    case otherCapacity(UInt64)
}
