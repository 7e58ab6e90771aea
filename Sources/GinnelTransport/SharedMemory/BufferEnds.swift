// The two ends of a `SharedMemoryBuffer`, in either layout: whole messages, copied in before they are published and out before they are given back.
//
// An end takes over where the ring's counters stand, and from then on knows what its own must say. When it says something else, somebody else is at this end too; that is
// noticed, and nothing is written or taken on top of it. Two that begin in the same moment can still damage what waits in the ring, never anything outside of it.
// Ends are used by one thread at a time.

package import GinnelCore
internal import Synchronization

package protocol BufferWriter: AnyObject {
    /// Publishes a message that this layout can hold. False, and nothing done, while there is no room.
    func tryWrite(_ bytes: UnsafeRawBufferPointer) throws(RingViolation) -> Bool
}

package protocol BufferReader: AnyObject {
    /// The next message; `nil` while there is none.
    func read() throws(RingViolation) -> [UInt8]?
}

extension RingViolation {
    fileprivate static func another(_ role: String, _ found: UInt64, _ own: UInt64) -> RingViolation {
        RingViolation(sentence: "another program \(role) this ring too: its place there is \(found) where this side left \(own)")
    }
}

// MARK: Ginnel's layout

package final class CountedBufferWriter: BufferWriter {
    private let memory: RingMemory
    private var writer: RingWriter

    package init(_ memory: RingMemory, _ geometry: RingGeometry) throws(RingViolation) {
        self.memory = memory
        let (produced, consumed) = (memory.produced.pointee.load(ordering: .acquiring), memory.consumed.pointee.load(ordering: .acquiring))
        writer = RingWriter(memory, try RingProducer(geometry, produced: produced, consumed: consumed))
    }

    package func tryWrite(_ bytes: UnsafeRawBufferPointer) throws(RingViolation) -> Bool {
        let found = memory.produced.pointee.load(ordering: .relaxed)
        guard found == writer.produced else { throw .another("writes to", found, writer.produced) }
        guard let place = try writer.reserve(bytes.count) else { return false }
        writer.buffer(of: place).copyMemory(from: bytes)
        // Nobody sleeps on a named ring.
        _ = writer.publish(place)
        return true
    }
}

package final class CountedBufferReader: BufferReader {
    private let memory: RingMemory
    private var reader: RingReader

    package init(_ memory: RingMemory, _ geometry: RingGeometry) throws(RingViolation) {
        self.memory = memory
        let (consumed, produced) = (memory.consumed.pointee.load(ordering: .acquiring), memory.produced.pointee.load(ordering: .acquiring))
        reader = RingReader(memory, try RingConsumer(geometry, produced: produced, consumed: consumed))
    }

    package func read() throws(RingViolation) -> [UInt8]? {
        let found = memory.consumed.pointee.load(ordering: .relaxed)
        guard found == reader.consumed else { throw .another("reads", found, reader.consumed) }
        guard let record = try reader.next() else {
            _ = reader.settle()
            return nil
        }
        let message = [UInt8](reader.bytes(of: record))
        _ = reader.giveBack(record)
        return message
    }
}

// MARK: The other system's layout

package final class PositionedBufferWriter: BufferWriter {
    private let memory: NamedRingMemory
    private var producer: NamedRingProducer

    package init(_ memory: NamedRingMemory, _ geometry: NamedRingGeometry) throws(RingViolation) {
        self.memory = memory
        let (written, read) = (memory.written.pointee.load(ordering: .acquiring), memory.read.pointee.load(ordering: .acquiring))
        producer = try NamedRingProducer(geometry, written: written, read: read)
    }

    package func tryWrite(_ bytes: UnsafeRawBufferPointer) throws(RingViolation) -> Bool {
        let found = memory.written.pointee.load(ordering: .relaxed)
        guard found == producer.written else { throw .another("writes to", found, producer.written) }
        guard let place = try place(for: bytes.count) else { return false }
        withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { memory.copy($0, to: place.length) }
        memory.copy(bytes, to: place.payload)
        memory.written.pointee.store(producer.publish(place), ordering: .releasing)
        return true
    }

    private func place(for count: Int) throws(RingViolation) -> NamedRingRecord? {
        if let place = producer.place(for: count) { return place }
        return try producer.noteRead(memory.read.pointee.load(ordering: .acquiring)) ? producer.place(for: count) : nil
    }
}

package final class PositionedBufferReader: BufferReader {
    private let memory: NamedRingMemory
    private var consumer: NamedRingConsumer

    package init(_ memory: NamedRingMemory, _ geometry: NamedRingGeometry) throws(RingViolation) {
        self.memory = memory
        let (read, written) = (memory.read.pointee.load(ordering: .acquiring), memory.written.pointee.load(ordering: .acquiring))
        consumer = try NamedRingConsumer(geometry, written: written, read: read)
    }

    package func read() throws(RingViolation) -> [UInt8]? {
        let found = memory.read.pointee.load(ordering: .relaxed)
        guard found == consumer.read else { throw .another("reads", found, consumer.read) }
        if consumer.isEmpty, try !consumer.noteWritten(memory.written.pointee.load(ordering: .acquiring)) { return nil }
        var word: UInt32 = 0
        withUnsafeMutableBytes(of: &word) { memory.copy(consumer.length, to: $0) }
        let record = try consumer.look(UInt32(littleEndian: word))
        let message = [UInt8](unsafeUninitializedCapacity: record.payload.count) { bytes, count in
            memory.copy(record.payload, to: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(bytes)[..<record.payload.count]))
            count = record.payload.count
        }
        memory.read.pointee.store(consumer.giveBack(record), ordering: .releasing)
        return message
    }
}
