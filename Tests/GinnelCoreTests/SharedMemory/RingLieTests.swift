// What the other side may write into a ring, and what is believed of it.

import GinnelCore
import GinnelTesting
import Testing

@Suite struct RingLieTests {
    private let geometry = RingGeometry(capacity: 128)!

    /// A consumer at `start` that knows of `published` bytes.
    private func consumer(_ start: UInt64, _ published: UInt64) throws -> RingConsumer {
        try RingConsumer(geometry, produced: start &+ published, consumed: start)
    }

    private func producer(_ start: UInt64, _ published: UInt64) throws -> RingProducer {
        try RingProducer(geometry, produced: start &+ published, consumed: start)
    }

    // MARK: Counters

    /// Ahead of what fits, behind what was said before, far away, no multiple of 8; as distances from what is published.
    @Test(arguments: [112, 1 << 40, .max / 8 * 8, 0 &- 8, 0 &- 24, 0 &- 32, 1, 4, 7, 9, 0 &- 1] as [UInt64], [0, 1 << 20, 0 &- 16] as [UInt64])
    func `a counter of produced bytes that cannot be is named and not used`(distance: UInt64, start: UInt64) throws {
        var consumer = try consumer(start, 24)
        let lie = start &+ 24 &+ distance
        let violation = try #require(throws: RingViolation.self) { try consumer.noteProduced(lie) }
        #expect(violation.sentence.contains("produced bytes says \(lie)"))
        #expect(consumer.produced == start &+ 24 && consumer.consumed == start)
    }

    @Test(arguments: [0, 8, 96, 104], [0, 1 << 20, 0 &- 16] as [UInt64])
    func `a counter of produced bytes that can be is believed`(news: UInt64, start: UInt64) throws {
        var consumer = try consumer(start, 24)
        #expect(try consumer.noteProduced(start &+ 24 &+ min(news, 104)) == (news > 0))
        #expect(consumer.produced == start &+ 24 &+ news)
    }

    /// As distances from what was given back, where 24 bytes are published.
    @Test(arguments: [32, 128, 1 << 40, 0 &- 8, 0 &- 128, 1, 4, 7, 23] as [UInt64], [0, 1 << 20, 0 &- 16] as [UInt64])
    func `a counter of consumed bytes that cannot be is named and not used`(distance: UInt64, start: UInt64) throws {
        var producer = try producer(start, 24)
        let lie = start &+ distance
        let violation = try #require(throws: RingViolation.self) { try producer.noteConsumed(lie) }
        #expect(violation.sentence.contains("consumed bytes says \(lie)"))
        #expect(producer.consumed == start && producer.free == 104)
    }

    @Test func `a counter of consumed bytes does not go back`() throws {
        var producer = try producer(64, 24)
        #expect(try producer.noteConsumed(80))
        #expect(throws: RingViolation.self) { try producer.noteConsumed(72) }
        #expect(try !producer.noteConsumed(80))
        #expect(try producer.noteConsumed(88))
        #expect(producer.free == 128)
    }

    @Test(arguments: [(129, 0), (136, 0), (0, 8), (8, 16), (4, 0), (8, 4), (12, 4), (0, .max - 6), (1 << 63, 0)] as [(UInt64, UInt64)])
    func `nobody takes over a ring whose counters cannot be`(produced: UInt64, consumed: UInt64) {
        #expect(throws: RingViolation.self) { try RingProducer(geometry, produced: produced, consumed: consumed) }
        #expect(throws: RingViolation.self) { try RingConsumer(geometry, produced: produced, consumed: consumed) }
    }

    // MARK: Lengths

    @Test func `a length over the longest is named`() throws {
        let consumer = try consumer(0, 128)
        #expect(geometry.longestPayload == 60)
        #expect(try consumer.look(60) == .record(RingRecord(offset: 4, count: 60, end: 64)))
        for word in [61, 64, 124, 128, 1 << 31, .max - 1] as [UInt32] {
            let violation = try #require(throws: RingViolation.self) { try consumer.look(word) }
            #expect(violation.sentence == "a record claims \(word) bytes, over the longest of 60")
        }
    }

    @Test func `a length of nothing is an empty payload`() throws {
        #expect(try consumer(8, 8).look(0) == .record(RingRecord(offset: 12, count: 0, end: 16)))
    }

    @Test func `a record that goes beyond what was published is named`() throws {
        let consumer = try consumer(0, 24)
        #expect(try consumer.look(20) == .record(RingRecord(offset: 4, count: 20, end: 24)))
        let violation = try #require(throws: RingViolation.self) { try consumer.look(21) }
        #expect(violation.sentence == "a record claims 21 bytes where 24 were published and 128 are left to the end of the ring")
    }

    @Test func `a record that goes beyond the end of the data is named`() throws {
        let consumer = try consumer(104, 64)
        #expect(try consumer.look(20) == .record(RingRecord(offset: 108, count: 20, end: 128)))
        let violation = try #require(throws: RingViolation.self) { try consumer.look(21) }
        #expect(violation.sentence == "a record claims 21 bytes where 64 were published and 24 are left to the end of the ring")
    }

    @Test func `padding beyond what was published is named`() throws {
        #expect(try consumer(104, 24).look(RingGeometry.padding) == .padding(end: 128))
        let violation = try #require(throws: RingViolation.self) { try consumer(104, 16).look(RingGeometry.padding) }
        #expect(violation.sentence == "a padding record of 24 bytes where 16 were published")
    }

    /// A record takes half the capacity at most, so no producer has a reason. Else a peer that goes on publishing padding would keep us passing over it.
    @Test(arguments: [0, 8, 56, 64] as [UInt64]) func `padding where every record has room is named`(start: UInt64) throws {
        let violation = try #require(throws: RingViolation.self) { try consumer(start, 128).look(RingGeometry.padding) }
        #expect(violation.sentence == "a padding record of \(128 - start) bytes where every record has room")
        #expect(try consumer(72, 128).look(RingGeometry.padding) == .padding(end: 128))
    }

    @Test func `whatever stands in the ring, what is believed lies in what was published and in the data`() throws {
        var random = SplitMix64(seed: 7)
        for _ in 0..<50_000 {
            let start = random.next() & ~7
            let published = 8 * random.number(in: 1...16)
            let consumer = try consumer(start, UInt64(published))
            let word = random.oneIn(2) ? UInt32(random.number(in: 0...140)) : random.oneIn(4) ? .max : UInt32(truncatingIfNeeded: random.next())
            switch Result(catching: { () throws(RingViolation) in try consumer.look(word) }) {
            case .failure(let violation): #expect(!violation.sentence.isEmpty)
            case .success(.padding(let end)):
                #expect(end % 128 == 0 && (1...UInt64(published)).contains(end &- start))
            case .success(.record(let record)):
                #expect(record.count == Int(word) && record.offset == Int(start % 128) + 4 && record.offset + record.count <= 128)
                #expect((UInt64(record.count + 4)...UInt64(published)).contains(record.end &- start) && record.end % 8 == 0)
            }
        }
    }
}
