// A service that offers shared memory, clients that take it or do not, and what both of them see.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct UpgradeTests {
    @Test func `a connection goes on through shared memory when both sides want it`() async throws {
        try await withRunning(transports: [.socket, .sharedMemory]) { running in
            try await running.connect { client in
                try await running.log.entry("the connection goes on through shared memory")
                for size in [0, 1, 1_000, 65_536, 1_000_000] {
                    let payload = ChannelEnd.pattern(size, seed: UInt64(size))
                    let reply = try await client.call("echo", payload: payload)
                    #expect(reply.bytes == payload)
                }
                #expect(client.transport == .sharedMemory)
                #expect(running.service.connections.map(\.transport) == [.sharedMemory])
            }
        }
    }

    @Test func `a connection stays on the socket when the service does not offer`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                try await client.checkIsServed()
                #expect(client.transport == .socket)
            }
        }
    }

    @Test func `a connection stays on the socket when the client does not want it`() async throws {
        try await withRunning(transports: [.socket, .sharedMemory]) { running in
            var configuration = ClientConfiguration.defaults
            configuration.transports = [.socket]
            try await running.connect(configuration) { client in
                try await client.checkIsServed()
                #expect(client.transport == .socket)
            }
        }
    }

    @Test func `a ring over the client's limit is refused, and the connection goes on`() async throws {
        try await withRunning(transports: [.socket, .sharedMemory]) { running in
            var configuration = ClientConfiguration.defaults
            configuration.sharedMemory.maximumRingBytes = (256 << 10) - 1
            try await running.connect(configuration) { client in
                let entry = try await running.log.entry("the connection stays on the socket")
                #expect(entry.message.contains("maximumRingBytes"))
                try await client.checkIsServed()
                #expect(client.transport == .socket)
                let metrics = try await client.serviceMetrics()
                #expect(metrics.connections == ["inProcess": 0, "sharedMemory": 0, "socket": 1] && metrics.fallbacks == 1)
            }
        }
    }

    @Test func `the metrics say what carries the connections`() async throws {
        try await withRunning(transports: [.socket, .sharedMemory]) { running in
            try await running.connect { client in
                try await running.log.entry("goes on through shared memory")
                let metrics = try await client.serviceMetrics()
                #expect(metrics.connections == ["inProcess": 0, "sharedMemory": 1, "socket": 0] && metrics.fallbacks == 0)
            }
        }
    }

    @Test func `calls, streams and events that are on their way pass the change unharmed`() async throws {
        try await withRunning(transports: [.socket, .sharedMemory]) { running in
            for round in 0..<20 {
                try await running.connect { client in
                    try await withThrowingTaskGroup { group in
                        for index in 0..<20 {
                            group.addTask {
                                let payload = ChannelEnd.pattern(20_000 + index * 7_000, seed: UInt64(round * 100 + index))
                                let reply = try await client.call("echo", payload: payload)
                                #expect(reply.bytes == payload)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
        }
    }
}
