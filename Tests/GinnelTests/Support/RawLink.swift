// One end of a stream over shared memory, made by hand from docs/shared-memory.md: nothing here is Ginnel's. It keeps the rules until a test has it break one.
//
// `@unchecked Sendable`: one task at a time uses it.

import CTestSupport
import Foundation
import GinnelTesting
import GinnelTransport

final class RawLink: @unchecked Sendable {
    static let bellFull = UInt64.max - 1

    /// Where the fields of a control block lie.
    enum Field {
        static let magic = 0, versionAndFlags = 8, capacity = 16, produced = 128, producerWaits = 136, consumed = 256, consumerWaits = 264
    }

    let capacity: Int
    /// Segment, the client's bell, the service's bell.
    let descriptors: [Int32]
    private let isMaker: Bool
    private let peer: RawPeer
    private let base: UnsafeMutableRawPointer
    private let watch: Int32
    /// What this end has published and given back.
    private(set) var written: UInt64 = 0
    private(set) var read: UInt64 = 0
    private var unread: [UInt8] = []

    static func segmentBytes(_ capacity: Int) -> Int { 2 * stride(capacity) }
    fileprivate static func stride(_ capacity: Int) -> Int { (512 + capacity + 4095) / 4096 * 4096 }

    /// Maps `descriptors`, which this object closes. `isMaker`: the side that offers, which writes into the first ring.
    init(_ descriptors: [Int32], capacity: Int, isMaker: Bool, over peer: RawPeer) throws {
        guard descriptors.count == 3, let base = ts_map(descriptors[0], Self.segmentBytes(capacity)) else { throw RawSocketError.last("mmap") }
        self.descriptors = descriptors
        self.capacity = capacity
        self.isMaker = isMaker
        self.peer = peer
        self.base = base
        watch = ts_watch(descriptors[isMaker ? 2 : 1], peer.number)
        guard watch >= 0 else { throw RawSocketError.last("epoll") }
        guard isMaker else { return }
        for ring in [outgoing, incoming] {
            ts_store(ring + Field.versionAndFlags, 1)
            ts_store(ring + Field.capacity, UInt64(capacity))
            ts_store(ring + Field.magic, 0x0047_4E49_524E_4947)
        }
    }

    /// A sound segment with sound bells.
    static func make(capacity: Int, over peer: RawPeer) throws -> RawLink {
        try RawLink(
            [ts_memory("liar", segmentBytes(capacity), Int32(TS_SOUND)), ts_bell(bellFull), ts_bell(bellFull)], capacity: capacity, isMaker: true, over: peer)
    }

    deinit {
        ts_unmap(base, Self.segmentBytes(capacity))
        for descriptor in descriptors + [watch] { close(descriptor) }
    }

    // MARK: What a test may break

    /// The ring that this end writes, and the one that it reads; control block first.
    var outgoing: UnsafeMutableRawPointer { base + (isMaker ? 0 : Self.stride(capacity)) }
    var incoming: UnsafeMutableRawPointer { base + (isMaker ? Self.stride(capacity) : 0) }

    /// Where the next record of this end goes, in the data, and how much is left from there to the end.
    var offset: Int { Int(written % UInt64(capacity)) }
    var toEnd: Int { capacity - offset }
    var data: UnsafeMutableRawPointer { outgoing + 512 }

    /// Says that so much was published, whatever was.
    func claim(produced: UInt64) { ts_store(outgoing + Field.produced, produced) }
    /// Says that so much was given back.
    func claim(consumed: UInt64) { ts_store(incoming + Field.consumed, consumed) }
    /// A length that nothing stands behind, published with so many bytes.
    func publish(length: UInt32, bytes: Int) {
        data.storeBytes(of: length.littleEndian, toByteOffset: offset, as: UInt32.self)
        written += UInt64(bytes)
        claim(produced: written)
    }

    var peerHasEnded: Bool { peer.hasEnded }

    /// Changes all that this end has ever written, while somebody may be looking at it.
    func turnEveryBit() { for at in Swift.stride(from: 0, to: capacity, by: 8) { ts_store(data + at, ~ts_load(data + at)) } }

    func ring() { _ = ts_ring(descriptors[isMaker ? 1 : 2]) }

    // MARK: Keeping the rules

