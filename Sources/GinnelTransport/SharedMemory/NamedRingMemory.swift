// Where the parts of the other system's named ring lie in mapped memory (docs/formats/named-ring.md). The only place that turns that page's offsets into addresses.

package import GinnelCore
package import Synchronization

/// `@unchecked Sendable`: addresses; one end writes and one reads, and what both sides touch is atomic.
package struct NamedRingMemory: @unchecked Sendable {
    package static let headerBytes = 64
    /// What a maker writes; the capacity is its own.
    package static let header = RingHeader(magic: 0x0043_5049_4350_414C, version: 1, flags: 1, capacity: 0)

    private let base: UnsafeMutableRawPointer

    /// `base` is aligned to 64 bytes, and the ring's bytes stay mapped as long as this is used.
    package init(at base: UnsafeMutableRawPointer) { self.base = base }

    package var written: UnsafeMutablePointer<Atomic<UInt64>> { atomic(8) }
    package var read: UnsafeMutablePointer<Atomic<UInt64>> { atomic(16) }
    private var data: UnsafeMutableRawPointer { base + Self.headerBytes }
    private var magic: UnsafeMutablePointer<Atomic<UInt64>> { atomic(0) }

    private func atomic<Value: AtomicRepresentable>(_ offset: Int) -> UnsafeMutablePointer<Atomic<Value>> {
        (base + offset).assumingMemoryBound(to: Atomic<Value>.self)
    }

    /// Writes the header of a ring whose memory is all zero; the magic last, so that whoever sees it sees the rest.
    package func initialize(_ geometry: NamedRingGeometry) {
        base.storeBytes(of: UInt64(geometry.capacity).littleEndian, toByteOffset: 24, as: UInt64.self)
        base.storeBytes(of: Self.header.version.littleEndian, toByteOffset: 32, as: UInt32.self)
        base.storeBytes(of: Self.header.flags.littleEndian, toByteOffset: 36, as: UInt32.self)
        magic.pointee.store(Self.header.magic, ordering: .releasing)
    }

    package var header: RingHeader {
        RingHeader(
            magic: magic.pointee.load(ordering: .acquiring), version: UInt32(littleEndian: base.load(fromByteOffset: 32, as: UInt32.self)),
            flags: UInt32(littleEndian: base.load(fromByteOffset: 36, as: UInt32.self)), capacity: UInt64(littleEndian: base.load(fromByteOffset: 24, as: UInt64.self)))
    }

    /// Copies `bytes`, as many as `run` has, into the data.
    func copy(_ bytes: UnsafeRawBufferPointer, to run: NamedRingRun) {
        UnsafeMutableRawBufferPointer(start: data + run.offset, count: run.beforeEnd).copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<run.beforeEnd]))
        UnsafeMutableRawBufferPointer(start: data, count: run.fromStart).copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[run.beforeEnd...]))
    }

    /// Copies what `run` has out of the data into `bytes`, which is as long.
    func copy(_ run: NamedRingRun, to bytes: UnsafeMutableRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[..<run.beforeEnd]).copyMemory(from: UnsafeRawBufferPointer(start: data + run.offset, count: run.beforeEnd))
        UnsafeMutableRawBufferPointer(rebasing: bytes[run.beforeEnd...]).copyMemory(from: UnsafeRawBufferPointer(start: data, count: run.fromStart))
    }
}
