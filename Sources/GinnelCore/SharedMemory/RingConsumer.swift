// The consumer's side of a ring: which bytes are the next record, judged by numbers that were copied out of the shared memory before.

package struct RingConsumer: Sendable {
    package let geometry: RingGeometry
    /// Bytes given back so far.
    package private(set) var consumed: UInt64
    /// Bytes that the producer had published when we last looked.
    package private(set) var produced: UInt64

    /// Both counters begin at `start`, a multiple of 8.
    package init(_ geometry: RingGeometry, start: UInt64 = 0) {
        self.geometry = geometry
        consumed = start
        produced = start
    }

    /// A consumer that takes over where an earlier one stopped.
    package init(_ geometry: RingGeometry, produced: UInt64, consumed: UInt64) throws(RingViolation) {
        let checked = try RingProducer(geometry, produced: produced, consumed: consumed)
        self.geometry = geometry
        self.consumed = checked.consumed
        self.produced = checked.produced
    }

    package var isEmpty: Bool { produced == consumed }

    /// Takes note of what the producer's counter says. True when that is news.
    package mutating func noteProduced(_ value: UInt64) throws(RingViolation) -> Bool {
        guard value % 8 == 0, value &- produced <= UInt64(geometry.capacity) &- (produced &- consumed) else {
            throw RingViolation(
                sentence: "the peer's counter of produced bytes says \(value), outside \(produced) to \(consumed &+ UInt64(geometry.capacity)) or no multiple of 8")
        }
        defer { produced = value }
        return value != produced
    }

    /// Where the length word of the next record lies. Only while the ring is not empty.
    package var lengthOffset: Int { geometry.offset(consumed) }

    package enum Look: Sendable, Equatable {
        case record(RingRecord)
        /// Unused bytes up to the end of the data; pass over them and look again.
        case padding(end: UInt64)
    }

    /// What the length word at `lengthOffset` means. It was read once; what the peer writes there later does not matter.
    package func look(_ word: UInt32) throws(RingViolation) -> Look {
        let published = Int(produced &- consumed)
        let toEnd = geometry.capacity - lengthOffset
        if word == RingGeometry.padding {
            // So nothing is passed over twice in a row, however fast a peer publishes padding.
            guard toEnd < geometry.capacity / 2 else {
                throw RingViolation(sentence: "a padding record of \(toEnd) bytes where every record has room")
            }
            guard toEnd <= published else {
                throw RingViolation(sentence: "a padding record of \(toEnd) bytes where \(published) were published")
            }
            return .padding(end: consumed &+ UInt64(toEnd))
        }
        guard word <= geometry.longestPayload else {
            throw RingViolation(sentence: "a record claims \(word) bytes, over the longest of \(geometry.longestPayload)")
        }
        let bytes = RingGeometry.recordBytes(Int(word))
        guard bytes <= min(published, toEnd) else {
            throw RingViolation(sentence: "a record claims \(word) bytes where \(published) were published and \(toEnd) are left to the end of the ring")
        }
        return .record(RingRecord(offset: lengthOffset + 4, count: Int(word), end: consumed &+ UInt64(bytes)))
    }

    /// Everything up to `end` has been copied out: the producer may have it back.
    package mutating func giveBack(to end: UInt64) -> UInt64 {
        consumed = end
        return consumed
    }
}
