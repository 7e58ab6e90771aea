// The consumer's side of the other system's named ring: which bytes are the next record, judged by numbers that were copied out of the shared memory before.

package struct NamedRingConsumer: Sendable {
    package let geometry: NamedRingGeometry
    /// Where the oldest unread record begins.
    package private(set) var read: UInt64
    /// Where the producer stood when we last looked.
    package private(set) var written: UInt64

    /// A consumer that begins where the positions stand.
    package init(_ geometry: NamedRingGeometry, written: UInt64, read: UInt64) throws(RingViolation) {
        let checked = try NamedRingProducer(geometry, written: written, read: read)
        self.geometry = geometry
        self.written = checked.written
        self.read = checked.read
    }

    package var isEmpty: Bool { written == read }

    private var published: Int { geometry.distance(from: read, to: written) }

    /// Takes note of what the producer's position says. True when that is news.
    package mutating func noteWritten(_ value: UInt64) throws(RingViolation) -> Bool {
        guard geometry.holds(value), geometry.distance(from: read, to: value) >= published else {
            throw RingViolation(sentence: "the peer's write position says \(value), outside what is free: from \(written) round to \(read) in \(geometry.capacity) bytes")
        }
        defer { written = value }
        return value != written
    }

    /// Where the length of the next record lies. Only while the ring is not empty.
    package var length: NamedRingRun { geometry.run(NamedRingGeometry.lengthBytes, at: read) }

    /// The record whose length reads `word`. It was copied out once; what the peer writes there later does not matter.
    package func look(_ word: UInt32) throws(RingViolation) -> NamedRingRecord {
        guard word > 0 else { throw RingViolation(sentence: "a record of no bytes, which this layout does not have") }
        guard word <= geometry.longestPayload else {
            throw RingViolation(sentence: "a record claims \(word) bytes, over the longest of \(geometry.longestPayload)")
        }
        guard NamedRingGeometry.lengthBytes + Int(word) <= published else {
            throw RingViolation(sentence: "a record claims \(word) bytes where \(published) were published with its length")
        }
        return NamedRingRecord(geometry, payload: Int(word), at: read)
    }

    /// The record has been copied out: the producer may have its bytes back.
    package mutating func giveBack(_ record: NamedRingRecord) -> UInt64 {
        read = record.end
        return read
    }
}
