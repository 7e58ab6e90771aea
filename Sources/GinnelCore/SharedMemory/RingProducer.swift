// The producer's side of a ring: where the next record goes, and whether there is room.

package struct RingProducer: Sendable {
    package let geometry: RingGeometry
    /// Bytes published so far.
    package private(set) var produced: UInt64
    /// Bytes that the consumer had given back when we last looked.
    package private(set) var consumed: UInt64

    /// Both counters begin at `start`, a multiple of 8.
    package init(_ geometry: RingGeometry, start: UInt64 = 0) {
        self.geometry = geometry
        produced = start
        consumed = start
    }

    /// A producer that takes over where an earlier one stopped.
    package init(_ geometry: RingGeometry, produced: UInt64, consumed: UInt64) throws(RingViolation) {
        self.geometry = geometry
        self.produced = produced
        self.consumed = consumed
        guard produced % 8 == 0, consumed % 8 == 0, produced &- consumed <= UInt64(geometry.capacity) else {
            throw RingViolation(sentence: "the ring's counters, \(produced) produced and \(consumed) consumed, do not fit a capacity of \(geometry.capacity)")
        }
    }

    /// Bytes that are free as far as we know.
    package var free: Int { geometry.capacity - Int(produced &- consumed) }

    /// Takes note of what the consumer's counter says. True when that is news.
    package mutating func noteConsumed(_ value: UInt64) throws(RingViolation) -> Bool {
        guard value % 8 == 0, value &- consumed <= produced &- consumed else {
            throw RingViolation(sentence: "the peer's counter of consumed bytes says \(value), outside \(consumed) to \(produced) or no multiple of 8")
        }
        defer { consumed = value }
        return value != consumed
    }

    /// Where a record goes, and a padding record before it where it would not fit before the end of the data.
    package struct Place: Sendable, Equatable {
        /// Offset of a padding record's length word.
        package var padding: Int?
        /// The offset of its length word is four less than that of its payload.
        package var record: RingRecord

        /// The same place with fewer bytes of payload.
        package func shortened(to count: Int) -> Place {
            guard count < record.count else { return self }
            var place = self
            place.record.end = record.end &- UInt64(RingGeometry.recordBytes(record.count) - RingGeometry.recordBytes(count))
            place.record.count = count
            return place
        }
    }

    /// The place for a payload of `count` bytes; `nil` while there is no room, or when it is longer than the longest.
    package func place(for count: Int) -> Place? {
        guard count <= geometry.longestPayload else { return nil }
        let bytes = RingGeometry.recordBytes(count)
        let offset = geometry.offset(produced)
        let toEnd = geometry.capacity - offset
        if bytes <= toEnd {
            guard bytes <= free else { return nil }
            return Place(padding: nil, record: RingRecord(offset: offset + 4, count: count, end: produced &+ UInt64(bytes)))
        }
        guard toEnd + bytes <= free else { return nil }
        return Place(padding: offset, record: RingRecord(offset: 4, count: count, end: produced &+ UInt64(toEnd + bytes)))
    }

    /// The place for the beginning of `count` bytes, at least one: as many as one record takes, or as many as fit before the end of what is free or of the data if that is a quarter of the
    /// ring, so that a consumer that is slow does not make the records ever smaller. `nil` while there is no such room; an empty ring has it.
    package func place(upTo count: Int) -> Place? {
        let wanted = min(count, geometry.longestPayload)
        if let whole = place(for: wanted) { return whole }
        let piece = min(free, geometry.capacity - geometry.offset(produced)) - 4
        return piece >= geometry.capacity / 4 - 4 ? place(for: min(wanted, piece)) : nil
    }

    /// The record at `place` is written: others may see it.
    package mutating func publish(_ place: Place) -> UInt64 {
        produced = place.record.end
        return produced
    }
}
