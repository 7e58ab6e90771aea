// Peers that shake hands, switch to shared memory and then lie in the ring: the named error on our side, nothing left of the segment, and neighbours that do not notice.

import CTestSupport
import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .enabled(if: ts_has_memory()), .timeLimit(.minutes(5))) struct LyingRingTests {
    typealias Kind = WireFrame.Kind

    private static let capacity = 4096
    private static let longest = UInt32(capacity / 2 - 4)

    struct Lie: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let sentence: String
        /// Whether our side can still say goodbye.
        var endsWithGoodbye = true
        let tell: @Sendable (RawLink) async throws -> Void

        init(_ name: String, _ sentence: String, _ tell: @escaping @Sendable (RawLink) async throws -> Void) {
            testDescription = name
            self.sentence = sentence
            self.tell = tell
        }

        /// One about what was given back, which our side sees when it looks for room.
        init(consumed name: String, _ tell: @escaping @Sendable (RawLink) async throws -> Void) {
            self.init(name, "counter of consumed bytes", tell)
            endsWithGoodbye = false
        }
    }

    private static let counter = "counter of produced bytes"

    static let lies: [Lie] = [
        Lie("more is published than the ring holds", counter) { $0.claim(produced: $0.written + UInt64(capacity) + 8) },
        Lie("half the counter's range is published", counter) { $0.claim(produced: $0.written + 1 << 63) },
        Lie("what was published is taken back", counter) { $0.claim(produced: $0.written - 8) },
        Lie("the counter begins anew", counter) { $0.claim(produced: 0) },
        Lie("the counter stands before its wrap", counter) { $0.claim(produced: UInt64.max - 7) },
        Lie("the counter is no multiple of 8", counter) { $0.claim(produced: $0.written + 4) },
        Lie("a record over the longest", "over the longest of \(longest)") { $0.publish(length: longest + 1, bytes: 2056) },
        Lie("a record of 4 GiB", "over the longest of \(longest)") { $0.publish(length: .max - 1, bytes: 8) },
        Lie("a record beyond what was published", "claims 100 bytes where 8 were published") { $0.publish(length: 100, bytes: 8) },
        Lie("a record beyond the end of the ring", "are left to the end of the ring") { link in
            try await link.goOn { $0.toEnd == 64 }
            link.publish(length: 100, bytes: 104)
        },
        Lie("padding where every record has room", "where every record has room") { link in
            try await link.goOn { $0.toEnd >= capacity / 2 }
            link.publish(length: .max, bytes: 8)
        },
        Lie("padding beyond what was published", "a padding record of 64 bytes where 8 were published") { link in
            try await link.goOn { $0.toEnd == 64 }
            link.publish(length: .max, bytes: 8)
        },
        Lie("a flood of empty records", "empty records") { link in
            for at in stride(from: 0, to: capacity, by: 4) { link.data.storeBytes(of: 0, toByteOffset: at, as: UInt32.self) }
            while await offer(link) {}
        },
        Lie(consumed: "more is given back than was published") { $0.claim(consumed: $0.read + 8) },
        Lie(consumed: "what was given back is taken back") { $0.claim(consumed: 0) },
        Lie(consumed: "what was given back is no multiple of 8") { $0.claim(consumed: $0.read - 4) },
        Lie(consumed: "what was given back stands before its wrap") { $0.claim(consumed: UInt64.max - 7) },
    ]

    /// Publishes as much as there is room for, whatever lies there, again and again for a while; false when nobody takes it any more.
    private static func offer(_ link: RawLink) async -> Bool {
        for _ in 0..<1000 {
            let room = ts_load(link.outgoing + RawLink.Field.consumed) &+ UInt64(capacity)
            link.claim(produced: room)
            if ts_exchange_flag(link.outgoing + RawLink.Field.consumerWaits, 0) != 0 { link.ring() }
        }
        await Task.yield()
        return !link.peerHasEnded
    }

    private static var offering: ServiceConfiguration {
        var configuration = ServiceConfiguration.defaults
        configuration.sharedMemory.ringBytes = capacity
        return configuration
    }

    /// Two calls, so that the counters stand somewhere and each side has looked for room.
    private static func callHonestly(_ link: RawLink) async throws {
        for stream: UInt32 in [1, 3] {
            let payload = ChannelEnd.pattern(3_000, seed: UInt64(stream))
            try await link.write(.request(stream, "echo", payload))
            let reply = try await link.frame(of: Kind.response)
            #expect(reply?.payload == payload)
        }
    }

    @Test(arguments: lies) func `a client that lies is closed with the lie's name, and nothing is left of it`(lie: Lie) async throws {
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory]) { running, neighbour in
            let (peer, link) = try await RawPeer.switched(at: running.path, capacity: Self.capacity)
            let traces = Traces(of: link.descriptors)
            try await Self.callHonestly(link)
            try await lie.tell(link)
            link.ring()
            if !lie.endsWithGoodbye { try await link.write(.request(5, "echo", [UInt8](repeating: 1, count: 3_000))) }
            let entry = try await running.log.entry(ended(.protocolViolation), lie.sentence)
            #expect(entry.level == .warning)
            if lie.endsWithGoodbye {
                var last: WireFrame?
                while let frame = try await link.frame() { last = frame }
                #expect(last?.kind == Kind.goodbye && last?.failureCode == FailureCode.protocolViolation.rawValue)
            }
            _ = try await peer.readToEnd()
            // Ours and nobody's beside it: three descriptors and one mapping.
            withExtendedLifetime(link) { #expect(traces.left.count == 4, "\(traces.left)") }
            try await neighbour.check()
        }
    }

    @Test(arguments: lies) func `a service that lies is left with the lie's name, and its calls with an unknown outcome`(lie: Lie) async throws {
        let (lied, traces) = (Recorded<Void>(), Recorded<Traces>())
        try await withLiar { peer in
            let link = try await peer.offerSoundly(capacity: Self.capacity)
            traces.append(Traces(of: link.descriptors))
            for _ in 0..<2 {
                guard let request = try await link.frame(of: Kind.request) else { return }
                try await link.write(WireFrame(Kind.response, stream: request.stream, lane: 2, [UInt8](repeating: 7, count: 3_000)))
            }
            // The client has read the answer, and our end nothing behind the request.
            try await lied.wait()
            try await lie.tell(link)
            link.ring()
            lied.signal()
            while try await link.frame() != nil {}
            _ = try await peer.readToEnd()
        } _: { endpoint, configuration, log in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                try await log.entry("the connection goes on through shared memory")
                let payload = ChannelEnd.pattern(3_000, seed: 1)
                for _ in 0..<2 { _ = try await client.call("x", payload: payload) }
                lied.signal()
                try await lied.wait(for: 2)
                let error = try await errorOf(CallError.self) { while true { _ = try await client.call("x", payload: payload) } }
                #expect(error.code == .connectionLost || error.code == .unavailable)
                let entry = try await log.entry("the connection ended: closed by this side, \(FailureCode.protocolViolation)", lie.sentence)
                #expect(entry.level == .warning)
            }
        }
        #expect(traces.all[0].left == [])
    }

    // MARK: What does no harm

    @Test func `what else stands in the control block does not matter, and neither do empty records`() async throws {
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory]) { running, _ in
            let (peer, link) = try await RawPeer.switched(at: running.path, capacity: Self.capacity)
            for ring in [link.incoming, link.outgoing] {
                for field in [RawLink.Field.magic, RawLink.Field.versionAndFlags, RawLink.Field.capacity] { ts_store(ring + field, .max) }
            }
            try await Self.callHonestly(link)
            // More than a lap of the ring, with a frame in single bytes between them.
            for _ in 0..<300 { try await link.write(record: []) }
            for byte in WireFrame(Kind.ping, WireFrame.u64(5)).encoded {
                try await link.write(record: [byte])
                for _ in 0..<50 { try await link.write(record: []) }
            }
            let pong = try await link.frame(of: Kind.pong)
            #expect(pong?.payload == WireFrame.u64(5))
            peer.close()
        }
    }

    @Test func `what is published and not announced is found at the next look`() async throws {
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory]) { running, _ in
            let (peer, link) = try await RawPeer.switched(at: running.path, capacity: Self.capacity)
            try await Self.callHonestly(link)
            try await link.write(record: WireFrame.request(5, "echo", [5]).encoded, rings: false)
            try await link.write(record: WireFrame.request(7, "echo", [7]).encoded, rings: false)
            link.ring()
            let first = try await link.frame(of: Kind.response)
            let second = try await link.frame(of: Kind.response)
            #expect(first?.payload == [5] && second?.payload == [7])
            peer.close()
        }
    }

    @Test func `some rings for nothing are no harm, and rings for ever are a violation`() async throws {
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory]) { running, neighbour in
            let (peer, link) = try await RawPeer.switched(at: running.path, capacity: Self.capacity)
            for _ in 0..<500 { link.ring() }
            try await Self.callHonestly(link)
            let ringing = try await offPool {
                var count = 0
                while !peer.hasEnded {
                    link.ring()
                    count += 1
                    sched_yield()
                }
                return count
            }
            #expect(ringing > 500)
            try await running.log.entry(ended(.protocolViolation), "the doorbell was rung 1001 times within a second")
            try await neighbour.check()
        }
    }

    @Test(arguments: [false, true]) func `bytes on the socket behind the switch are a violation`(atOnce: Bool) async throws {
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory]) { running, _ in
            let peer = try await RawPeer.greeted(at: running.path, RawPeer.offersSharedMemory)
            _ = try await peer.frame(of: Kind.upgrade)
            let link = try RawLink(peer.takeDescriptors(), capacity: Self.capacity, isMaker: false, over: peer)
            let more = WireFrame(Kind.ping, WireFrame.u64(1)).encoded
            try await peer.send(WireFrame.upgrade(2).encoded + WireFrame.upgrade(4).encoded + (atOnce ? more : []))
            if !atOnce {
                #expect(try await peer.frame() == .upgrade(4))
                try await Self.callHonestly(link)
                try await peer.send(more)
            }
            try await running.log.entry(ended(.protocolViolation), "24 bytes on the socket")
            // Before it has switched our side says so on the socket, and after it in the ring.
            let last = atOnce ? try await peer.framesToEnd().last : try await link.frame(of: Kind.goodbye)
            #expect(last?.failureCode == FailureCode.protocolViolation.rawValue)
        }
    }

    @Test func `a client that only leaves is no violation, and what it had published is read`() async throws {
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory]) { running, _ in
            let (peer, link) = try await RawPeer.switched(at: running.path, capacity: Self.capacity)
            try await Self.callHonestly(link)
            try await link.write(WireFrame(Kind.goodbye, WireFrame.failureBody(FailureCode.finished.rawValue, "that was all")))
            peer.close()
            try await running.log.entry("a connection ended: closed by the peer", "that was all")
        }
    }

    // MARK: Bytes that change

    @Test func `what a handler is lent does not change when the ring does`() async throws {
        let links = Recorded<RawLink>()
        let prepare: (Service) -> Void = { service in
            service.handle("look") { bytes, _ in
                let before = bytes.copied()
                links.all[0].turnEveryBit()
                return bytes.copied() == before ? before : []
            }
        }
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory], prepare: prepare) { running, _ in
            let (peer, link) = try await RawPeer.switched(at: running.path, capacity: Self.capacity)
            links.append(link)
            for round: UInt32 in 0..<20 {
                let payload = ChannelEnd.pattern(Int(round) * 200 + 1, seed: UInt64(round))
                try await link.write(.request(2 * round + 1, "look", payload))
                let reply = try await link.frame(of: Kind.response)
                #expect(reply?.payload == payload)
            }
            peer.close()
        }
    }

    @Test func `a peer that scribbles over everything is closed, or leaves, and nobody else notices`() async throws {
        try await withNeighbour(Self.offering, transports: [.socket, .sharedMemory]) { running, neighbour in
            for seed: UInt64 in 0..<20 {
                let (peer, link) = try await RawPeer.switched(at: running.path, capacity: Self.capacity)
                try await Self.callHonestly(link)
                try await offPool { Self.scribble(over: link, seed) }
                peer.close()
            }
            // Not all of them are in the log, which does not let a crowd of such peers fill it.
            while running.service.connections.count > 1 {
                try Task.checkCancellation()
                await Task.yield()
            }
            try await neighbour.check()
        }
    }

    /// Words at random in places at random, counters more often than bytes, until nobody listens any more.
    private static func scribble(over link: RawLink, _ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let fields = [RawLink.Field.produced, RawLink.Field.producerWaits, RawLink.Field.consumed, RawLink.Field.consumerWaits]
        for _ in 0..<20_000 where !link.peerHasEnded {
            let ring = random.next() & 1 == 0 ? link.outgoing : link.incoming
            switch random.next() % 4 {
            case 0: ts_store(ring + fields[random.number(in: 0...3)], random.next() >> (random.next() % 64))
            case 1: ts_store(link.outgoing + RawLink.Field.produced, ts_load(link.outgoing + RawLink.Field.consumed) &+ UInt64(random.number(in: 0...520)) &* 8)
            default: ts_store(ring + 512 + 8 * random.number(in: 0...(capacity / 8 - 1)), random.next() >> (random.next() % 64))
            }
            if random.next() % 8 == 0 { link.ring() }
        }
    }
}
