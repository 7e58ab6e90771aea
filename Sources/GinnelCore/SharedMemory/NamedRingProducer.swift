// The producer's side of the other system's named ring: where the next record goes, and whether there is room.

package struct NamedRingProducer: Sendable {
    package let geometry: NamedRingGeometry
    /// Where the next record begins.
    package private(set) var written: UInt64
    /// Where the consumer stood when we last looked.
    package private(set) var read: UInt64

    /// A producer that begins where the positions stand.
    package init(_ geometry: NamedRingGeometry, written: UInt64, read: UInt64) throws(RingViolation) {
        guard geometry.holds(written), geometry.holds(read) else {
            throw RingViolation(sentence: "the ring's positions, \(written) written and \(read) read, do not lie in its \(geometry.capacity) bytes")
        }
        self.geometry = geometry
        self.written = written
        self.read = read
    }

    /// Bytes that are free as far as we know; a record must leave one of them.
    package var free: Int { geometry.capacity - geometry.distance(from: read, to: written) }

    /// Takes note of what the consumer's position says. True when that is news.
    package mutating func noteRead(_ value: UInt64) throws(RingViolation) -> Bool {
        guard geometry.holds(value), geometry.distance(from: read, to: value) <= geometry.distance(from: read, to: written) else {
            throw RingViolation(sentence: "the peer's read position says \(value), outside what is unread: from \(read) to \(written) in \(geometry.capacity) bytes")
        }
        defer { read = value }
        return value != read
    }

    /// The place for a payload of `count` bytes; `nil` while there is no room, and for one that is empty or longer than the longest.
    package func place(for count: Int) -> NamedRingRecord? {
        guard (1...geometry.longestPayload).contains(count), free > NamedRingGeometry.lengthBytes + count else { return nil }
        return NamedRingRecord(geometry, payload: count, at: written)
    }

    /// The record at `place` is written: others may see it.
    package mutating func publish(_ place: NamedRingRecord) -> UInt64 {
        written = place.end
        return written
    }
}
