// Where the parts of one ring lie in mapped memory (docs/shared-memory.md §1). The only place that turns the page's offsets into addresses.

package import GinnelCore
package import Synchronization

/// `@unchecked Sendable`: addresses; who may use which is said by `RingWriter` and `RingReader`, and what both sides touch is atomic.
package struct RingMemory: @unchecked Sendable {
    package static let magic: UInt64 = 0x0047_4E49_524E_4947
    package static let version: UInt32 = 1
    /// What a maker writes; the capacity is its own.
    package static let header = RingHeader(magic: magic, version: version, flags: 0, capacity: 0)

    private let base: UnsafeMutableRawPointer

    /// `base` is aligned to 64 bytes, and the ring's bytes stay mapped as long as this is used.
    package init(at base: UnsafeMutableRawPointer) { self.base = base }

    package var produced: UnsafeMutablePointer<Atomic<UInt64>> { atomic(128) }
    package var producerWaits: UnsafeMutablePointer<Atomic<UInt32>> { atomic(136) }
    package var consumed: UnsafeMutablePointer<Atomic<UInt64>> { atomic(256) }
    package var consumerWaits: UnsafeMutablePointer<Atomic<UInt32>> { atomic(264) }
    package var data: UnsafeMutableRawPointer { base + RingGeometry.controlBytes }

    private func atomic<Value: AtomicRepresentable>(_ offset: Int) -> UnsafeMutablePointer<Atomic<Value>> {
        (base + offset).assumingMemoryBound(to: Atomic<Value>.self)
    }

    /// Writes the control block of a ring whose memory is all zero; the magic last, so that whoever sees it sees the rest.
    package func initialize(_ geometry: RingGeometry) {
        base.storeBytes(of: Self.version.littleEndian, toByteOffset: 8, as: UInt32.self)
        base.storeBytes(of: UInt64(geometry.capacity).littleEndian, toByteOffset: 16, as: UInt64.self)
        let magic: UnsafeMutablePointer<Atomic<UInt64>> = atomic(0)
        magic.pointee.store(Self.magic, ordering: .releasing)
    }

    /// What the control block says, with the magic read first: whoever sees it sees the rest.
    package var header: RingHeader {
        let magic: UnsafeMutablePointer<Atomic<UInt64>> = atomic(0)
        return RingHeader(
            magic: magic.pointee.load(ordering: .acquiring), version: UInt32(littleEndian: base.load(fromByteOffset: 8, as: UInt32.self)),
            flags: UInt32(littleEndian: base.load(fromByteOffset: 12, as: UInt32.self)), capacity: UInt64(littleEndian: base.load(fromByteOffset: 16, as: UInt64.self)))
    }
}
