// Services whose offer of shared memory is not what it should be: the client refuses it, goes on over the socket, and keeps nothing of it.

import CTestSupport
import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .enabled(if: ts_has_memory()), .timeLimit(.minutes(5))) struct LyingOfferTests {
    typealias Kind = WireFrame.Kind

    private static let capacity = 65_536
    private static let size = RawLink.segmentBytes(capacity)

    struct Offer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let sentence: String
        var says: UInt8 = 3
        var capacity = UInt32(LyingOfferTests.capacity)
        var code = FailureCode.resourceExhausted
        let make: @Sendable () -> [Int32]

        init(_ name: String, _ sentence: String, _ make: @escaping @Sendable () -> [Int32]) {
            testDescription = name
            self.sentence = sentence
            self.make = make
        }

        func saying(_ count: UInt8) -> Offer {
            var copy = self
            copy.says = count
            return copy
        }

        func claiming(_ capacity: UInt32, _ code: FailureCode) -> Offer {
            var copy = self
            copy.capacity = capacity
            copy.code = code
            return copy
        }
    }

    private static func memory(_ size: Int = size, _ faults: Int = TS_SOUND) -> Int32 { ts_memory("liar", size, Int32(faults)) }
    private static func bell() -> Int32 { ts_bell(RawLink.bellFull) }
    private static func pipe() -> Int32 {
        var ends: [Int32] = [-1, -1]
        _ = ts_pipe(&ends)
        close(ends[0])
        return ends[1]
    }

    private static let unusable = "the peer's shared memory cannot be used", noBell = "the peer's doorbell cannot be used", miscounted = "announces"

    static let offers: [Offer] = [
        Offer("a segment that is too small", unusable) { [memory(size - 4096), bell(), bell()] },
        Offer("a segment that is too large", unusable) { [memory(size + 4096), bell(), bell()] },
        Offer("a segment of no bytes", unusable) { [memory(0), bell(), bell()] },
        Offer("a segment that can be cut off", unusable) { [memory(size, TS_UNSEALED), bell(), bell()] },
        Offer("a segment that can only be read", unusable) { [memory(size, TS_READ_ONLY), bell(), bell()] },
        Offer("a segment that is sealed against writing", unusable) { [memory(size, TS_SEALED_AGAINST_WRITING), bell(), bell()] },
        Offer("a pipe for the segment", unusable) { [pipe(), bell(), bell()] },
        Offer("a doorbell for the segment and the segment for a doorbell", unusable) { [bell(), memory(), bell()] },
        Offer("a pipe for the first doorbell", noBell) { [memory(), pipe(), bell()] },
        Offer("a segment for the second doorbell", noBell) { [memory(), bell(), memory()] },
        Offer("no descriptors", miscounted) { [] },
        Offer("one descriptor too few", miscounted) { [memory(), bell()] },
        Offer("one descriptor too many", miscounted) { [memory(), bell(), bell(), bell()] },
        Offer("two descriptors that are announced", miscounted) { [memory(), bell()] }.saying(2),
        Offer("four descriptors that are announced", miscounted) { [memory(), bell(), bell(), bell()] }.saying(4),
        Offer("16 descriptors where three are announced", miscounted) { (0..<16).map { _ in bell() } },
        Offer("a capacity that is no power of two", "no power of two") { [memory(), bell(), bell()] }.claiming(65_537, .protocolViolation),
        Offer("a capacity over the limit", "maximumRingBytes") { [memory(), bell(), bell()] }.claiming(1 << 27, .resourceExhausted),
        Offer("a capacity that the segment does not have", unusable) { [memory(), bell(), bell()] }.claiming(4096, .resourceExhausted),
    ]

    @Test(arguments: offers) func `is refused, and the connection goes on over the socket`(offer: Offer) async throws {
        let traces = Recorded<Traces>()
        try await withLiar { peer in
            try await peer.welcome(RawPeer.offersSharedMemory)
            let descriptors = offer.make()
            #expect(descriptors.allSatisfy { $0 >= 0 })
            traces.append(Traces(of: descriptors))
            try peer.send(.upgrade(1, handles: offer.says, value: offer.capacity), with: descriptors)
            for descriptor in descriptors { close(descriptor) }
            // A client may call before it has answered.
            let answer = try await peer.frame(of: Kind.upgrade, Kind.request)
            #expect(answer == .upgrade(3, value: offer.code.rawValue))
            while let request = try await peer.frame(of: Kind.request) { try await peer.send(WireFrame(Kind.response, stream: request.stream, lane: 2, [7])) }
        } _: { endpoint, configuration, log in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                let entry = try await log.entry("the connection stays on the socket", offer.sentence)
                #expect(entry.level == .notice)
                let reply = try await client.call("x", payload: [])
                #expect(reply.bytes == [7])
                #expect(client.transport == .socket)
                #expect(traces.all[0].left == [])
            }
        }
    }

    @Test func `a sound offer by hand is taken, and nothing is left of it at the end`() async throws {
        let traces = Recorded<Traces>()
        try await withLiar { peer in
            let link = try await peer.offerSoundly(capacity: Self.capacity)
            traces.append(Traces(of: link.descriptors))
            #expect(traces.all[0].left.count >= 4)
            while let request = try await link.frame(of: Kind.request) { try await link.write(WireFrame(Kind.response, stream: request.stream, lane: 2, request.payload)) }
        } _: { endpoint, configuration, log in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                try await log.entry("the connection goes on through shared memory")
                for size in [0, 1, 40_000, 65_000] {
                    let payload = ChannelEnd.pattern(size, seed: 3)
                    let reply = try await client.call("x", payload: payload)
                    #expect(Array(reply.bytes.suffix(size)) == payload)
                }
                #expect(client.transport == .sharedMemory)
            }
        }
        #expect(traces.all[0].left == [])
    }

    @Test func `of an offer that is refused a service keeps nothing`() async throws {
        try await withNeighbour(transports: [.socket, .sharedMemory]) { running, _ in
            let peer = try await RawPeer.greeted(at: running.path, RawPeer.offersSharedMemory)
            _ = try await peer.frame(of: Kind.upgrade)
            let traces = peer.tracesOfDescriptors()
            try await peer.send(.upgrade(3, value: 6))
            let reply = try await peer.call("echo", [7], stream: 1)
            #expect(reply?.payload == [7])
            #expect(traces.left == [])
            peer.close()
        }
    }

    static let interruptions: [(String, [WireFrame])] = [
        ("after the offer", []), ("after accepting", [.upgrade(2)]), ("after the switch", [.upgrade(2), .upgrade(4)]), ("after refusing", [.upgrade(3, value: 6)]),
    ]

    @Test(arguments: interruptions, [false, true]) func `a client that leaves in the middle of the exchange leaves nothing`(at: (String, [WireFrame]), withGoodbye: Bool)
        async throws
    {
        try await withNeighbour(transports: [.socket, .sharedMemory]) { running, _ in
            let peer = try await RawPeer.greeted(at: running.path, RawPeer.offersSharedMemory)
            _ = try await peer.frame(of: Kind.upgrade)
            let traces = peer.tracesOfDescriptors()
            for frame in at.1 { try await peer.send(frame) }
            // After the switch no frame may follow on the socket.
            let says = withGoodbye && at.0 != "after the switch"
            if says { try await peer.send(WireFrame(Kind.goodbye, WireFrame.failureBody(FailureCode.finished.rawValue))) }
            peer.close()
            try await running.log.entry(says ? "a connection ended: closed by the peer" : "a connection ended")
            #expect(traces.left == [])
        }
    }
}
