// One end of a stream over shared memory: a segment with two rings, and the bells on both sides (docs/shared-memory.md §2).

internal import CGinnelPlatform
internal import GinnelCore
internal import Synchronization

/// `@unchecked Sendable`: `reader` belongs to the thread that reads, `writer` to the one that writes, as with every channel.
package final class SharedMemoryLink: @unchecked Sendable {
    @exclusivity(unchecked) package var reader: RingReader
    @exclusivity(unchecked) package var writer: RingWriter
    /// The peer's counters are looked at here, besides by reader and writer.
    private let incoming: RingMemory
    private let outgoing: RingMemory
    @exclusivity(unchecked) private var rings = FruitlessRings()
    private let segment: Segment
    private let ownBell: Doorbell
    /// `nil` once the socket is closed, through which it may ring.
    private let peerBell: Guarded<Doorbell?>
    /// What the offer says of its descriptors.
    let announced: OfferedHandles
    /// Those that travel beside its bytes, until they have been sent.
    let offered: [gn_handle]

    /// Which end: who made the segment writes into its first ring.
    private init(_ segment: Segment, _ geometry: RingGeometry, isMaker: Bool, bells: [Doorbell], announced: OfferedHandles = .none, offered: [gn_handle] = []) {
        let first = RingMemory(at: segment.base)
        let second = RingMemory(at: segment.base + geometry.stride)
        self.segment = segment
        self.announced = announced
        self.offered = offered
        (outgoing, incoming) = isMaker ? (first, second) : (second, first)
        writer = RingWriter(outgoing, RingProducer(geometry))
        reader = RingReader(incoming, RingConsumer(geometry))
        // The first bell is rung to wake whoever took the segment.
        ownBell = bells[isMaker ? 1 : 0]
        peerBell = Guarded(bells[isMaker ? 0 : 1])
        if isMaker {
            first.initialize(geometry)
            second.initialize(geometry)
        }
    }

    /// Makes a segment and bells for a peer at the other end of `socket`.
    static func make(_ geometry: RingGeometry, for socket: PlatformChannel) throws -> SharedMemoryLink {
        let handle = try socket.liveHandle
        let segment = try Segment.create(geometry.segmentBytes)
        let bells = [try Doorbell.create(handle), try Doorbell.create(handle)]
        guard PlatformChannel.carriesHandles else {
            let number = try socket.lend(segment.descriptor)
            return SharedMemoryLink(segment, geometry, isMaker: true, bells: bells, announced: OfferedHandles(1, number: number))
        }
        let offered = [segment.descriptor] + (Doorbell.descriptors == 1 ? bells.map(\.descriptor) : [])
        return SharedMemoryLink(segment, geometry, isMaker: true, bells: bells, announced: OfferedHandles(offered.count), offered: offered)
    }

    /// Maps what the peer has made. Takes all descriptors that have come, whatever comes of it.
    static func take(_ geometry: RingGeometry, handles: OfferedHandles, from socket: PlatformChannel) throws -> SharedMemoryLink {
        var descriptors = handles.number == 0 ? socket.takeHandles() : [try PlatformChannel.claim(handles.number)]
        defer { PlatformChannel.close(descriptors) }
        let handle = try socket.liveHandle
        let due = 1 + 2 * Doorbell.descriptors
        guard descriptors.count == handles.count, handles.count == due else {
            throw GinnelError(.invalid, "an offer of shared memory announces \(handles.count) descriptors and came with \(descriptors.count), where \(due) are due")
        }
        let segment = try Segment.adopt(descriptors.removeFirst(), geometry.segmentBytes)
        let first = try Doorbell.adopt(descriptors.isEmpty ? GN_NO_HANDLE : descriptors.removeFirst(), handle)
        let second = try Doorbell.adopt(descriptors.isEmpty ? GN_NO_HANDLE : descriptors.removeFirst(), handle)
        return SharedMemoryLink(segment, geometry, isMaker: false, bells: [first, second])
    }

    /// The offer has left with its descriptors.
    func offerHasLeft() { segment.letGo() }

    /// The whole segment, for who plays a peer in it.
    package var memory: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: segment.base, count: Int(clamping: segment.size)) }

    /// Our bell was rung. On the loop.
    func noteRing(_ now: UInt64) throws(RingViolation) {
        try rings.note(produced: incoming.produced.pointee.load(ordering: .relaxed), consumed: outgoing.consumed.pointee.load(ordering: .relaxed), now)
    }

    /// Any thread.
    func ringPeer() { peerBell.withLock { $0?.ring() } }

    /// Before the socket is closed.
    func silence() { peerBell.withLock { $0 = nil } }

    func attach(to loop: EventLoop, token: UInt64) throws { try ownBell.attach(to: loop, token: token) }
    func detach(from loop: EventLoop) { ownBell.detach(from: loop) }
}
