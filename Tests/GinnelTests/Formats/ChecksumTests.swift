// CRC-32C on every frame, when both sides want it.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ChecksumTests {
    private static var offering: ServiceConfiguration {
        var configuration = ServiceConfiguration.defaults
        configuration.checksums = true
        return configuration
    }

    @Test(arguments: [true, false]) func `all shapes of message pass, whether the client wants checksums or not`(wanted: Bool) async throws {
        try await withRunning(Self.offering) { running in
            var configuration = ClientConfiguration.defaults
            configuration.checksums = wanted
            try await running.connect(configuration) { client in
                try await client.checkIsServed()
                let large = [UInt8](repeating: 3, count: 500_000)
                let reply = try await client.call("echo_async", payload: large)
                #expect(reply.bytes == large)
                var count = 0
                for try await _ in try await client.open(Count(to: 100)) { count += 1 }
                #expect(count == 100)
                _ = try await client.ping()
            }
        }
    }

    @Test func `frames are sealed in both directions, and one that is damaged ends the connection`() async throws {
        try await withRunning(Self.offering) { running in
            let peer = try await RawPeer.greeted(at: running.path, RawHello(features: 1))
            try await peer.send(WireFrame.request(1, "echo", [1, 2, 3]).sealed)
            let answer = try await peer.frame()
            #expect(answer?.payload == [1, 2, 3])
            #expect(answer?.checksum != 0 && answer?.sealed == answer)

            var damaged = WireFrame.request(3, "echo", [1, 2, 3]).sealed
            damaged.payload[damaged.payload.count - 1] ^= 1
            try await peer.send(damaged)
            let goodbye = try await peer.frame()
            #expect(goodbye?.kind == WireFrame.Kind.goodbye)
            #expect(goodbye?.failureCode == FailureCode.checksumMismatch.rawValue)
            #expect(try await peer.frame() == nil)
            try await running.log.entry("checksumMismatch")
        }
    }
}
