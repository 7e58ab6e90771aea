// The other side of a connection, made by hand: it sends the bytes that a test wants sent, and shows what came back.

import CTestSupport
import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport

final class RawPeer: Sendable {
    private let descriptor: Guarded<Int32>
    private let unread = Guarded([UInt8]())
    private let received = Guarded([Int32]())

    init(owning descriptor: Int32) { self.descriptor = Guarded(descriptor) }

    init(connectingTo path: String) throws { descriptor = Guarded(try RawSocket.connect(to: path)) }

    deinit { close() }

    func close() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { _ = Foundation.close(descriptor) }
            descriptor = -1
        }
        for descriptor in takeDescriptors() { _ = Foundation.close(descriptor) }
    }

    /// The descriptors that have come so far, now the caller's.
    func takeDescriptors() -> [Int32] {
        received.withLock { received in
            defer { received = [] }
            return received
        }
    }

    /// Whether the other side has ended; what it said before may still be unread.
    var hasEnded: Bool { ts_has_ended(number) }

    /// No more bytes from this side; the other side's are still read.
    func endWriting() { _ = shutdown(number, Int32(SHUT_WR)) }

    var number: Int32 { descriptor.withLock { $0 } }

    // MARK: Bytes

    /// Does nothing when the other side has ended already: what it said before is still to be read.
    func send(_ bytes: [UInt8]) async throws {
        let descriptor = number
        do {
            try await offPool { try RawSocket.send(bytes, to: descriptor) }
        } catch let error as RawSocketError where error.number == EPIPE || error.number == ECONNRESET {}
    }

    /// One write with descriptors, which stay the caller's.
    func send(_ frame: WireFrame, with descriptors: [Int32]) throws { try RawSocket.send(frame.encoded, with: descriptors, to: number) }

    func send(_ frames: WireFrame...) async throws { try await send(frames.flatMap(\.encoded)) }

    /// Exactly so many bytes; fewer at the end of the stream.
    func read(_ count: Int) async throws -> [UInt8] {
        while unread.withLock({ $0.count }) < count, try await readMore() {}
        return unread.withLock { unread in
            let part = Array(unread.prefix(count))
            unread.removeFirst(part.count)
            return part
        }
    }

    /// Everything until the other side ends the connection.
    func readToEnd() async throws -> [UInt8] {
        while try await readMore() {}
        return unread.withLock { unread in
            defer { unread = [] }
            return unread
        }
    }

    /// False at the end. A reset is an end: the other side is gone.
    private func readMore() async throws -> Bool {
        let descriptor = number
        do {
            let (bytes, descriptors) = try await offPool { try RawSocket.readWithDescriptors(descriptor) }
            received.withLock { $0 += descriptors }
            unread.withLock { $0 += bytes }
            return !bytes.isEmpty
        } catch let error as RawSocketError where error.number == ECONNRESET {
            return false
        }
    }

    // MARK: Frames

    /// The next frame; `nil` when the connection ends first.
    func frame() async throws -> WireFrame? {
        let header = try await read(16)
        guard header.count == 16 else { return nil }
        let length = Int(WireFrame.u32(header[0..<4]))
        let payload = try await read(length)
        return WireFrame(reading: (header + payload)[...])
    }

    /// The next frame of one of these kinds; others are passed over.
    func frame(of kinds: UInt8...) async throws -> WireFrame? {
        while let frame = try await frame() { if kinds.contains(frame.kind) { return frame } }
        return nil
    }

    /// The frames until the end of the connection.
    func framesToEnd() async throws -> [WireFrame] { WireFrame.all(in: try await readToEnd()) }
}

extension WireFrame {
    static func request(_ stream: UInt32, _ method: String, _ payload: [UInt8] = [], codec: Codec = .raw, flags: UInt8 = 0, timeLeft: UInt64 = .max) -> WireFrame {
        WireFrame(Kind.request, stream: stream, flags: flags | codec.rawValue << 4, lane: 2, requestBody(method, payload, timeLeft: timeLeft))
    }
}

// MARK: Handshakes

/// What a client says first, field by field (docs/protocol.md §4).
struct RawHello {
    var versions: [UInt8] = [0, 0]
    var features: UInt64 = 0
    var maximumMessage: UInt32 = 1 << 20
    var callsInFlight: UInt32 = 16
    var window: UInt32 = 4 << 20
    var itemWindow: UInt32 = 1 << 16
    var heartbeat: UInt32 = 0
    var service: String?

    func frame(_ kind: UInt8 = WireFrame.Kind.hello) -> WireFrame {
        var fields = WireFrame.field(1, versions) + WireFrame.field(2, WireFrame.u64(features)) + WireFrame.field(3, [0, 1])
        fields += WireFrame.field(4, WireFrame.u32(maximumMessage)) + WireFrame.field(5, WireFrame.u32(callsInFlight))
        fields += WireFrame.field(6, WireFrame.u32(window)) + WireFrame.field(7, WireFrame.u32(itemWindow)) + WireFrame.field(8, WireFrame.u32(heartbeat))
        if let service { fields += WireFrame.field(9, Array(service.utf8)) }
        return WireFrame(kind, fields + WireFrame.field(10, [UInt8](1...16)))
    }
}

extension RawPeer {
    /// A client that has shaken hands.
    static func greeted(at path: String, _ hello: RawHello = RawHello()) async throws -> RawPeer {
        let peer = try RawPeer(connectingTo: path)
        try await peer.send(WireFrame.preamble + hello.frame().encoded)
        guard try await peer.read(8) == WireFrame.preamble, try await peer.frame()?.kind == WireFrame.Kind.welcome else {
            throw RawSocketError(operation: "handshake", number: EPROTO)
        }
        return peer
    }

    /// Answers a client's handshake as a service; what the client announced is read and dropped.
    func welcome(_ welcome: RawHello = RawHello()) async throws {
        _ = try await read(8)
        _ = try await frame()
        try await send(WireFrame.preamble + welcome.frame(WireFrame.Kind.welcome).encoded)
    }

    /// One call, to see that this peer is served.
    func call(_ method: String, _ payload: [UInt8] = [], stream: UInt32) async throws -> WireFrame? {
        try await send(.request(stream, method, payload))
        return try await frame(of: WireFrame.Kind.response, WireFrame.Kind.failure)
    }
}

/// A socket that accepts what a test wants to answer itself.
final class RawListener: Sendable {
    let path: String
    private let descriptor: Int32

    init(at path: String) throws {
        self.path = path
        descriptor = try RawSocket.listen(at: path)
    }

    deinit { close(descriptor) }

    func accept() async throws -> RawPeer {
        let descriptor = self.descriptor
        return RawPeer(owning: try await offPool { try RawSocket.accept(descriptor) })
    }
}
