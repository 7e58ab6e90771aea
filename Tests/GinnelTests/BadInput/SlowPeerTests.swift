// Peers that stall: they begin and do not go on, they do not read, they do not answer, they leave in the middle.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct SlowPeerTests {
    private static let large = 900_000

    private static func addLarge(to service: Service, _ asked: Recorded<Void>) {
        service.handle("large") { _, _ in
            asked.signal()
            return [UInt8](repeating: 1, count: large)
        }
    }

    @Test func `a peer that reads nothing is closed when too much waits for it`() async throws {
        let asked = Recorded<Void>()
        var configuration = ServiceConfiguration.defaults
        configuration.limits.bufferedBytes = 1 << 20
        try await withNeighbour(configuration) {
            Self.addLarge(to: $0, asked)
        } _: { running, neighbour in
            let peer = try await RawPeer.greeted(at: running.path)
            for stream in [UInt32(1), 3, 5, 7] { try await peer.send(.request(stream, "large")) }
            try await asked.wait(for: 2)
            try await neighbour.check()
            // What had left before is still to be read; then the reason.
            try await peer.expectGoodbye(.slowReader)
            try await running.log.entry(ended(.slowReader), "bufferedBytes")
        }
    }

    @Test func `a peer that takes nothing for too long is closed`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.timeouts.write = .milliseconds(300)
        try await withNeighbour(configuration) {
            Self.addLarge(to: $0, Recorded())
        } _: { running, neighbour in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(.request(1, "large"))
            try await running.log.entry(ended(.slowReader), "timeouts.write")
            try await neighbour.check()
            // It finds the beginning of its answer and then the end.
            let bytes = try await peer.readToEnd()
            #expect(bytes.count < Self.large)
        }
    }

    @Test(arguments: [1, 15, 17, 40]) func `a frame that is begun and not completed ends the connection in time`(count: Int) async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.timeouts.readMidMessage = .milliseconds(300)
        try await withNeighbour(configuration) { running, _ in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(Array(WireFrame.request(1, "echo", [UInt8](repeating: 0, count: 100)).encoded.prefix(count)))
            try await peer.expectGoodbye(.readTimeout)
            try await running.log.entry(ended(.readTimeout), "timeouts.readMidMessage")
        }
    }

    @Test(arguments: [1, 15, 16, 40]) func `a peer that leaves in the middle of a frame is noted`(count: Int) async throws {
        try await withNeighbour { running, _ in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(Array(WireFrame.request(1, "echo", [UInt8](repeating: 0, count: 100)).encoded.prefix(count)))
            peer.close()
            try await running.log.entry("a connection ended: connection lost", "in the middle of a frame, after \(count)")
        }
    }

    @Test func `a peer that ends its side after a question gets no answer and is noted`() async throws {
        try await withNeighbour { running, _ in
            let peer = try await RawPeer.greeted(at: running.path)
            peer.endWriting()
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry("a connection ended: connection lost", "without a farewell")
        }
    }

    @Test func `a peer that does not answer is stale after two heartbeats`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.timeouts.heartbeat = .milliseconds(300)
        try await withNeighbour(configuration) { running, _ in
            let peer = try await RawPeer.greeted(at: running.path)
            let frames = try await peer.framesToEnd()
            #expect(frames.map(\.kind) == [WireFrame.Kind.ping, WireFrame.Kind.goodbye])
            #expect(frames.last?.failureCode == FailureCode.stale.rawValue)
            try await running.log.entry(ended(.stale))
        }
    }

    @Test func `a peer that says nothing for too long is shown out`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.timeouts.idle = .milliseconds(300)
        try await withRunning(configuration) { running in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.expectGoodbye(.idle)
            try await running.log.entry(ended(.idle), "timeouts.idle")
        }
    }

    @Test func `events beyond what is kept for a slow peer close it when that is wanted`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.limits.eventBytes = 64 << 10
        configuration.limits.eventOverflow = .close
        // However long this takes: it is the events that are too many, not the time that is too long.
        configuration.timeouts.write = .seconds(600)
        configuration.timeouts.heartbeat = nil
        try await withNeighbour(configuration) { running, neighbour in
            let peer = try await RawPeer.greeted(at: running.path)
            var number = 0
            while try running.service.broadcast(Tick(number: number)) == 2 {
                number += 1
                if number % 100 == 0 { try await neighbour.check() }
            }
            try await peer.expectGoodbye(.slowReader)
            try await running.log.entry(ended(.slowReader), "eventBytes")
        }
    }
}
