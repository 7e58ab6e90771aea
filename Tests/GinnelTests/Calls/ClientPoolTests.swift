// A pool: connections in parallel, the least busy one first, and one end for all.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ClientPoolTests {
    private static var quiet: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.log = .off
        return configuration
    }

    @Test func `calls that wait are spread evenly over the connections, and the pool calls as a client does`() async throws {
        let (begun, release) = (Recorded<ObjectIdentifier>(), Recorded<Void>())
        try await withRunning {
            $0.handle("wait") { bytes, context async throws -> [UInt8] in
                begun.append(ObjectIdentifier(context.connection))
                try await release.wait()
                return bytes
            }
        } _: { running in
            try await ClientPool.connect(to: running.endpoint, count: 3, configuration: Self.quiet) { pool in
                #expect(pool.clients.count == 3 && running.service.connections.count == 3)
                try await withThrowingTaskGroup { group in
                    for number in 0..<UInt8(12) {
                        group.addTask {
                            let reply = try await pool.call("wait", payload: [number])
                            #expect(reply.bytes == [number])
                        }
                    }
                    try await begun.wait { $0.count == 12 }
                    let shares = Dictionary(grouping: begun.all) { $0 }.values.map(\.count)
                    #expect(shares == [4, 4, 4])
                    #expect(running.service.connections.map(\.callsInFlight) == [4, 4, 4])
                    release.signal()
                    try await group.waitForAll()
                }
                #expect(try await pool.call(Add(left: 1, right: 2)) == Sum(value: 3))
                let counted = try await pool.withClient { try await $0.open(Count(to: 5)).reduce(0) { sum, _ in sum + 1 } }
                #expect(counted == 5)
            }
            try await running.log.entries.wait { $0.count { $0.message.contains("a connection ended: closed by the peer, finished") } == 3 }
        }
    }

    @Test func `a call goes to a client that is connected, and the others come back`() async throws {
        try await withRunning { running in
            try await ClientPool.connect(to: running.endpoint, count: 2, reconnect: .soon, configuration: Self.quiet) { pool in
                for _ in 0..<10 {
                    running.service.connections.first?.close()
                    let reply = try await pool.call("echo", payload: [1], isIdempotent: true)
                    #expect(reply.bytes == [1])
                }
                for client in pool.clients {
                    for await state in client.connectionStates where state == .connected { break }
                    let reply = try await client.call("echo", payload: [2], isIdempotent: true)
                    #expect(reply.bytes == [2])
                }
            }
        }
    }

    @Test func `the end of a pool's body waits for what is not acknowledged, though a connection is lost in between`() async throws {
        let (handed, isHeld) = (Recorded<Int>(), Guarded(true))
        try await withRunning { service in
            service.receive(Note.self) { note, _ in
                // The first break of each connection takes the acknowledgement along.
                let isFirst = isHeld.withLock { held in
                    defer { held = false }
                    return held
                }
                if isFirst { for connection in service.connections { connection.close(.internal, "a break") } }
                handed.append(note.number)
            }
        } _: { running in
            try await ClientPool.connect(to: running.endpoint, count: 3, reconnect: .soon, configuration: Self.quiet) { pool in
                for (index, client) in pool.clients.enumerated() {
                    for number in 0..<20 { try await client.send(Note(number: index * 100 + number), delivery: .acknowledged) }
                }
            }
            #expect(Set(handed.all) == Set((0..<3).flatMap { index in (0..<20).map { index * 100 + $0 } }) && handed.count == 60)
        }
    }

    @Test func `a pool whose connections are lost for good ends as a whole, and says why`() async throws {
        try await withRunning { running in
            let pool = ClientPool(to: running.endpoint, count: 3, configuration: Self.quiet)
            async let ended = errorOf(GinnelError.self) { try await pool.run() }
            for client in pool.clients { _ = try await client.call("echo", payload: []) }
            running.service.connections.first?.close(.forbidden, "enough")
            let error = try await ended
            #expect(error.code == .closed && error.failure?.code == .forbidden)
            for client in pool.clients { await #expect(throws: (any Error).self) { _ = try await client.call("echo", payload: []) } }
        }
    }

    @Test func `a pool that finds no service says so, and what its body throws comes out after all are gone`() async throws {
        struct Mine: Error {}
        let nobody = try await errorOf(GinnelError.self) { try await ClientPool.connect(to: .inProcess(uniqueName()), configuration: Self.quiet) { _ in } }
        #expect(nobody.code == .notFound)
        try await withRunning { running in
            await #expect(throws: Mine.self) {
                try await ClientPool.connect(to: running.endpoint, count: 2, configuration: Self.quiet) { pool in
                    _ = try await pool.call("echo", payload: [])
                    throw Mine()
                }
            }
            try await running.log.entries.wait { $0.count { $0.message.contains("a connection ended: closed by the peer, finished") } == 2 }
            #expect(running.service.connections.isEmpty)
        }
    }
}
