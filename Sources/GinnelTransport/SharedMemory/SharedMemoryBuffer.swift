// A ring with a name (docs/shared-memory.md §5): for two programs that agree on a name and on nothing else.
//
// There is no handshake, so nobody knows who is at the other end or whether anybody is; there is no doorbell, so whoever waits looks again, with growing pauses. What is
// promised is about the messages: each arrives whole, once and in order, or not at all and the writer is told. A program that dies in the middle of a write has published
// nothing; one that dies in the middle of a read has taken nothing. Where two programs are one's own, a service and its clients are better.

internal import GinnelCore

/// One direction of messages between two programs of one user, in shared memory that both know by name. One of them writes, the other reads.
///
/// One program creates the ring, the other opens it; which of them writes does not matter. The ring and what waits in it live until `remove(name:)` (on Windows until nobody
/// has it open), whether or not anybody has it open: a program may come back and go on where it stopped, or where another stopped. Whoever has it open keeps it after `remove`.
///
/// There is one writer and one reader at a time. A second one is noticed by the first, whose next `write` or `read` fails with `.damaged`, unless both act in the same moment: then
/// messages of the two may be mixed up or lost, and the reader may find damage.
///
/// Everything in the ring is checked before it is used: a program at the other end that breaks the rules causes errors (`.damaged`) and nothing else. But whoever may open the ring, which
/// is every program of this user, can also make the file behind it shorter on Linux, and using it then ends the process: where that is no neighbour to have, use a service.
///
/// Any thread; calls of one direction wait for each other, and none waits for the other program but `write(_:within:)` and `read(within:)`.
public final class SharedMemoryBuffer: Sendable {
    public let name: Name
    public let layout: Layout

    private let shape: BufferShape
    private let writing: Guarded<End<any BufferWriter>>
    private let reading: Guarded<End<any BufferReader>>

    /// One end of the ring, which begins where the counters stand when it is first used.
    private struct End<Side> {
        /// `nil` once the buffer is closed.
        var segment: Segment?
        var side: Side?
    }

    private init(_ name: Name, _ layout: Layout, _ shape: BufferShape, _ segment: Segment) {
        self.name = name
        self.layout = layout
        self.shape = shape
        writing = Guarded(End(segment: segment))
        reading = Guarded(End(segment: segment))
    }

    /// Makes a ring that does not exist yet, for this user alone (mode 0600).
    ///
    /// `size` is what the ring holds at most, in bytes, with a few for each message: in Ginnel's layout a power of two, in the other any number, from 64 to 1,073,741,824 (2³⁰).
    ///
    /// Throws `GinnelError`: `.busy` when there is one of that name, which is left as it is; `.invalid` for a size or a name that cannot be, `.nameTooLong`, `.exhausted`, `.denied`.
    public static func create(name: Name, size: Int, layout: Layout = .ginnel) throws -> SharedMemoryBuffer {
        let shape = try layout.shape(wanted: size)
        let segment = try Segment.createNamed(name, bytes: UInt64(layout.controlBytes + size))
        shape.initialize(segment.base)
        return SharedMemoryBuffer(name, layout, shape, segment)
    }

    /// Opens a ring that exists, to write to it or to read from it.
    ///
    /// Throws `GinnelError`: `.notFound`, `.unsafe` when it belongs to another user or is open to others, `.unsupported` for a version that this side does not speak, `.damaged` when it is no ring of this
    /// layout or its maker has not finished it, `.invalid`, `.nameTooLong`, `.exhausted`, `.denied`.
    public static func open(name: Name, layout: Layout = .ginnel) throws -> SharedMemoryBuffer {
        let segment = try Segment.openNamed(name)
        do throws(RingHeaderFault) {
            return SharedMemoryBuffer(name, layout, try layout.shape(found: segment), segment)
        } catch {
            throw GinnelError(error, name, segment: segment.size)
        }
    }

    /// Removes the name, so that the next `create` makes a new ring. Programs that have the old one open keep it until they close it.
    ///
    /// Throws `GinnelError`: `.notFound`, `.denied`, `.invalid`, `.nameTooLong`. On Windows it only checks the name: the ring goes with the last program that has it open.
    public static func remove(name: Name) throws { try Segment.removeNamed(name) }

