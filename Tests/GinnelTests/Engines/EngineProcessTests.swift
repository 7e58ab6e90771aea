// The two engines in two processes, either way round: what is between them is the protocol alone, and the environment chooses.

import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EngineProcessTests {
    private static func environment(_ name: String) -> [String: String] { [Engine.variable: name] }

    @Test(arguments: Engines.all) func `a service in another process is called, and its death ends the calls`(engines: Engines) async throws {
        try await withDirectory { directory in
            let service = try Child(["serve", "--endpoint", directory + "/s", "--transports", "socket,sharedMemory"], environment: Self.environment(engines.service.name))
            try await service.line("listening")
            try await Client.connect(to: .path(directory + "/s"), configuration: engines.clientConfiguration) { client in
                #expect(try await client.call("engine", payload: []).bytes == Array(engines.service.name.utf8))
                for size in [0, 1_000, 200_000] {
                    let payload = ChannelEnd.pattern(size, seed: UInt64(size))
                    #expect(try await client.call("echo", payload: payload).bytes == payload)
                }
                let held = Task { try await client.call("hold", payload: []) }
                try await service.line("held 1")
                service.kill()
                let lost = try await errorOf(CallError.self) { _ = try await held.value }
                #expect(lost.code == .connectionLost)
            }
            #expect(try await service.status() == 256 + SIGKILL)
        }
    }

    @Test(arguments: Engines.all) func `a client in another process is served, and its death frees its place`(engines: Engines) async throws {
        var configuration = engines.serviceConfiguration
        configuration.connections.maximum = 1
        try await withRunning(configuration) { running in
            for round in 1...3 {
                let client = try Child(["call", "--endpoint", running.path], environment: Self.environment(engines.client.name))
                try await client.line("connected")
                #expect(try await client.ask("engine") == engines.client.name)
                #expect(try await client.ask("call echo") == "reply x")
                let refused = try await errorOf(GinnelError.self) { try await running.connect { _ in } }
                #expect(refused.failure?.code == .tooManyConnections)
                client.kill()
                try await running.log.entries.wait { $0.count { $0.message.contains("connection lost") } == round }
                #expect(running.service.connections.isEmpty)
            }
        }
    }

    @Test(arguments: Engines.all) func `a flood through shared memory arrives whole`(engines: Engines) async throws {
        let served = Recorded<Void>()
        try await withRunning(engines.serviceConfiguration, transports: [.socket, .sharedMemory]) {
            $0.handle("flood") { bytes, _ in
                served.signal()
                return bytes.copied()
            }
        } _: { running in
            let client = try Child(["flood", "--endpoint", running.path], environment: Self.environment(engines.client.name))
            try await client.line("flooding")
            try await served.wait(for: 300)
            #expect(running.service.connections.map(\.transport) == [.sharedMemory])
            running.service.beginGracefulShutdown()
            try await client.line("over")
            #expect(!client.lines.all.contains("broken"))
        }
    }

    @Test func `an environment that names no engine is refused by name, value and what is allowed`() async throws {
        try await withDirectory { directory in
            let service = try Child(["serve", "--endpoint", directory + "/s"], environment: Self.environment("fast"))
            let said = try await service.line("failed")
            #expect(said.contains("invalid: the environment variable GINNEL_ENGINE is fast; allowed are reactor and threads"))
            let client = try Child(["call", "--endpoint", directory + "/s"], environment: Self.environment("Threads"))
            try await client.line("refused invalid")
        }
    }

    @Test func `the configuration goes before the environment, and an empty variable counts for nothing`() async throws {
        for (name, option, engine) in [("threads", "reactor", Engine.reactor), ("fast", "threads", .threads), ("", nil, .reactor), ("threads", nil, .threads)] {
            try await withDirectory { directory in
                let options = option.map { ["--engine", $0] } ?? []
                let service = try Child(["serve", "--endpoint", directory + "/s"] + options, environment: Self.environment(name))
                try await service.line("listening")
                try await Client.connect(to: .path(directory + "/s")) { client in
                    let reply = try await client.call("engine", payload: [])
                    #expect(reply.bytes == Array(engine.name.utf8))
                }
            }
        }
    }
}
