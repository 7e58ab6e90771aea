// What is known to have gone wrong in the system whose layout we can speak, each with a test that it does not here (docs/formats/named-ring.md). In both layouts.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct KnownFaultTests {
    typealias Layout = SharedMemoryBuffer.Layout

    /// Its writer copied the length without a look at the end of the data, and with 1,021 bytes over and over met it at message 1,024.
    @Test(arguments: Layout.all, [1_048_576, 4096]) func `a length word that meets the end of the data damages nothing`(layout: Layout, size: Int) throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: size, layout: layout)
        var sent = SeededMessages(seed: 3, lengths: 1021...1021)
        var due = sent
        for index in 0..<3000 {
            #expect(try buffer.tryWrite(sent.next()))
            guard try buffer.read() == due.next() else {
                Issue.record("message \(index)")
                return
            }
        }
    }

    /// Its writer moved its position, then copied.
    @Test(.enabled(if: ScratchRing.hasFiles), arguments: Layout.all) func `a writer killed in the middle of a copy has published nothing`(layout: Layout) async throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 65_536, layout: layout)
        // Messages 0 and 1 lie in the first page; 2 goes beyond it.
        let lengths = ["seed": 40, "shortest": 3000, "longest": 4000]
        let writer = try TestPeer(ring.options("write", layout, count: 3, lengths.merging(["dies-at": 1]) { $1 }))
        let (said, status) = try await writer.child.result()
        #expect(status == 256 + SIGKILL && said.isEmpty)
        var due = SeededMessages(seed: 40, lengths: 3000...4000)
        #expect(try buffer.read() == due.next())
        #expect(try buffer.read() == nil)
        // The next writer goes on where the dead one stopped.
        let successor = try TestPeer(ring.options("write", layout, count: 2, lengths.merging(["from": 1]) { $1 }))
        #expect(try await successor.child.result().output == "done 2\n")
        #expect(try buffer.read() == due.next())
        #expect(try buffer.read() == due.next())
        #expect(try buffer.read() == nil)
    }

    /// Its reader moved its position, then copied out.
    @Test(.enabled(if: ScratchRing.hasFiles), arguments: Layout.all) func `a reader killed in the middle of a copy has taken nothing`(layout: Layout) async throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 65_536, layout: layout)
        var sent = SeededMessages(seed: 41, lengths: 3000...4000)
        let messages = (0..<4).map { _ in sent.next() }
        for message in messages { #expect(try buffer.tryWrite(message)) }
        let reader = try TestPeer(ring.options("read", layout, count: 4, ["seed": 41, "shortest": 3000, "longest": 4000, "dies-at": 1]))
        let (said, status) = try await reader.child.result()
        #expect(status == 256 + SIGKILL && said.isEmpty)
        for message in messages[1...] { #expect(try buffer.read() == message) }
        #expect(try buffer.read() == nil)
        #expect(try buffer.tryWrite([1]))
    }

    @Test(arguments: Layout.all) func `a writer killed at any moment has published whole messages, in order`(layout: Layout) async throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 1 << 20, layout: layout)
        var due = SeededMessages(seed: 42, lengths: 1...20_000)
        var read = 0
        for round in 1...5 {
            let writer = try TestPeer(ring.options("write", layout, count: 100_000, ["seed": 42, "shortest": 1, "longest": 20_000, "from": read]))
            for _ in 0..<20 * round {
                #expect(try await buffer.read(within: .seconds(120)) == due.next())
                read += 1
            }
            writer.child.kill()
            #expect(try await writer.child.result().status == 256 + SIGKILL)
            while let message = try buffer.read() {
                guard message == due.next() else {
                    Issue.record("message \(read) is damaged")
                    return
                }
                read += 1
            }
        }
    }

    /// Creating a ring whose name existed wiped what was in it.
    @Test(arguments: Layout.all, Layout.all) func `a ring that exists is not made anew, whatever waits in it`(first: Layout, second: Layout) throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 4096, layout: first)
        #expect(try buffer.tryWrite([1, 2, 3]))
        let error = try errorOf { _ = try SharedMemoryBuffer.create(name: ring.name, size: 128, layout: second) }
        #expect(error.code == .busy)
        #expect(error.sentence == "there is a shared memory ring \(ring.name) already, which stays as it is; open it, or end it with SharedMemoryBuffer.remove(name:)")
        #expect(try buffer.read() == [1, 2, 3])
        #expect(try SharedMemoryBuffer.open(name: ring.name, layout: first).size == 4096)
    }

    /// Every ring had 1,048,576 bytes of data.
    @Test(arguments: [(.ginnel, 64, 512), (.ginnel, 1 << 22, 512), (.headered64, 64, 64), (.headered64, 100_001, 64), (.headered64, 1 << 22, 64)] as [(Layout, Int, UInt64)])
    func `a ring has the size that was asked for`(layout: Layout, size: Int, control: UInt64) throws {
        let ring = try ScratchRing()
        let maker = try SharedMemoryBuffer.create(name: ring.name, size: size, layout: layout)
        #expect(maker.size == size)
        #expect(try SharedMemoryBuffer.open(name: ring.name, layout: layout).size == size)
        #expect(try ring.segment().size >= max(4096, control + UInt64(size)))
        // As many bytes go in as that says, and no more.
        var written = 0
        while try maker.tryWrite([UInt8](repeating: 1, count: size / 8)) { written += 1 }
        #expect(written == (layout == .ginnel ? size / ((size / 8 + 4 + 7) & ~7) : (size - 1) / (size / 8 + 4)))
    }

    /// Who created a ring added the boot to its name, and who opened it did not, so they never met.
    @Test(.enabled(if: ScratchRing.hasFiles)) func `who creates and who opens a name per boot mean the same one`() throws {
        let ring = try ScratchRing(perBoot: true)
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8).filter { $0 != "-" }.prefix(8)
        let name = String(ring.text.dropFirst().replacing("/", with: "_") + "-" + boot)
        #expect(try ring.name.systemName == name)
        let maker = try SharedMemoryBuffer.create(name: ring.name, size: 1 << 20, layout: .headered64)
        #expect(FileFacts("/dev/shm/" + name)?.mode == 0o600)
        #expect(try maker.tryWrite([4]))
        #expect(try SharedMemoryBuffer.open(name: ring.name, layout: .headered64).read() == [4])
        // The same ring by the name that is written out, and none by the name without the boot.
        #expect(try SharedMemoryBuffer.open(name: .init(name), layout: .headered64).size == 1 << 20)
        #expect(try errorOf { _ = try SharedMemoryBuffer.open(name: .init(String(name.dropLast(9))), layout: .headered64) }.code == .notFound)
    }

    /// Reading a header of 24 bytes took the whole message out and threw the rest of it away.
    @Test(arguments: Layout.all) func `a read gives the whole message, whatever its length, and nothing of the next`(layout: Layout) throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 1 << 20, layout: layout)
        let messages = [24, 300_000, 1, 25, 65_537].map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0) }
        for message in messages { #expect(try buffer.tryWrite(message)) }
        for message in messages { #expect(try buffer.read() == message) }
        #expect(try buffer.read() == nil)
    }

    /// At damage its reader skipped all that waited.
    @Test(arguments: Layout.all) func `a damaged length is an error that names it, and nothing is skipped`(layout: Layout) throws {
        let ring = try ScratchRing()
        let buffer = try SharedMemoryBuffer.create(name: ring.name, size: 4096, layout: layout)
        #expect(try buffer.tryWrite([1, 2, 3]))
        #expect(try buffer.tryWrite([4]))
        let length = layout == .ginnel ? 512 : 64
        try ring.store(UInt32(5000), at: length)
        for _ in 0..<2 {
            let error = try errorOf { _ = try buffer.read() }
            #expect(error.code == .damaged && error.sentence.contains("a record claims 5000 bytes") && error.sentence.contains("\(ring.name)"))
        }
        try ring.store(UInt32(3), at: length)
        #expect(try buffer.read() == [1, 2, 3])
        #expect(try buffer.read() == [4])
    }
}
