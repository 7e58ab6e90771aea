// What a reader tells the producer of, and when.

import GinnelCore
import GinnelTransport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct RingReaderTests {
    /// A ring of 1,024 bytes; records of 28 bytes take 32 of it.
    private func withRing(_ body: (RingMemory, inout RingWriter, inout RingReader) throws -> Void) throws {
        let geometry = try #require(RingGeometry(capacity: 1024))
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: RingGeometry.controlBytes + geometry.capacity, alignment: 128)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        defer { bytes.deallocate() }
        let memory = RingMemory(at: try #require(bytes.baseAddress))
        var writer = RingWriter(memory, RingProducer(geometry))
        var reader = RingReader(memory, RingConsumer(geometry))
        try body(memory, &writer, &reader)
    }

    private func publish(_ count: Int, _ writer: inout RingWriter) throws {
        for _ in 0..<count {
            let place = try writer.reserve(28)
            _ = writer.publish(try #require(place))
        }
    }

    private func told(_ memory: RingMemory) -> UInt64 { memory.consumed.pointee.load(ordering: .relaxed) }

    @Test func `what is given back is gathered up to an eighth of the ring, and told with the last record`() throws {
        try withRing { memory, writer, reader in
            try publish(6, &writer)
            var seen: [UInt64] = []
            while let record = try reader.next() {
                let wakes = reader.giveBackGathered(record)
                #expect(!wakes)
                seen.append(told(memory))
            }
            #expect(seen == [0, 0, 0, 128, 128, 192])
            let settled = reader.settle()
            #expect(!settled)
        }
    }

    @Test func `a producer that sleeps for room is woken by what is told, once`() throws {
        try withRing { memory, writer, reader in
            try publish(2, &writer)
            memory.producerWaits.pointee.store(1, ordering: .sequentiallyConsistent)
            var wakes: [Bool] = []
            while let record = try reader.next() { wakes.append(reader.giveBackGathered(record)) }
            #expect(wakes == [false, true])
            #expect(memory.producerWaits.pointee.load(ordering: .relaxed) == 0)
        }
    }

    @Test func `padding without a record behind it is given back when nothing is found, and wakes the producer`() throws {
        try withRing { memory, writer, reader in
            try publish(31, &writer)
            while let record = try reader.next() { _ = reader.giveBackGathered(record) }
            // The last 32 bytes are padding, published alone.
            memory.data.storeBytes(of: RingGeometry.padding, toByteOffset: 992, as: UInt32.self)
            memory.produced.pointee.store(1024, ordering: .sequentiallyConsistent)
            memory.producerWaits.pointee.store(1, ordering: .sequentiallyConsistent)
            let found = try reader.next()
            #expect(found == nil)
            #expect(told(memory) == 992)
            let wakes = reader.settle()
            #expect(wakes)
            #expect(told(memory) == 1024)
        }
    }
}
