// The producing end of a ring in mapped memory: copy, publish, and see whether the consumer sleeps.
//
// Decides nothing about bytes: `RingProducer` does. Used by one thread at a time.

package import GinnelCore
internal import Synchronization

package struct RingWriter {
    private var producer: RingProducer
    private let memory: RingMemory

    package init(_ memory: RingMemory, _ producer: RingProducer) {
        self.memory = memory
        self.producer = producer
    }

    package var geometry: RingGeometry { producer.geometry }

    /// Room for a record of exactly `count` bytes, or `nil` while there is none. The caller fills `buffer(of:)` and publishes.
    package mutating func reserve(_ count: Int) throws(RingViolation) -> RingProducer.Place? {
        if let place = producer.place(for: count) { return place }
        return try lookForRoom() ? producer.place(for: count) : nil
    }

    package func buffer(of place: RingProducer.Place) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory.data + place.record.offset, count: place.record.count)
    }

    /// Copies as much of `bytes`, which is not empty, as one record takes: how many, 0 while there is no room.
    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(RingViolation) -> (count: Int, wakesConsumer: Bool) {
        var found = producer.place(upTo: bytes.count)
        // A look at the other side's counter costs a cache miss, but splitting what would fit whole costs the consumer more.
        if (found?.record.count ?? 0) < bytes.count, try lookForRoom() { found = producer.place(upTo: bytes.count) }
        guard let place = found else { return (0, false) }
        buffer(of: place).copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<place.record.count]))
        return (place.record.count, publish(place))
    }

    /// Makes a filled place visible. True when the consumer sleeps and is to be woken, which is then the caller's duty.
    package mutating func publish(_ place: RingProducer.Place) -> Bool {
        if let padding = place.padding { memory.data.storeBytes(of: RingGeometry.padding, toByteOffset: padding, as: UInt32.self) }
        memory.data.storeBytes(of: UInt32(place.record.count).littleEndian, toByteOffset: place.record.offset - 4, as: UInt32.self)
        memory.produced.pointee.store(producer.publish(place), ordering: .sequentiallyConsistent)
        return memory.consumerWaits.pointee.isSetAndCleared
    }

    /// Before sleeping for room: declares it and looks once more. False when there is more room than before.
    package mutating func declareWait() throws(RingViolation) -> Bool {
        memory.producerWaits.pointee.store(1, ordering: .sequentiallyConsistent)
        guard try producer.noteConsumed(memory.consumed.pointee.load(ordering: .sequentiallyConsistent)) else { return true }
        memory.producerWaits.pointee.store(0, ordering: .relaxed)
        return false
    }

    /// Whether the consumer has given something back since we last looked. Changes nothing.
    package var hasNews: Bool { memory.consumed.pointee.load(ordering: .relaxed) != producer.consumed }

    /// What this end has made its own counter say.
    var produced: UInt64 { producer.produced }

    private mutating func lookForRoom() throws(RingViolation) -> Bool {
        try producer.noteConsumed(memory.consumed.pointee.load(ordering: .acquiring))
    }
}
