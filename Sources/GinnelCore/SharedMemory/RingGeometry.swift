// The measures of a ring (docs/shared-memory.md §1), as plain integers: this folder decides where bytes lie and believes nothing that stands in shared
// memory; the code that touches memory is in GinnelTransport.

package struct RingGeometry: Sendable, Equatable {
    /// Bytes of control block before the data.
    package static let controlBytes = 512
    package static let capacities = 64...(1 << 30)
    /// What stands for a length where the rest up to the end of the data is unused.
    package static let padding: UInt32 = .max

    /// Bytes of data: a power of two.
    package let capacity: Int

    /// `nil` for a capacity that is no power of two from 64 to 2³⁰.
    package init?(capacity: Int) {
        guard Self.capacities.contains(capacity), capacity & (capacity - 1) == 0 else { return nil }
        self.capacity = capacity
    }

    /// The smallest ring of at least `count` bytes, or the largest there is.
    package init(atLeast count: Int) {
        var capacity = Self.capacities.lowerBound
        while capacity < count, capacity < Self.capacities.upperBound { capacity *= 2 }
        self.capacity = capacity
    }

    /// A record takes at most half the capacity, so that one always fits into an empty ring, wherever that begins.
    package var longestPayload: Int { capacity / 2 - 4 }

    /// Bytes that a record with a payload of `count` bytes takes.
    package static func recordBytes(_ count: Int) -> Int { (count + 4 + 7) & ~7 }

    func offset(_ counter: UInt64) -> Int { Int(truncatingIfNeeded: counter) & (capacity - 1) }

    /// From one ring of a segment to the next.
    package var stride: Int { (Self.controlBytes + capacity + 4095) & ~4095 }
    /// Bytes of a stream's segment: two rings.
    package var segmentBytes: Int { 2 * stride }
}

/// Where a record is.
package struct RingRecord: Sendable, Equatable {
    /// Offset of the payload in the ring's data.
    package var offset: Int
    /// Bytes of payload.
    package var count: Int
    /// The counter behind the record.
    package var end: UInt64

    package init(offset: Int, count: Int, end: UInt64) {
        self.offset = offset
        self.count = count
        self.end = end
    }
}

/// What the other side wrote into the ring that cannot be.
package struct RingViolation: Error, Sendable, Equatable {
    package let sentence: String

    package init(sentence: String) { self.sentence = sentence }
}