    /// Bytes of data in the ring.
    public var size: Int { shape.size }

    /// The longest message in bytes: half the size, less four bytes in Ginnel's layout.
    public var longestMessage: Int { shape.longestMessage }

    /// Writes a message if there is room for it. False, with nothing written, while there is none.
    ///
    /// Throws `GinnelError`: `.invalid` for a message over `longestMessage`, and for an empty one where the layout has none; `.damaged`, `.closed`.
    public func tryWrite(_ message: borrowing RawSpan) throws -> Bool {
        try message.withUnsafeBytes { try tryWrite($0) }
    }

    /// The same for an array.
    public func tryWrite(_ message: [UInt8]) throws -> Bool {
        try message.withUnsafeBytes { try tryWrite($0) }
    }

    /// Writes a message as soon as there is room for it. Nothing is ever dropped: it is written, or the error says that it was not.
    ///
    /// While there is no room it looks again after 1 ms, 2 ms, 4 ms and so on, from then on every 64 ms; messages that wait at the same time are written in no particular order.
    /// Throws what `tryWrite` throws, `.timedOut` when there was no room for as long as `limit`, 30 seconds by default, and `CancellationError`.
    public func write(_ message: [UInt8], within limit: Duration = .seconds(30)) async throws {
        let wasWritten: Void? = try await Self.look(for: limit) { try tryWrite(message) ? () : nil }
        guard wasWritten == nil else { return }
        throw GinnelError(.timedOut, "the shared memory ring \(name) had no room for \(message.count) bytes within \(limit); does anybody read it? It holds \(size) bytes")
    }

    /// The next message, and `nil` while there is none.
    ///
    /// Throws `GinnelError`: `.damaged`, `.closed`.
    public func read() throws -> [UInt8]? {
        try use(reading, make: shape.reader) { reader throws(RingViolation) in try reader.read() }
    }

    /// The next message as soon as there is one. It looks as often as `write(_:within:)` does.
    ///
    /// Throws what `read` throws, `.timedOut` when there was none for as long as `limit`, and `CancellationError`.
    public func read(within limit: Duration) async throws -> [UInt8] {
        if let message = try await Self.look(for: limit, read) { return message }
        throw GinnelError(.timedOut, "no message came through the shared memory ring \(name) within \(limit)")
    }

    /// Ends the use of the ring by this object, now rather than when it goes. The ring, its name and what waits in it stay.
    public func close() {
        writing.withLock { $0 = End() }
        reading.withLock { $0 = End() }
    }

    private func tryWrite(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
        guard bytes.count <= longestMessage else {
            throw GinnelError(
                .invalid, "a message of \(bytes.count) bytes is too long for the shared memory ring \(name): it holds \(size) bytes and takes messages up to \(longestMessage)")
        }
        guard bytes.count > 0 || layout.hasEmptyMessages else {
            throw GinnelError(.invalid, "the layout of the shared memory ring \(name) has no empty messages")
        }
        return try use(writing, make: shape.writer) { writer throws(RingViolation) in try writer.tryWrite(bytes) }
    }

    private func use<Side, Result>(
        _ end: Guarded<End<Side>>, make: (UnsafeMutableRawPointer) throws(RingViolation) -> Side, _ body: (Side) throws(RingViolation) -> Result
    ) throws -> Result {
        try end.withLock { end in
            guard let segment = end.segment else { throw GinnelError(.closed, "the shared memory ring \(name) was closed by this program") }
            do throws(RingViolation) {
                if let side = end.side { return try body(side) }
                let side = try make(segment.base)
                end.side = side
                return try body(side)
            } catch {
                throw GinnelError(
                    .damaged, "the shared memory ring \(name) cannot be used: \(error.sentence); open it again, or end it with SharedMemoryBuffer.remove(name:) and create it anew"
                )
            }
        }
    }

    private static func look<Found>(for limit: Duration, _ body: () throws -> Found?) async throws -> Found? {
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(1)
        while true {
            if let found = try body() { return found }
            let left = limit - (ContinuousClock.now - start)
            guard left > .zero else { return nil }
            try await Task.sleep(for: min(pause, left))
            pause = min(pause * 2, .milliseconds(64))
        }
    }
}
