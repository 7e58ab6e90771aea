// Processes that are killed at any point of their traffic over shared memory: the survivor gets a named error, has read whole messages and all of them in order, and goes on.

import CTestSupport
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .enabled(if: ts_has_memory()), .timeLimit(.minutes(5))) struct KilledPeerTests {
    private static let rounds = 12
    private static var messages: SeededMessages { SeededMessages(seed: 1, lengths: 0...3_000) }

    private static var options: SharedMemoryStreamOptions {
        var options = SharedMemoryStreamOptions.defaults
        options.sharedMemory.ringBytes = 16_384
        return options
    }

    @Test func `calls of a service that is killed end with an error that says so`() async throws {
        try await withDirectory { directory in
            var random = SplitMix64(seed: 11)
            for round in 0..<Self.rounds {
                let path = "\(directory)/\(round)"
                let child = try Child(["serve", "--endpoint", path, "--transports", "socket,sharedMemory"])
                try await child.line("listening")
                let limit = random.number(in: 1...150)
                let log = LogRecorder()
                var configuration = ClientConfiguration.defaults
                configuration.log = log.log
                try await Client.connect(to: .path(path), configuration: configuration) { client in
                    try await log.entry("goes on through shared memory")
                    let replies = Recorded<Void>()
                    await withTaskGroup { group in
                        for series: UInt64 in 0..<4 { group.addTask { await Self.callOn(client, series, replies) } }
                        try? await replies.wait(for: limit)
                        child.kill()
                    }
                }
                try await log.entry("the connection ended: connection lost")
            }
        }
    }

    /// Calls until the service is no more; each reply is what it should be.
    private static func callOn(_ client: Client, _ series: UInt64, _ replies: Recorded<Void>) async {
        var payloads = SeededMessages(seed: series, lengths: 0...60_000)
        while true {
            let payload = payloads.next()
            do {
                let reply = try await client.call("echo", payload: payload)
                #expect(reply.bytes == payload)
                replies.signal()
            } catch {
                let code = (error as? CallError)?.code
                #expect(code == .connectionLost || code == .unavailable, "\(error)")
                return
            }
        }
    }

    @Test func `a client that is killed is lost, and its service serves on`() async throws {
        let echoes = Recorded<Void>()
        let prepare: (Service) -> Void = { service in
            service.handle("flood") { bytes, _ in
                echoes.signal()
                return bytes.copied()
            }
        }
        try await withNeighbour(transports: [.socket, .sharedMemory], prepare: prepare) { running, neighbour in
            var random = SplitMix64(seed: 12)
            for round in 1...Self.rounds {
                let child = try Child(["flood", "--endpoint", running.path])
                try await child.line("flooding")
                let count = echoes.count
                try await echoes.wait(for: count + random.number(in: 1...150))
                child.kill()
                try await running.log.entries.wait { entries in entries.count { $0.message.hasPrefix("a connection ended: connection lost") } == round }
                #expect(!child.lines.all.contains { $0.hasPrefix("broken") })
                try await neighbour.check()
            }
        }
    }

    @Test(arguments: ["service", "client"]) func `from a stream whose peer is killed all that was published is read, in order and whole`(role: String) async throws {
        try await withDirectory { directory in
            try await EventLoop.run { loop in
                var random = SplitMix64(seed: role == "client" ? 13 : 14)
                for round in 0..<Self.rounds {
                    let path = "\(directory)/\(round)"
                    let listener = role == "client" ? try await SharedMemoryListener.bind(.path(path), options: Self.options, on: loop) : nil
                    let child = try Child(["converse", "--endpoint", path, "--role", role])
                    if listener == nil { try await child.line("listening") }
                    let stream = if let listener { try await listener.accept() } else { try await SharedMemoryStream.connect(to: .path(path), options: Self.options, on: loop) }
                    async let sent = Self.sendOn(stream)
                    let limit = random.number(in: 1...2_000)
                    var (due, number) = (Self.messages, 0)
                    let end = try await errorOf(GinnelError.self) {
                        while let message = try await stream.receive(within: .seconds(60)) {
                            try #require(message == due.next(), "message \(number)")
                            number += 1
                            if number == limit { child.kill() }
                        }
                    }
                    #expect(number >= limit)
                    #expect(end.code == .closed && end.sentence.contains("without a farewell"))
                    let error = await sent
                    #expect(error?.code == .closed)
                    await stream.close()
                    await listener?.close()
                    #expect(!child.lines.all.contains { $0.hasPrefix("broken") })
                }
            }
        }
    }

    /// Sends until it cannot; why.
    private static func sendOn(_ stream: SharedMemoryStream) async -> GinnelError? {
        do {
            var due = messages
            while true { try await stream.send(due.next(), within: .seconds(60)) }
        } catch {
            return error as? GinnelError
        }
    }
}