    /// Writes a record, and waits for room first. Does not ring for nothing. False when the other side has ended.
    @discardableResult
    func write(record payload: [UInt8], rings: Bool = true) async throws -> Bool {
        let bytes = (4 + payload.count + 7) / 8 * 8
        let pads = bytes > toEnd
        while written + UInt64(bytes + (pads ? toEnd : 0)) - ts_load(outgoing + Field.consumed) > UInt64(capacity) {
            _ = ts_exchange_flag(outgoing + Field.producerWaits, 1)
            if written + UInt64(bytes + (pads ? toEnd : 0)) - ts_load(outgoing + Field.consumed) <= UInt64(capacity) { break }
            if peer.hasEnded { return false }
            try await awaitNews()
        }
        if pads { publish(length: .max, bytes: toEnd) }
        (data + offset + 4).copyMemory(from: payload, byteCount: payload.count)
        publish(length: UInt32(payload.count), bytes: bytes)
        if ts_exchange_flag(outgoing + Field.consumerWaits, 0) != 0, rings { ring() }
        return true
    }

    /// Writes bytes in as many records as they need.
    func write(_ frames: WireFrame...) async throws {
        var rest = frames.flatMap(\.encoded)[...]
        while !rest.isEmpty {
            guard try await write(record: Array(rest.prefix(capacity / 2 - 4))) else { return }
            rest = rest.dropFirst(capacity / 2 - 4)
        }
    }

    /// Empty records, which are nothing to a session, until the next record would lie where `isThere` holds.
    func goOn(until isThere: (RawLink) -> Bool) async throws {
        while !isThere(self) { try await write(record: []) }
    }

    /// The next record; `nil` once the other side has ended and everything was read.
    func record() async throws -> [UInt8]? {
        while true {
            let ends = peer.hasEnded
            if let record = take() { return record }
            if ends { return nil }
            _ = ts_exchange_flag(incoming + Field.consumerWaits, 1)
            if let record = take() { return record }
            if !peer.hasEnded { try await awaitNews() }
        }
    }

    private func take() -> [UInt8]? {
        while ts_load(incoming + Field.produced) != read {
            let at = Int(read % UInt64(capacity))
            let length = UInt32(littleEndian: (incoming + 512).load(fromByteOffset: at, as: UInt32.self))
            guard length != .max else {
                giveBack(capacity - at)
                continue
            }
            let payload = [UInt8](UnsafeRawBufferPointer(start: incoming + 512 + at + 4, count: Int(length)))
            giveBack((4 + Int(length) + 7) / 8 * 8)
            return payload
        }
        return nil
    }

    private func giveBack(_ bytes: Int) {
        read += UInt64(bytes)
        claim(consumed: read)
        if ts_exchange_flag(incoming + Field.producerWaits, 0) != 0 { ring() }
    }

    /// The next frame; `nil` when the connection ends first.
    func frame(of kinds: UInt8...) async throws -> WireFrame? {
        while true {
            while let frame = WireFrame(reading: unread[...]) {
                unread.removeFirst(16 + frame.payload.count)
                if kinds.isEmpty || kinds.contains(frame.kind) { return frame }
            }
            guard let record = try await record() else { return nil }
            unread += record
        }
    }

    private func awaitNews() async throws {
        let watch = self.watch
        _ = try await offPool { ts_wait(watch, 30_000) }
    }
}

extension RawPeer {
    static let offersSharedMemory = RawHello(features: 2)

    /// A client that has shaken hands, accepted the offer and switched.
    static func switched(at path: String, capacity: Int) async throws -> (RawPeer, RawLink) {
        let peer = try await greeted(at: path, offersSharedMemory)
        let link = try await peer.accept(try await peer.frame(of: WireFrame.Kind.upgrade), capacity: capacity)
        guard try await peer.frame() == .upgrade(4) else { throw RawSocketError(operation: "switch", number: EPROTO) }
        return (peer, link)
    }

    private func accept(_ offer: WireFrame?, capacity: Int) async throws -> RawLink {
        guard offer == .upgrade(1, handles: 3, value: UInt32(capacity)) else { throw RawSocketError(operation: "offer", number: EPROTO) }
        let link = try RawLink(takeDescriptors(), capacity: capacity, isMaker: false, over: self)
        try await send(.upgrade(2), .upgrade(4))
        return link
    }

    /// Greets a client as a service, offers it sound memory and switches.
    func offerSoundly(capacity: Int) async throws -> RawLink {
        try await welcome(Self.offersSharedMemory)
        let link = try RawLink.make(capacity: capacity, over: self)
        try send(.upgrade(1, handles: 3, value: UInt32(capacity)), with: link.descriptors)
        guard try await frame(of: WireFrame.Kind.upgrade) == .upgrade(2), try await frame(of: WireFrame.Kind.upgrade) == .upgrade(4) else {
            throw RawSocketError(operation: "accept", number: EPROTO)
        }
        try await send(.upgrade(4))
        return link
    }
}
