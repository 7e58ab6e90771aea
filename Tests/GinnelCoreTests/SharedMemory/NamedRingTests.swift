// The other system's ring: every place where a record can begin or be split, its known fault, and what is believed of its other side.

import GinnelCore
import GinnelTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct NamedRingTests {
    /// One is no power of two, and one is no multiple of four.
    @Test(arguments: [64, 100, 257, 512, 1024, 4096]) func `a payload of every length comes out as it went in, wherever the ring stands`(capacity: Int) throws {
        let ring = try PlainNamedRing(capacity: capacity)
        var random = SplitMix64(seed: 1)
        let bytes = random.bytes(capacity)
        try bytes.withUnsafeBytes { bytes in
            for length in 1...ring.geometry.longestPayload {
                // Every position, and of the largest ring those that split the length, the payload's ends or nothing.
                let ends = (0...9).flatMap { [$0, capacity - $0 - 1, (2 * capacity - length - $0) % capacity] }
                for position in capacity <= 1024 ? Array(0..<capacity) : ends {
                    try ring.begin(at: position)
                    let payload = UnsafeRawBufferPointer(rebasing: bytes[(length / 2)..<(length / 2 + length)])
                    guard try ring.write(payload), try ring.readEquals(payload) == true, ring.consumer.isEmpty, ring.producer.free == capacity else {
                        Issue.record("\(length) bytes at \(position) did not come out as they went in")
                        return
                    }
                }
            }
        }
        #expect(ring.canariesLive)
    }

    /// Where the other system's program writes outside of its ring: at the 1,024th message of 1,021 bytes, and in a small ring at the third of 21.
    @Test(arguments: [(1_048_576, 1021), (1_048_576, 1020), (64, 21), (64, 1)]) func `the same length over and over splits every word in every way`(capacity: Int, length: Int)
        throws
    {
        let ring = try PlainNamedRing(capacity: capacity)
        var random = SplitMix64(seed: 2)
        let bytes = random.bytes(length + 255)
        var splits: Set<Int> = []
        for index in 0..<3000 {
            splits.insert(min(4, capacity - Int(ring.producer.written)))
            let isSame = try bytes.withUnsafeBytes { bytes in
                let payload = UnsafeRawBufferPointer(rebasing: bytes[(index % 256)..<(index % 256 + length)])
                return try ring.write(payload) ? try ring.readEquals(payload) : nil
            }
            guard isSame == true else {
                Issue.record("message \(index)")
                return
            }
        }
        #expect(splits.contains(1) || length == 1020)
        #expect(ring.canariesLive)
    }

    @Test(arguments: [64, 65]) func `there is a place exactly when more than a record is free, and it touches nothing that is unread`(capacity: Int) throws {
        let geometry = try #require(NamedRingGeometry(capacity: capacity))
        for written in 0..<capacity {
            for read in 0..<capacity {
                let available = written >= read ? capacity - written + read : read - written
                let producer = try NamedRingProducer(geometry, written: UInt64(written), read: UInt64(read))
                #expect(producer.free == available)
                for count in 0...(capacity / 2 + 1) {
                    let place = producer.place(for: count)
                    guard count > 0, count <= capacity / 2, available > 4 + count else {
                        #expect(place == nil, "\(count) bytes at \(written), read to \(read)")
                        continue
                    }
                    #expect(Int(try #require(place).end) == (written + 4 + count) % capacity)
                    #expect(place?.length.count == 4 && place?.payload.count == count)
                }
            }
        }
    }

    @Test(arguments: [64, 100, 257, 4096]) func `records come in order, whole, as long as there is room, and none is lost`(capacity: Int) throws {
        for seed in UInt64(0)..<40 {
            let ring = try PlainNamedRing(capacity: capacity)
            var random = SplitMix64(seed: seed)
            try ring.begin(at: random.number(in: 0...(capacity - 1)))
            let bytes = random.bytes(2 * capacity)
            var waiting: [Range<Int>] = []
            var (written, read, refused) = (0, 0, 0)
            while read < 200 {
                if written < 200, !random.oneIn(3) {
                    let from = random.number(in: 0...capacity)
                    let count = random.number(in: 1...(random.oneIn(4) ? ring.geometry.longestPayload : 30))
                    if try bytes.withUnsafeBytes({ try ring.write(UnsafeRawBufferPointer(rebasing: $0[from..<from + count])) }) {
                        waiting.append(from..<from + count)
                        written += 1
                    } else {
                        refused += 1
                        #expect(!waiting.isEmpty, "an empty ring refused \(count) bytes")
                    }
                } else if let due = waiting.first {
                    #expect(try bytes.withUnsafeBytes { try ring.readEquals(UnsafeRawBufferPointer(rebasing: $0[due])) } == true)
                    waiting.removeFirst()
                    read += 1
                } else {
                    #expect(ring.consumer.isEmpty)
                }
            }
            #expect(ring.canariesLive && refused > 0, "seed \(seed)")
        }
    }

    // MARK: Lies

    private func consumer(_ written: UInt64, _ read: UInt64) throws -> NamedRingConsumer {
        try NamedRingConsumer(#require(NamedRingGeometry(capacity: 100)), written: written, read: read)
    }

    @Test(arguments: [(100, 0), (0, 100), (.max, 0), (0, .max), (1 << 63, 5)] as [(UInt64, UInt64)]) func `nobody begins where the data ends`(written: UInt64, read: UInt64) throws
    {
        let violation = try #require(throws: RingViolation.self) { try consumer(written, read) }
        #expect(violation.sentence == "the ring's positions, \(written) written and \(read) read, do not lie in its 100 bytes")
    }

    /// With 30 bytes published, from 80 round to 10.
    @Test(arguments: [100, .max, 1 << 63, 9, 0, 99, 80] as [UInt64]) func `a write position that lies outside, or goes back, is named and not used`(lie: UInt64) throws {
        var consumer = try consumer(10, 80)
        let violation = try #require(throws: RingViolation.self) { try consumer.noteWritten(lie) }
        #expect(violation.sentence.contains("write position says \(lie)"))
        #expect(consumer.written == 10)
        #expect(try !consumer.noteWritten(10))
        #expect(try consumer.noteWritten(79))
    }

    @Test(arguments: [100, .max, 1 << 63, 11, 50, 79] as [UInt64]) func `a read position that lies outside, or passes what is unread, is named and not used`(lie: UInt64) throws {
        var producer = try NamedRingProducer(#require(NamedRingGeometry(capacity: 100)), written: 10, read: 80)
        let violation = try #require(throws: RingViolation.self) { try producer.noteRead(lie) }
        #expect(violation.sentence.contains("read position says \(lie)"))
        #expect(producer.read == 80 && producer.free == 70)
        #expect(try producer.noteRead(5))
        #expect(throws: RingViolation.self) { try producer.noteRead(80) }
        #expect(try producer.noteRead(10))
    }

    @Test(
        arguments: [(0, "no bytes"), (27, "claims 27 bytes where 30"), (50, "claims 50 bytes where 30"), (51, "over the longest of 50"), (.max, "over the longest of 50")]
            as [(UInt32, String)])
    func `a length that cannot be is named`(word: UInt32, name: String) throws {
        let consumer = try consumer(10, 80)
        #expect(try consumer.look(26).end == 10)
        let violation = try #require(throws: RingViolation.self) { try consumer.look(word) }
        #expect(violation.sentence.contains(name))
    }

    @Test(arguments: 1...4) func `less than a record is named as well`(published: UInt64) throws {
        let violation = try #require(throws: RingViolation.self) { try consumer(published, 0).look(1) }
        #expect(violation.sentence.contains("where \(published) were published"))
    }

    @Test func `whatever stands in the ring, what is believed lies in what was published and in the data`() throws {
        var random = SplitMix64(seed: 7)
        for _ in 0..<50_000 {
            let (written, read) = (random.number(in: 0...99), random.number(in: 0...99))
            let consumer = try consumer(UInt64(written), UInt64(read))
            guard !consumer.isEmpty, let record = try? consumer.look(random.oneIn(2) ? UInt32(random.number(in: 0...60)) : UInt32(truncatingIfNeeded: random.next())) else {
                continue
            }
            #expect((written - read + 100) % 100 >= 4 + record.payload.count)
            for run in [record.length, record.payload] {
                #expect(run.offset >= 0 && run.beforeEnd >= 0 && run.offset + run.beforeEnd <= 100 && run.fromStart <= run.offset)
            }
        }
    }
}
