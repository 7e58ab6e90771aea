// The measures of the other system's named ring (docs/formats/named-ring.md), as plain integers, and the only place that reckons modulo its capacity.
//
// Its positions are offsets in the data and no free-running counters: equal ones mean an empty ring, so one is never filled to the last byte, and a capacity need be no power of two.

package struct NamedRingGeometry: Sendable, Equatable {
    package static let capacities = 64...(1 << 30)
    /// What a program of the other system makes, and expects of a ring that it opens.
    package static let usualCapacity = 1_048_576
    /// Bytes of a record's length.
    package static let lengthBytes = 4

    /// Bytes of data.
    package let capacity: Int

    /// `nil` for a capacity outside 64 to 2³⁰.
    package init?(capacity: Int) {
        guard Self.capacities.contains(capacity) else { return nil }
        self.capacity = capacity
    }

    package var longestPayload: Int { capacity / 2 }

    /// Whether a position lies in the data. The other functions are asked only about those that do.
    func holds(_ position: UInt64) -> Bool { position < UInt64(capacity) }

    /// Bytes from one position forward to another.
    func distance(from first: UInt64, to second: UInt64) -> Int {
        let difference = Int(second) - Int(first)
        return difference < 0 ? difference + capacity : difference
    }

    /// The position `count` bytes further on, at most the capacity.
    func position(_ count: Int, after position: UInt64) -> UInt64 { UInt64((Int(position) + count) % capacity) }

    func run(_ count: Int, at position: UInt64) -> NamedRingRun {
        let beforeEnd = min(count, capacity - Int(position))
        return NamedRingRun(offset: Int(position), beforeEnd: beforeEnd, fromStart: count - beforeEnd)
    }
}

/// Bytes in the data that may go on at its beginning.
package struct NamedRingRun: Sendable, Equatable {
    package let offset: Int
    /// How many lie from `offset` on.
    package let beforeEnd: Int
    /// How many lie at the beginning of the data.
    package let fromStart: Int

    package var count: Int { beforeEnd + fromStart }
}

/// Where a record is, or goes.
package struct NamedRingRecord: Sendable, Equatable {
    package let length: NamedRingRun
    package let payload: NamedRingRun
    /// The position behind it.
    package let end: UInt64

    init(_ geometry: NamedRingGeometry, payload count: Int, at position: UInt64) {
        let begin = geometry.position(NamedRingGeometry.lengthBytes, after: position)
        length = geometry.run(NamedRingGeometry.lengthBytes, at: position)
        payload = geometry.run(count, at: begin)
        end = geometry.position(count, after: begin)
    }
}
