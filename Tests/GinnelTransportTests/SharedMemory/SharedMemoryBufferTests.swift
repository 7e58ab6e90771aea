// A named ring within one process: what it takes and gives, and what its errors say.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct SharedMemoryBufferTests {
    @Test(arguments: SharedMemoryBuffer.Layout.all) func `messages come as they went, one by one`(layout: SharedMemoryBuffer.Layout) throws {
        let ring = try ScratchRing()
        let maker = try SharedMemoryBuffer.create(name: ring.name, size: 4096, layout: layout)
        let opener = try SharedMemoryBuffer.open(name: ring.name, layout: layout)
        #expect(opener.size == 4096 && maker.size == 4096 && opener.layout == layout && opener.name == ring.name)
        #expect(try opener.read() == nil)
        var sent = SeededMessages(seed: 1, lengths: 1...900)
        var due = sent
        for _ in 0..<2000 {
            while try maker.tryWrite(sent.next()) == false { #expect(try opener.read() == due.next()) }
            // What did not find room was not written; the sequence goes on with the next.
            #expect(try opener.read() == due.next())
        }
    }

    @Test func `a unique name is handed over by who made the ring, and another of the same text is another ring`() throws {
        let first = try SharedMemoryBuffer.create(name: .sanitised("ginnel test/ring", unique: true), size: 64)
        defer { try? SharedMemoryBuffer.remove(name: first.name) }
        let second = try SharedMemoryBuffer.create(name: .sanitised("ginnel test/ring", unique: true), size: 64)
        defer { try? SharedMemoryBuffer.remove(name: second.name) }
        #expect(first.name != second.name)
        let handedOver = first.name.description
        #expect(handedOver.hasPrefix("ginnel_test_ring-") && handedOver.utf8.count == "ginnel_test_ring-".utf8.count + 16)
        let opened = try SharedMemoryBuffer.open(name: SharedMemoryBuffer.Name(handedOver))
        #expect(try first.tryWrite([1, 2, 3]))
        #expect(try opened.read() == [1, 2, 3])
        #expect(try SharedMemoryBuffer.open(name: second.name).read() == nil)
    }

    @Test(arguments: SharedMemoryBuffer.Layout.all) func `either side may write`(layout: SharedMemoryBuffer.Layout) throws {
        let ring = try ScratchRing()
        let maker = try SharedMemoryBuffer.create(name: ring.name, size: 64, layout: layout)
        let opener = try SharedMemoryBuffer.open(name: ring.name, layout: layout)
        #expect(try opener.tryWrite([1, 2, 3]))
        #expect(try maker.read() == [1, 2, 3])
        #expect(try maker.read() == nil)
    }

    @Test func `a message may be empty where the layout has such, and is refused where it has not`() throws {
        let own = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: own.name, size: 64)
        #expect(try buffer.tryWrite([]))
        #expect(try buffer.read() == [])
        let other = try ScratchRing()
        let error = try errorOf { _ = try SharedMemoryBuffer.create(name: other.name, size: 64, layout: .headered64).tryWrite([]) }
        #expect(error.code == .invalid && error.sentence == "the layout of the shared memory ring \(other.name) has no empty messages")
    }

    @Test(arguments: [(.ginnel, 28), (.headered64, 32)] as [(SharedMemoryBuffer.Layout, Int)])
    func `the longest message goes through, and one that is longer is refused with the limit`(layout: SharedMemoryBuffer.Layout, longest: Int) throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 64, layout: layout)
        #expect(buffer.longestMessage == longest)
        #expect(try buffer.tryWrite([UInt8](repeating: 7, count: longest)))
        let error = try errorOf { _ = try buffer.tryWrite([UInt8](repeating: 7, count: longest + 1)) }
        #expect(error.code == .invalid)
        #expect(error.sentence.contains("\(longest + 1) bytes is too long") && error.sentence.contains("up to \(longest)") && error.sentence.contains("\(ring.name)"))
        #expect(try buffer.read()?.count == longest)
        #expect(try buffer.read() == nil)
    }

    // MARK: Waiting

    @Test(arguments: SharedMemoryBuffer.Layout.all) func `a full ring takes nothing and loses nothing, and the writer is told the limit`(layout: SharedMemoryBuffer.Layout)
        async throws
    {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 128, layout: layout)
        var written = 0
        while try buffer.tryWrite([UInt8](repeating: UInt8(written), count: 20)) { written += 1 }
        #expect(written == 5)
        let error = try #require(await ginnelError { try await buffer.write([UInt8](repeating: 9, count: 20), within: .milliseconds(5)) })
        #expect(error.code == .timedOut)
        #expect(error.sentence == "the shared memory ring \(ring.name) had no room for 20 bytes within 0.005 seconds; does anybody read it? It holds 128 bytes")
        for index in 0..<written { #expect(try buffer.read() == [UInt8](repeating: UInt8(index), count: 20)) }
        #expect(try buffer.read() == nil)
    }

    @Test func `a writer that waits goes on when the reader has made room`() async throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 64)
        #expect(try buffer.tryWrite([UInt8](repeating: 1, count: 28)))
        #expect(try buffer.tryWrite([UInt8](repeating: 2, count: 28)))
        async let third: Void = buffer.write([UInt8](repeating: 3, count: 28), within: .seconds(100))
        var read: [UInt8] = []
        while read.count < 3 { read.append(try await buffer.read(within: .seconds(100))[0]) }
        try await third
        #expect(read == [1, 2, 3])
    }

    @Test func `a reader that waits in vain is told so, and one that is cancelled stops`() async throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 64)
        let error = try #require(await ginnelError { _ = try await buffer.read(within: .milliseconds(5)) })
        #expect(error.code == .timedOut && error.sentence.contains("\(ring.name)") && error.sentence.contains("0.005 seconds"))
        let waiting = Task { try await buffer.read(within: .seconds(3600)) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test func `a closed buffer says so, and the ring stays`() throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 64)
        #expect(try buffer.tryWrite([5]))
        buffer.close()
        buffer.close()
        #expect(try errorOf { _ = try buffer.read() }.code == .closed)
        #expect(try errorOf { _ = try buffer.tryWrite([1]) }.code == .closed)
        #expect(try SharedMemoryBuffer.open(name: ring.name).read() == [5])
    }

    // MARK: Names and sizes

    @Test func `a name is removed once; who has the ring open keeps it, and the name is free`() throws {
        let ring = try ScratchRing()
        let old = try SharedMemoryBuffer.create(name: ring.name, size: 64)
        try SharedMemoryBuffer.remove(name: ring.name)
        #expect(try errorOf { try SharedMemoryBuffer.remove(name: ring.name) }.code == .notFound)
        #expect(try errorOf { _ = try SharedMemoryBuffer.open(name: ring.name) }.code == .notFound)
        let new = try SharedMemoryBuffer.create(name: ring.name, size: 64)
        #expect(try old.tryWrite([1]))
        #expect(try new.read() == nil)
        #expect(try old.read() == [1])
    }

    @Test(arguments: [("", GinnelError.Code.invalid), ("a/b", .invalid), ("a\0b", .invalid), (String(repeating: "n", count: 400), .nameTooLong)])
    func `a name that cannot be is refused before anything is done`(text: String, code: GinnelError.Code) throws {
        for body in [
            { try SharedMemoryBuffer.remove(name: .init(text)) }, { _ = try SharedMemoryBuffer.open(name: .init(text)) },
            { _ = try SharedMemoryBuffer.create(name: .init(text), size: 64) },
        ] {
            let error = try errorOf(body)
            #expect(error.code == code && error.cause == nil)
            #expect(code != .nameTooLong || error.sentence.contains("at most"))
        }
    }

    @Test(
        arguments: [
            (.ginnel, 0, "64"), (.ginnel, -1, "64"), (.ginnel, 100, "such as 128"), (.ginnel, 65, "such as 128"), (.ginnel, 1 << 31, "1073741824"), (.ginnel, .max, "1073741824"),
            (.headered64, 63, "64 to 1073741824"), (.headered64, 1 << 30 + 1, "64 to 1073741824"), (.headered64, .min, "64 to 1073741824"),
        ] as [(SharedMemoryBuffer.Layout, Int, String)]) func `a size that cannot be is refused with what can`(layout: SharedMemoryBuffer.Layout, size: Int, hint: String) throws
    {
        let ring = try ScratchRing()
        let error = try errorOf { _ = try SharedMemoryBuffer.create(name: ring.name, size: size, layout: layout) }
        #expect(error.code == .invalid && error.sentence.contains("\(size) bytes") && error.sentence.contains(hint))
        #expect(try errorOf { _ = try SharedMemoryBuffer.open(name: ring.name) }.code == .notFound)
    }
}
