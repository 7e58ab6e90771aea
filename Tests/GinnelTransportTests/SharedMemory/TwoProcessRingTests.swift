// A named ring between two programs: of ours, and with one that was written from the page of the other system's layout alone.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct TwoProcessRingTests {
    typealias Layout = SharedMemoryBuffer.Layout

    /// A ring with less room than two messages, and one with plenty.
    @Test(arguments: Layout.all, [(256, 120, 600), (65_536, 3000, 2000)]) func `messages of every length pass from process to process`(
        layout: Layout, measures: (size: Int, longest: Int, count: Int)
    )
        async throws
    {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: measures.size, layout: layout)
        let count = measures.count
        let numbers = ["seed": 20, "shortest": 1, "longest": measures.longest]
        // One after the other, through the same ring: theirs to us, then ours to them.
        let writer = try TestPeer(ring.options("write", layout, count: count, numbers))
        try await Self.expect(buffer, SeededMessages(seed: 20, lengths: 1...measures.longest), count)
        #expect(try await writer.child.result().output == "done \(count)\n")
        let reader = try TestPeer(ring.options("read", layout, count: count, numbers))
        try await Self.send(buffer, SeededMessages(seed: 20, lengths: 1...measures.longest), count)
        #expect(try await reader.child.result().output == "done \(count)\n")
        #expect(try SharedMemoryBuffer.open(name: ring.name, layout: layout).read() == nil)
    }

    @Test func `both ways at once, through two rings`() async throws {
        let (there, back) = (try ScratchRing(), try ScratchRing())
        let numbers = ["seed": 21, "shortest": 0, "longest": 500]
        let outgoing = try SharedMemoryBuffer.create(name: there.name, size: 4096)
        let incoming = try SharedMemoryBuffer.create(name: back.name, size: 4096)
        let peers = [try TestPeer(there.options("read", .ginnel, count: 3000, numbers)), try TestPeer(back.options("write", .ginnel, count: 3000, numbers))]
        async let sending: Void = Self.send(outgoing, SeededMessages(seed: 21, lengths: 0...500), 3000)
        try await Self.expect(incoming, SeededMessages(seed: 21, lengths: 0...500), 3000)
        try await sending
        for peer in peers { #expect(try await peer.child.result().output == "done 3000\n") }
    }

    // MARK: The other system

    /// 1,021 bytes are what its own program fails with at message 1,024; the others split lengths and payloads in every way.
    @Test(arguments: [(1_048_576, 1021...1021, 2500), (1000, 1...400, 600), (64, 1...32, 300), (4099, 2049...2049, 300)])
    func `a foreign program and ours read what the other writes, whoever made the ring`(size: Int, lengths: ClosedRange<Int>, count: Int) async throws {
        for theyCreate in [true, false] {
            for theyWrite in [true, false] {
                let ring = try ScratchRing(perBoot: true)
                let made = theyCreate ? nil : try SharedMemoryBuffer.create(name: ring.name, size: size, layout: .headered64)
                let foreigner = try ring.foreigner(theyCreate ? "create" : "open", theyWrite ? "write" : "read", size: size, seed: 22, count: count, lengths)
                let buffer = if let made { made } else { try await ring.open(.headered64) }
                #expect(buffer.size == size)
                let messages = SeededMessages(seed: 22, lengths: lengths)
                if theyWrite { try await Self.expect(buffer, messages, count) } else { try await Self.send(buffer, messages, count) }
                let (said, status) = try await foreigner.result()
                #expect(said == "done \(count)\n" && status == 0, "they create: \(theyCreate), they write: \(theyWrite)")
                #expect(try buffer.read() == nil)
            }
        }
    }

    /// The page's golden bytes.
    @Test func `a record that is split lies as the page says`() throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 64, layout: .headered64)
        for length in [27, 26] {
            #expect(try buffer.tryWrite([UInt8](repeating: 0, count: length)))
            #expect(try buffer.read()?.count == length)
        }
        let segment = try ring.segment()
        defer { withExtendedLifetime(segment) {} }
        memset(segment.base + 64, 0, 64)
        #expect(try buffer.tryWrite(Array("Hello".utf8)))
        let words = UnsafeRawBufferPointer(start: segment.base, count: 128).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let golden = """
            4c415043 49504300 06000000 00000000 3d000000 00000000 40000000 00000000
            01000000 01000000 00000000 00000000 00000000 00000000 00000000 00000000
            0048656c 6c6f0000 00000000 00000000 00000000 00000000 00000000 00000000
            00000000 00000000 00000000 00000000 00000000 00000000 00000000 00050000
            """
        #expect(words == golden.filter { !$0.isWhitespace })
        #expect(try buffer.read() == Array("Hello".utf8))
    }

    private static func send(_ buffer: SharedMemoryBuffer, _ messages: SeededMessages, _ count: Int) async throws {
        var messages = messages
        for _ in 0..<count { try await buffer.write(messages.next(), within: .seconds(120)) }
    }

    private static func expect(_ buffer: SharedMemoryBuffer, _ messages: SeededMessages, _ count: Int) async throws {
        var messages = messages
        for index in 0..<count {
            guard try await buffer.read(within: .seconds(120)) == messages.next() else {
                Issue.record("message \(index) is another")
                return
            }
        }
    }
}
