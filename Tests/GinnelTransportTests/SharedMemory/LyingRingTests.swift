// A named ring whose memory says what cannot be: at its opening, while it is used, at random, and all the while.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct LyingRingTests {
    typealias Layout = SharedMemoryBuffer.Layout

    // MARK: Opening

    @Test(
        arguments: [
            (.ginnel, 0, 0, .damaged, "is not initialised yet"), (.headered64, 0, 0, .damaged, "is not initialised yet"),
            (.ginnel, 0, 0x1234, .damaged, "begins with the number 0x1234"), (.headered64, 0, 0x47, .damaged, "begins with the number 0x47"),
            (.ginnel, 8, 2, .unsupported, "has version 2 of its layout, where this side speaks 1"), (.headered64, 32, 1 << 32, .unsupported, "has version 0 of its layout"),
            (.headered64, 32, 1, .damaged, "is not initialised yet"), (.headered64, 32, 14 << 32 | 1, .damaged, "is not initialised yet"),
            (.ginnel, 16, 65, .damaged, "says that it holds 65 bytes"), (.ginnel, 16, 8192, .damaged, "says that it holds 8192 bytes"), (.ginnel, 16, 0, .damaged, "holds 0 bytes"),
            (.ginnel, 16, .max, .damaged, "says that it holds 18446744073709551615 bytes"), (.headered64, 24, 63, .damaged, "says that it holds 63 bytes"),
            (.headered64, 24, 4161, .damaged, "says that it holds 4161 bytes"), (.headered64, 24, 1 << 63, .damaged, "says that it holds 9223372036854775808 bytes"),
        ] as [(Layout, Int, UInt64, GinnelError.Code, String)])
    func `a ring that is not what it should be is not opened, and the error says what is wrong`(
        layout: Layout, offset: Int, word: UInt64, code: GinnelError.Code, sentence: String
    ) throws {
        let ring = try ScratchRing()
        _ = try SharedMemoryBuffer.create(name: ring.name, size: 4096, layout: layout)
        try ring.store(word, at: offset)
        let error = try errorOf { _ = try SharedMemoryBuffer.open(name: ring.name, layout: layout) }
        #expect(error.code == code && error.sentence.contains(sentence) && error.sentence.contains("\(ring.name)"), "\(error)")
    }

    @Test(arguments: Layout.all) func `a ring of the other layout is not opened`(layout: Layout) throws {
        let ring = try ScratchRing()
        _ = try SharedMemoryBuffer.create(name: ring.name, size: 4096, layout: layout)
        let error = try errorOf { _ = try SharedMemoryBuffer.open(name: ring.name, layout: layout == .ginnel ? .headered64 : .ginnel) }
        #expect(error.code == .damaged && error.sentence.contains("no ring of this layout"))
    }

    /// What a maker leaves behind who died early.
    @Test(.enabled(if: ScratchRing.hasFiles), arguments: [0, 4096, 100_000]) func `a segment without a ring is not opened`(bytes: Int) throws {
        let ring = try ScratchRing()
        try Data(count: bytes).write(to: URL(fileURLWithPath: ring.file))
        try setMode(of: ring.file, 0o600)
        let error = try errorOf { _ = try SharedMemoryBuffer.open(name: ring.name) }
        #expect(error.code == .damaged && error.sentence.contains("not initialised yet") && error.sentence.contains("SharedMemoryBuffer.remove(name:)"))
    }

    @Test(.enabled(if: ScratchRing.hasFiles)) func `a ring that is open to others is not opened`() throws {
        let ring = try ScratchRing()
        _ = try SharedMemoryBuffer.create(name: ring.name, size: 4096)
        try setMode(of: ring.file, 0o660)
        #expect(try errorOf { _ = try SharedMemoryBuffer.open(name: ring.name) }.code == .unsafe)
        try setMode(of: ring.file, 0o600)
        _ = try SharedMemoryBuffer.open(name: ring.name)
    }

    // MARK: Using

    @Test(arguments: Layout.all, [4097, .max, 1 << 63, 4104] as [UInt64]) func `counters that cannot be are named by whoever meets them`(layout: Layout, lie: UInt64) throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 4096, layout: layout)
        // Met when an end is first used.
        try ring.store(lie, at: layout.counters.written)
        let late = try SharedMemoryBuffer.open(name: ring.name, layout: layout)
        for error in [try errorOf { _ = try late.read() }, try errorOf { _ = try late.tryWrite([1]) }] {
            #expect(error.code == .damaged && error.sentence.contains("\(lie) ") && error.sentence.contains("\(ring.name)"), "\(error)")
        }
        // Met in use: the reader by what the writer says, the writer by what the reader says.
        try ring.store(UInt64(0), at: layout.counters.written)
        #expect(try buffer.read() == nil)
        try ring.store(lie, at: layout.counters.written)
        #expect(try errorOf { _ = try buffer.read() }.sentence.contains("says \(lie)"))
        try ring.store(UInt64(0), at: layout.counters.written)
        #expect(try buffer.tryWrite([UInt8](repeating: 1, count: 2000)))
        try ring.store(lie, at: layout.counters.read)
        let error = try errorOf { while try buffer.tryWrite([UInt8](repeating: 1, count: 2000)) {} }
        #expect(error.code == .damaged && error.sentence.contains("says \(lie)"))
    }

    @Test(arguments: Layout.all) func `a second writer is noticed by the first, and a second reader as well`(layout: Layout) throws {
        let ring = try ScratchRing()
        let first = try SharedMemoryBuffer.create(name: ring.name, size: 4096, layout: layout)
        let second = try SharedMemoryBuffer.open(name: ring.name, layout: layout)
        #expect(try first.tryWrite([1]))
        #expect(try second.tryWrite([2]))
        #expect(try errorOf { _ = try first.tryWrite([3]) }.sentence.contains("another program writes to this ring too"))
        #expect(try first.read() == [1])
        #expect(try second.read() == [2])
        #expect(try errorOf { _ = try first.read() }.sentence.contains("another program reads this ring too"))
        // Who opens it again goes on.
        first.close()
        #expect(try SharedMemoryBuffer.open(name: ring.name, layout: layout).tryWrite([4]))
        #expect(try second.read() == [4])
    }

    // MARK: At random

    /// Memory that ends where nothing may be touched, with a canary before it.
    private final class Fenced {
        let base: UnsafeMutableRawPointer
        let count: Int
        private let mapping: UnsafeMutableRawPointer
        private let bytes: Int
        private static let canary = 4096

        init(_ count: Int) throws {
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            bytes = (count + Self.canary + page - 1) / page * page + page
            mapping = try #require(mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
            try #require(mapping != MAP_FAILED && mprotect(mapping + bytes - page, page, PROT_NONE) == 0)
            base = mapping + bytes - page - count
            self.count = count
            memset(mapping, 0xC5, base - mapping)
        }

        deinit { munmap(mapping, bytes) }

        var canaryLives: Bool { UnsafeRawBufferPointer(start: mapping, count: base - mapping).allSatisfy { $0 == 0xC5 } }

        /// What a liar may write: anything, or what looks like a counter or a length.
        func scribble(_ words: Int, _ random: inout SplitMix64) {
            for _ in 0..<words {
                let offset = random.number(in: 0...(random.oneIn(2) ? min(280, count - 8) : count - 8)) & ~7
                let word = random.oneIn(8) ? .max : random.oneIn(4) ? random.next() : UInt64(random.number(in: 0...(2 * count))) & (random.oneIn(2) ? ~7 : .max)
                base.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            }
        }
    }

    @Test(arguments: [64, 4096]) func `whatever stands in a ring, using it ends in messages or named errors, and touches nothing else`(capacity: Int) throws {
        var random = SplitMix64(seed: 9)
        let counted = try #require(RingGeometry(capacity: capacity))
        let positioned = try #require(NamedRingGeometry(capacity: capacity))
        let message = random.bytes(positioned.longestPayload)
        var (messages, sentences) = (0, Set<String>())
        for layout in Layout.all {
            let memory = try Fenced(layout == .ginnel ? 512 + capacity : 64 + capacity)
            for round in 0..<3000 {
                // All of it, or a ring in order and then a few words of it.
                if round % 3 == 0 { memory.scribble(capacity / 4, &random) } else { memset(memory.base, 0, memory.count) }
                var writer: (any BufferWriter)?
                var reader: (any BufferReader)?
                for _ in 0..<20 {
                    do {
                        switch layout {
                        case .ginnel:
                            let ring = RingMemory(at: memory.base)
                            writer = try writer ?? CountedBufferWriter(ring, counted)
                            reader = try reader ?? CountedBufferReader(ring, counted)
                        case .headered64:
                            let ring = NamedRingMemory(at: memory.base)
                            writer = try writer ?? PositionedBufferWriter(ring, positioned)
                            reader = try reader ?? PositionedBufferReader(ring, positioned)
                        }
                        let longest = layout == .ginnel ? counted.longestPayload : positioned.longestPayload
                        _ = try message[..<random.number(in: 1...longest)].withUnsafeBytes { try writer?.tryWrite($0) }
                        if random.oneIn(3) { memory.scribble(2, &random) }
                        while random.oneIn(2), let found = try reader?.read() {
                            #expect(found.count <= longest)
                            messages += 1
                        }
                    } catch let violation as RingViolation {
                        sentences.insert(violation.sentence.filter { !$0.isNumber })
                        (writer, reader) = (nil, nil)
                        memory.scribble(1, &random)
                    }
                }
            }
            #expect(memory.canaryLives)
        }
        #expect(messages > 10_000)
        // Each of the ways to lie was tried.
        #expect(sentences.count >= 13, "\(sentences)")
    }

    /// Another process writes into the ring all the while, wherever it likes.
    @Test func `a peer that writes nonsense into the ring all the while causes named errors and nothing else`() async throws {
        let ring = try ScratchRing(perBoot: true)
        _ = try SharedMemoryBuffer.create(name: ring.name, size: 1024, layout: .headered64)
        // In one ring the header is the other system's, so that its program opens it; Ginnel's layout is put on the same memory by hand.
        let liar = try ring.foreigner("open", "scribble", size: 0, seed: 10, count: 2_000_000, 0...0)
        let segment = try ring.segment()
        let counted = try #require(RingGeometry(capacity: 512))
        let positioned = try #require(NamedRingGeometry(capacity: 1024))
        let message = [UInt8](repeating: 7, count: 200)
        var (tries, errors, messages) = (0, 0, 0)
        let isOver = Watched(false)
        async let end = {
            defer { isOver.change { $0 = true } }
            return try await liar.result().status
        }()
        while !isOver.value {
            tries += 1
            do {
                let writers: [any BufferWriter] = [
                    try CountedBufferWriter(RingMemory(at: segment.base), counted), try PositionedBufferWriter(NamedRingMemory(at: segment.base), positioned),
                ]
                let readers: [any BufferReader] = [
                    try CountedBufferReader(RingMemory(at: segment.base), counted), try PositionedBufferReader(NamedRingMemory(at: segment.base), positioned),
                ]
                for _ in 0..<10 {
                    for writer in writers { _ = try message.withUnsafeBytes { try writer.tryWrite($0) } }
                    for reader in readers { if let found = try reader.read() { messages += found.count <= 512 ? 1 : 1_000_000 } }
                }
            } catch is RingViolation {
                errors += 1
            }
            await Task.yield()
        }
        withExtendedLifetime(segment) {}
        #expect(try await end == 0)
        #expect(errors > 0 && errors <= tries && messages < 1_000_000)
    }
}
