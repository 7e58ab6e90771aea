// A service looks at who is connected, speaks to some of them, closes one of them, and makes the right one pay for what it holds.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ConnectionsTests {
    /// The service's end of a client's connection.
    private static func connection(of client: Client, _ running: Running) async throws -> Connection {
        let before = Dictionary(uniqueKeysWithValues: running.service.connections.map { (ObjectIdentifier($0), $0.calls) })
        try await client.checkIsServed()
        return try #require(running.service.connections.first { $0.calls > before[ObjectIdentifier($0)] ?? 0 })
    }

    @Test func `who is connected is known with its identity, its beginning, its calls and what waits for it`() async throws {
        let (begun, release) = (Recorded<Void>(), Recorded<Void>())
        let earliest = ContinuousClock.now
        try await withRunning {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                begun.signal()
                try await release.wait()
                return []
            }
        } _: { running in
            try await running.connect { client in
                async let waiting = client.call("wait", payload: [])
                try await begun.wait()
                let peer = try await RawPeer.greeted(at: running.path)
                let quiet = try #require(running.service.connections.first { $0.callsInFlight == 0 })
                let busy = try #require(running.service.connections.first { $0.callsInFlight == 1 })
                #expect(busy.peer.process == PeerIdentity.own.process && busy.peer.user == PeerIdentity.own.user)
                #expect(busy.since > earliest && quiet.since >= busy.since && quiet.since < ContinuousClock.now)
                #expect(busy.calls == 1 && quiet.calls == 0 && busy.bytesRead > 0 && busy.bytesWritten > 0)
                #expect(busy.lanes == LaneDepths())
                // Whoever reads nothing has it waiting here, lane by lane.
                let large = String(repeating: "x", count: 100_000)
                for _ in 0..<9 { try quiet.send(Text(text: large), priority: .low) }
                for _ in 0..<2 { try quiet.send(Tick(number: 1), priority: .high) }
                let lanes = try #require(quiet.lanes)
                #expect(lanes.low.messages > 3 && lanes.low.messages <= 9 && lanes.low.bytes > 300_000 && lanes.normal.messages == 0)
                #expect(quiet.bytesWaiting >= lanes.low.bytes && busy.bytesWaiting == 0)
                let listed = running.service.metrics()
                #expect(listed.peers.contains { ($0.lanes?.low.messages ?? 0) == lanes.low.messages })
                #expect(listed.users.map(\.connections) == [2] && listed.users[0].user == PeerIdentity.own.user)
                #expect(listed.users[0].callsInFlight == 1 && listed.users[0].bytesWaiting > 300_000)
                #expect(listed.users[0].bytesWaiting == listed.peers.reduce(0) { $0 + $1.bytesWaiting })
                #expect(listed.users[0].bytesWritten == listed.peers.reduce(0) { $0 + $1.bytesWritten })
                release.signal()
                _ = try await waiting
                peer.close()
            }
        }
    }

    @Test func `an event to some reaches those and nobody else, and those that have ended take none`() async throws {
        try await withRunning { running in
            try await running.connect { first in
                try await running.connect { second in
                    try await running.connect { third in
                        let ticks = [first, second, third].map { $0.events(of: Tick.self) }
                        let connections = [
                            try await Self.connection(of: first, running), try await Self.connection(of: second, running),
                            try await Self.connection(of: third, running),
                        ]
                        #expect(try running.service.send(Tick(number: 1), to: connections.dropFirst()) == 2)
                        #expect(try running.service.send(Tick(number: 2), to: []) == 0)
                        #expect(try running.service.send(Tick(number: 3), to: connections) == 3)
                        var seen: [[EventDelivery<Tick>]] = []
                        for (stream, count) in zip(ticks, [1, 2, 2]) {
                            var iterator = stream.makeAsyncIterator()
                            var deliveries: [EventDelivery<Tick>] = []
                            for _ in 0..<count { if let delivery = await iterator.next() { deliveries.append(delivery) } }
                            seen.append(deliveries)
                        }
                        let both: [EventDelivery<Tick>] = [.event(Tick(number: 1)), .event(Tick(number: 3))]
                        #expect(seen == [[.event(Tick(number: 3))], both, both])
                        connections[0].close()
                        try await running.log.entry("a connection ended: closed by this side")
                        #expect(try running.service.send(Tick(number: 4), to: connections) == 2)
                    }
                }
            }
        }
    }

    @Test func `one connection is closed with a reason, which its peer reads, and the others go on`() async throws {
        try await withNeighbour { running, neighbour in
            let peer = try await RawPeer.greeted(at: running.path)
            let ours = try await Self.connection(of: neighbour.client, running)
            let other = try #require(running.service.connections.first { $0 !== ours })
            other.close(.forbidden, "not on a Friday")
            let last = try #require(try await peer.framesToEnd().last)
            #expect(last.kind == WireFrame.Kind.goodbye && last.failureCode == FailureCode.forbidden.rawValue)
            #expect(String(decoding: last.payload, as: UTF8.self).contains("not on a Friday"))
            try await running.log.entry(ended(.forbidden), "not on a Friday")
            #expect(running.service.connections.count == 1)
        }
    }

    // MARK: What a user holds

    /// So many calls of a raw peer that reads no answers, each of 100,000 bytes.
    private static func ask(_ peer: RawPeer, _ count: Int) async throws {
        for number in 0..<count { try await peer.send(.request(UInt32(2 * number + 1), "large")) }
    }

    /// How many whole answers come, of so many.
    private static func answers(_ peer: RawPeer, _ count: Int) async throws -> Int {
        var answers = 0
        while answers < count, let frame = try await peer.frame(of: WireFrame.Kind.response) { if frame.flags & WireFrame.more == 0 { answers += 1 } }
        return answers
    }

    private static func addLarge(to service: Service, _ asked: Recorded<Void>) {
        service.handle("large") { _, _ in
            asked.signal()
            return [UInt8](repeating: 1, count: 100_000)
        }
    }

    private static var limited: ServiceConfiguration {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.bufferedBytesPerUser = 4 << 20
        configuration.timeouts.write = .seconds(600)
        configuration.timeouts.heartbeat = nil
        return configuration
    }

    @Test func `the culprit of a memory limit is closed, never its neighbour`() async throws {
        let asked = Recorded<Void>()
        try await withNeighbour(Self.limited) {
            Self.addLarge(to: $0, asked)
        } _: { running, neighbour in
            // The modest one holds less than the greedy one, and it is the modest one's bytes that come last and break the limit.
            let (greedy, modest) = (try await RawPeer.greeted(at: running.path), try await RawPeer.greeted(at: running.path))
            try await Self.ask(greedy, 40)
            try await asked.wait(for: 40)
            try await Self.ask(modest, 30)
            try await asked.wait(for: 70)
            // It finds what had left before, and the reason; only then has it ended.
            try await greedy.expectGoodbye(.slowReader)
            try await running.log.entry(ended(.slowReader), "connections.bufferedBytesPerUser")
            try await neighbour.check()
            // It gets all of its answers, now that it reads.
            #expect(try await Self.answers(modest, 30) == 30)
            #expect(running.log.count(ended(.slowReader)) == 1)
        }
    }

    @Test func `connections that hold less than the limit together are left alone, and what was taken counts no more`() async throws {
        let asked = Recorded<Void>()
        try await withNeighbour(Self.limited) {
            Self.addLarge(to: $0, asked)
        } _: { running, neighbour in
            // Ten times the limit goes through, but never more than a part of it waits.
            let peer = try await RawPeer.greeted(at: running.path)
            for round in 0..<20 {
                for number in 0..<20 { try await peer.send(.request(UInt32(2 * (20 * round + number) + 1), "large")) }
                #expect(try await Self.answers(peer, 20) == 20)
            }
            try await neighbour.check()
            #expect(running.log.count(ended(.slowReader)) == 0)
        }
    }

    private struct Text: Event {
        static let name = "text"
        var text: String
    }
}
