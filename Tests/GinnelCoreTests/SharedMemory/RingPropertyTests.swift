// The ring's index arithmetic, tried at every place where a record can begin and carried out on plain memory.

import GinnelCore
import GinnelTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct RingPropertyTests {
    static let capacities = [64, 128, 256, 512, 1024, 2048, 4096]

    @Test(arguments: capacities) func `a payload of every length comes out as it went in, wherever the ring stands`(capacity: Int) throws {
        let ring = PlainRing(capacity: capacity)
        var random = SplitMix64(seed: 1)
        let bytes = random.bytes(capacity)
        var tried = 0
        try bytes.withUnsafeBytes { bytes in
            for offset in stride(from: 0, to: capacity, by: 8) {
                for length in 0...ring.geometry.longestPayload {
                    for start in starts(offset, capacity: capacity) {
                        ring.begin(at: start)
                        let payload = UnsafeRawBufferPointer(rebasing: bytes[(length / 2)..<(length / 2 + length)])
                        guard let place = try ring.write(payload) else {
                            Issue.record("no room for \(length) bytes in an empty ring that stands at \(start)")
                            return
                        }
                        if place.padding != nil {
                            guard try ring.read() == .padding(capacity - offset) else {
                                Issue.record("other padding than up to the end, at \(start) before \(length) bytes")
                                return
                            }
                        }
                        guard case .payload(let found, length) = try ring.read(), ring.holds(payload, at: found), ring.consumer.isEmpty,
                            ring.producer.free == capacity, found + length <= capacity
                        else {
                            Issue.record("\(length) bytes at \(start) did not come out as they went in")
                            return
                        }
                        tried += 1
                    }
                }
            }
        }
        #expect(tried == 2 * (capacity / 8) * (ring.geometry.longestPayload + 1) && ring.canariesLive)
    }

    /// The definition: records begin at multiples of 8, take a length word and their bytes, and are not split.
    @Test(arguments: [64, 128, 256]) func `there is a place exactly when a record fits, and it touches nothing that is unread`(capacity: Int) throws {
        let geometry = try #require(RingGeometry(capacity: capacity))
        for offset in stride(from: 0, to: capacity, by: 8) {
            for unread in stride(from: 0, through: capacity, by: 8) {
                for count in 0...(geometry.longestPayload + 1) {
                    for consumed in starts(offset, capacity: capacity) {
                        let producer = try RingProducer(geometry, produced: consumed &+ UInt64(unread), consumed: consumed)
                        let begin = (offset + unread) % capacity
                        let bytes = (4 + count + 7) / 8 * 8
                        let skipped = begin + bytes <= capacity ? 0 : capacity - begin
                        let fits = count <= capacity / 2 - 4 && skipped + bytes <= capacity - unread
                        guard let place = producer.place(for: count) else {
                            #expect(!fits, "\(count) bytes at \(begin) with \(unread) unread have room")
                            continue
                        }
                        let expected = RingRecord(
                            offset: (begin + skipped) % capacity + 4, count: count, end: consumed &+ UInt64(unread + skipped + bytes))
                        #expect(fits && place.record == expected && place.padding == (skipped > 0 ? begin : nil), "\(count) at \(begin), \(unread) unread: \(place)")
                    }
                }
            }
        }
    }

    @Test(arguments: capacities) func `records come in order, whole, as long as there is room, and none is lost`(capacity: Int) throws {
        for seed in UInt64(0)..<40 {
            let ring = PlainRing(capacity: capacity)
            var random = SplitMix64(seed: seed)
            let start = starts(8 * random.number(in: 0...(capacity / 8 - 1)), capacity: capacity)[Int(seed % 2)]
            ring.begin(at: start)
            let bytes = random.bytes(2 * capacity)
            var waiting: [Range<Int>] = []
            var (written, read, refused) = (0, 0, 0)
            while read < 200 {
                if written < 200, !random.oneIn(3) {
                    let from = random.number(in: 0...capacity)
                    let count = random.number(in: 0...(random.oneIn(4) ? ring.geometry.longestPayload : min(40, ring.geometry.longestPayload)))
                    let fits = try bytes.withUnsafeBytes { try ring.write(UnsafeRawBufferPointer(rebasing: $0[from..<from + count])) } != nil
                    if fits { waiting.append(from..<from + count) } else { refused += 1 }
                    if fits { written += 1 }
                    #expect(fits || !waiting.isEmpty, "an empty ring refused \(count) bytes")
                } else {
                    switch try ring.read() {
                    case .nothing: #expect(waiting.isEmpty)
                    case .padding(let count): #expect(count % 8 == 0 && count < capacity)
                    case .payload(let offset, let count):
                        let due = try #require(waiting.isEmpty ? nil : waiting.removeFirst())
                        #expect(count == due.count)
                        #expect(bytes.withUnsafeBytes { ring.holds(UnsafeRawBufferPointer(rebasing: $0[due]), at: offset) })
                        read += 1
                    }
                }
            }
            #expect(ring.canariesLive && waiting.isEmpty && refused > 0, "seed \(seed)")
        }
    }

    @Test(arguments: [64, 128, 256]) func `a place for a beginning is there when the whole fits or a quarter of the ring is free, always in an empty ring, and never for a crumb`(
        capacity: Int
    ) throws {
        let geometry = try #require(RingGeometry(capacity: capacity))
        for offset in stride(from: 0, to: capacity, by: 8) {
            for unread in stride(from: 0, through: capacity, by: 8) {
                for count in [1, 3, 4, 5, 12, 13, geometry.longestPayload, geometry.longestPayload + 1, 10 * capacity] {
                    let consumed = starts(offset, capacity: capacity)[count % 2]
                    let producer = try RingProducer(geometry, produced: consumed &+ UInt64(unread), consumed: consumed)
                    guard let place = producer.place(upTo: count) else {
                        let room = min(capacity - unread, capacity - Int(truncatingIfNeeded: producer.produced) & (capacity - 1))
                        #expect(unread > 0 && room < capacity / 4, "no place with \(room) bytes free in one piece")
                        #expect(producer.place(for: min(count, geometry.longestPayload)) == nil)
                        continue
                    }
                    #expect(place.record.count >= min(count, capacity / 4 - 4))
                    #expect((1...count).contains(place.record.count))
                    #expect(place.record.offset + place.record.count <= capacity)
                    #expect(Int(place.record.end &- consumed) <= capacity, "\(place) overwrites what is unread")
                    // All of it where that has room, and else never padding in place of bytes.
                    #expect(place == producer.place(for: min(count, geometry.longestPayload)) || (place.record.count < count && place.padding == nil))
                }
            }
        }
    }

    @Test(arguments: capacities) func `a stream in pieces arrives whole`(capacity: Int) throws {
        for seed in UInt64(0)..<10 {
            let ring = PlainRing(capacity: capacity)
            var random = SplitMix64(seed: seed)
            ring.begin(at: starts(8 * random.number(in: 0...(capacity / 8 - 1)), capacity: capacity)[Int(seed % 2)])
            let bytes = random.bytes(20 * capacity)
            var (sent, arrived) = (0, 0)
            while arrived < bytes.count {
                try bytes.withUnsafeBytes { bytes in
                    if sent < bytes.count, !random.oneIn(3) {
                        let end = min(bytes.count, sent + random.number(in: 1...(2 * capacity)))
                        if let place = try ring.write(beginningOf: UnsafeRawBufferPointer(rebasing: bytes[sent..<end])) { sent += place.record.count }
                    } else if case .payload(let offset, let count) = try ring.read() {
                        #expect(ring.holds(UnsafeRawBufferPointer(rebasing: bytes[arrived..<arrived + count]), at: offset))
                        arrived += count
                    }
                }
            }
            #expect(sent == bytes.count && ring.canariesLive, "seed \(seed)")
        }
    }
}
