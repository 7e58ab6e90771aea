// Priorities: a request's lane reaches its handler, and its answer travels in the same lane.

import Ginnel
import GinnelTesting
import Testing

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
