// Bytes on their way out. A machine appends whole frames; the flusher writes them and removes what the channel took.

package struct OutputBuffer: Sendable {
    private var storage: [UInt8] = []
    private var head = 0
    /// What is special about these bytes; nothing more is appended until they have left.
    package var boundary: Boundary?

    /// Where one write must end and another begin.
    package enum Boundary: Sendable {
        /// These bytes leave together with the descriptors of an offer.
        case carriesHandles
        /// These are the last bytes on the socket; what follows leaves through the ring.
        case lastOnSocket
    }

    package init() {}

    package var count: Int { storage.count - head }
    package var isEmpty: Bool { head == storage.count }

    /// Makes room for `count` more bytes at once.
    package mutating func reserve(_ count: Int) {
        if storage.capacity - storage.count < count { storage.reserveCapacity(storage.count + count) }
    }

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        storage.append(contentsOf: bytes)
    }

    package mutating func append(_ bytes: [UInt8], _ range: Range<Int>) {
        bytes.withUnsafeBufferPointer { storage.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    package mutating func append(_ bytes: borrowing RawSpan) {
        bytes.withUnsafeBytes { storage.append(contentsOf: $0) }
    }

    package mutating func append(littleEndian value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { storage.append(contentsOf: $0) }
    }

    /// Overwrites bytes that were appended before; `offset` counts from the first byte that is still here.
    package mutating func overwrite(at offset: Int, littleEndian value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes in
            for (index, byte) in bytes.enumerated() { storage[head + offset + index] = byte }
        }
    }

    /// Lends what waits.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[head...])) }
    }

    /// The channel took `count` bytes. Keeps the memory, in proportion to what waits.
    package mutating func removeFirst(_ count: Int) {
        head += count
        if head == storage.count {
            head = 0
            storage.removeAll(keepingCapacity: true)
        } else if head >= 4096, head * 2 >= storage.count {
            storage.removeFirst(head)
            head = 0
        }
    }

    /// Bytes of memory that are held.
    package var capacity: Int { storage.capacity }

    /// Gives the memory back when it is more than `limit` and nothing waits.
    package mutating func trim(to limit: Int) {
        if isEmpty, storage.capacity > limit {
            storage = []
            head = 0
        }
    }
}
