// The consuming end of a ring in mapped memory: find the next record, lend or copy it, give it back, and see whether the producer sleeps.
//
// Decides nothing about bytes: `RingConsumer` does. A record is judged by one copy of its length; its payload may be changed by the peer for as long as it lies in the
// ring, so whatever is validated is copied first. Used by one thread at a time.

package import GinnelCore
internal import Synchronization

package struct RingReader {
    private var consumer: RingConsumer
    private let memory: RingMemory
    /// What the shared counter says; the consumer's own may be ahead of it.
    private var told: UInt64
    private let most: UInt64
    /// Nothing that is published from now on is looked at.
    private var isFinal = false

    package init(_ memory: RingMemory, _ consumer: RingConsumer) {
        self.memory = memory
        self.consumer = consumer
        told = consumer.consumed
        most = UInt64(consumer.geometry.capacity / 8)
    }

    package var geometry: RingGeometry { consumer.geometry }

    /// The next record, which stays in the ring until `giveBack`; `nil` while there is none, and then `settle` is due.
    package mutating func next() throws(RingViolation) -> RingRecord? {
        while true {
            if consumer.isEmpty, try !look() { return nil }
            switch try consumer.look(UInt32(littleEndian: lengthWord)) {
            case .record(let record): return record
            case .padding(let end): _ = consumer.giveBack(to: end)
            }
        }
    }

    package func bytes(of record: RingRecord) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory.data + record.offset, count: record.count)
    }

    /// The caller needs the record's bytes no longer. True when the producer sleeps for room and is to be woken.
    package mutating func giveBack(_ record: RingRecord) -> Bool {
        _ = consumer.giveBack(to: record.end)
        return tell()
    }

    /// The same; but while more records are known to lie there the producer is told of several at once, at most an eighth of the ring. Each telling takes the counter's cache line
    /// from the producer, which looks at it after every record.
    package mutating func giveBackGathered(_ record: RingRecord) -> Bool {
        let end = consumer.giveBack(to: record.end)
        return consumer.isEmpty || end &- told >= most ? tell() : false
    }

    /// Nothing was found: tells the producer of what was passed over and not told yet. True when it is to be woken.
    package mutating func settle() -> Bool { told != consumer.consumed && tell() }

    private mutating func tell() -> Bool {
        told = consumer.consumed
        memory.consumed.pointee.store(told, ordering: .sequentiallyConsistent)
        return memory.producerWaits.pointee.isSetAndCleared
    }

    /// Before sleeping for a record: declares it and looks once more. False when there is something.
    package mutating func declareWait() throws(RingViolation) -> Bool {
        memory.consumerWaits.pointee.store(1, ordering: .sequentiallyConsistent)
        guard try consumer.noteProduced(memory.produced.pointee.load(ordering: .sequentiallyConsistent)) || !consumer.isEmpty else { return true }
        memory.consumerWaits.pointee.store(0, ordering: .relaxed)
        return false
    }

    /// Whether something lies there. Changes nothing.
    package var hasNews: Bool { !consumer.isEmpty || !isFinal && memory.produced.pointee.load(ordering: .relaxed) != consumer.produced }

    /// What this end has made its own counter say.
    var consumed: UInt64 { told }

    /// Whether everything that we know of has been read.
    package var isEmpty: Bool { consumer.isEmpty }

    /// The peer is no more: what it has published by now is read, and nothing that somebody who kept the memory publishes later.
    package mutating func noteEnd() throws(RingViolation) {
        _ = try look()
        isFinal = true
    }

    private mutating func look() throws(RingViolation) -> Bool {
        if isFinal { return false }
        return try consumer.noteProduced(memory.produced.pointee.load(ordering: .acquiring))
    }

    /// Read once: an atomic load, so that no second look at memory that the peer may have changed replaces it.
    private var lengthWord: UInt32 {
        let word = (memory.data + consumer.lengthOffset).assumingMemoryBound(to: Atomic<UInt32>.self)
        return word.pointee.load(ordering: .relaxed)
    }
}

extension Atomic<UInt32> {
    /// Whether the other side sleeps; if so its flag is cleared, and exactly one thread is told.
    var isSetAndCleared: Bool {
        load(ordering: .sequentiallyConsistent) != 0 && exchange(0, ordering: .sequentiallyConsistent) != 0
    }
}
