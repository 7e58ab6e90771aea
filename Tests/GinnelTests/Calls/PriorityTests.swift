// Priorities: a request's lane reaches its handler, and its answer travels in the same lane.

import GinnelTesting
import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct PriorityTests {
    @Test(arguments: [Priority.high, .normal, .low]) func `a handler knows the priority of its call`(priority: Priority) async throws {
        try await withRunning {
            $0.handle("priority") { _, context in Array("\(context.priority)".utf8) }
        } _: { running in
            try await running.connect { client in
                let reply = try await client.call("priority", payload: [], priority: priority)
                #expect(String(decoding: reply.bytes, as: UTF8.self) == "\(priority)")
            }
        }
    }

    @Test(arguments: [UInt8(1), 2, 3]) func `an answer travels in the lane of its request`(lane: UInt8) async throws {
        try await withRunning { running in
            let peer = try await RawPeer.greeted(at: running.path)
            for (stream, method) in [(UInt32(1), "echo"), (3, "echo_async"), (5, "nonesuch")] {
                var request = WireFrame.request(stream, method, [1])
                request.lane = lane
                try await peer.send(request)
                let answer = try await peer.frame(of: WireFrame.Kind.response, WireFrame.Kind.failure)
                #expect(answer?.stream == stream && answer?.lane == lane)
            }
        }
    }

    /// A hundred of them are more than any socket holds.
    private struct Bulk: Event {
        static let name = "bulk"
        static let codec = Codec.raw
        var count = 1 << 20

        init() {}
        init(decoding bytes: borrowing RawSpan) { count = bytes.byteCount }
        func encoded() -> [UInt8] { [UInt8](repeating: 7, count: count) }
    }

    @Test func `a ping and an urgent call overtake 100 MB that wait on the same connection`() async throws {
        let total = 100 << 20
        var configuration = ServiceConfiguration.defaults
        configuration.limits.eventBytes = 2 * total
        configuration.limits.bufferedBytes = 2 * total
        try await withRunning(configuration) {
            $0.handle("flood") { _, context in
                let bulk = try EncodedEvent(Bulk(), .low)
                // All of it waits before the first byte can leave: this loop is the one that writes.
                for _ in 0..<100 { _ = context.connection.sendEvent(bulk) }
                return Array("\(context.connection.lanes?.low.bytes ?? 0)".utf8)
            }
        } _: { running in
            var configuration = ClientConfiguration.defaults
            configuration.limits.announced.maximumMessage = 2 << 20
            try await running.connect(configuration) { client in
                let bulk = client.events(of: Bulk.self, capacity: .max)
                func arrived() -> Int { Int(client.metrics().counters["read_bytes_total"] ?? 0) }
                let waiting = try await client.call("flood", payload: [], priority: .high)
                #expect(Int(String(decoding: waiting.bytes, as: UTF8.self)) ?? 0 > total)
                let answered = arrived()
                _ = try await client.ping()
                let heard = arrived()
                _ = try await client.call("echo_async", payload: [1], priority: .high)
                let called = arrived()
                // Each went past nearly all of it, and the rest came after them, whole.
                #expect(answered < total / 4, "the answer came behind \(answered) bytes")
                #expect(heard - answered < total / 4, "the pong came behind \(heard - answered) bytes")
                #expect(called - heard < total / 4, "the urgent answer came behind \(called - heard) bytes")
                var count = 0
                for await delivery in bulk {
                    guard case .event(let event) = delivery, event.count == 1 << 20 else {
                        Issue.record("\(delivery)")
                        break
                    }
                    count += 1
                    if count == 100 { break }
                }
                #expect(arrived() > total && called < total)
            }
        }
    }

    @Test func `an urgent answer overtakes those that wait`() async throws {
        let large = [UInt8](repeating: 1, count: 900_000)
        try await withRunning {
            $0.handle("large") { _, _ in large }
        } _: { running in
            let peer = try await RawPeer.greeted(at: running.path)
            // More than the socket holds, so that most of it waits in the service.
            for stream in stride(from: UInt32(1), through: 15, by: 2) { try await peer.send(.request(stream, "large")) }
            var urgent = WireFrame.request(17, "echo", [9])
            urgent.lane = 1
            try await peer.send(urgent)
            // The service has seen all of them when it has answered what was asked last; the answer waits behind what has left already.
            var before = 0
            while let frame = try await peer.frame(), frame.stream != 17 { before += frame.payload.count }
            #expect(before < 7 * large.count)
        }
    }
}
