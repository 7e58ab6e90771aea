// Processes that are killed: no caller hangs, no endpoint is lost, no place stays taken.

import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct DeathTests {
    @Test func `the death of a service ends a thousand calls in flight, each once and with its reason`() async throws {
        try await withDirectory { directory in
            let service = try Child(["serve", "--endpoint", directory + "/s"])
            try await service.line("listening")
            try await Client.connect(to: .path(directory + "/s")) { client in
                let events = client.events(of: Tick.self)
                let ends = Recorded<FailureCode>()
                await withTaskGroup { group in
                    // 1,024 are served at once; the others wait here and are never begun.
                    for _ in 0..<1100 {
                        group.addTask {
                            do { _ = try await client.call("hold", payload: []) } catch let error as CallError { ends.append(error.code) } catch {}
                        }
                    }
                    _ = try? await service.line("held 1024")
                    service.kill()
                }
                #expect(ends.count == 1100)
                #expect(ends.all.count { $0 == .connectionLost } == 1024)
                #expect(ends.all.count { $0 == .unavailable } == 76)
                for await event in events { Issue.record("\(event)") }
                let late = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: []) }
                #expect(late.code == .unavailable)
            }
            #expect(try await service.status() == 256 + SIGKILL)
        }
    }

    @Test func `a service that was killed is followed at once by the next`() async throws {
        try await withDirectory { directory in
            var instances: Set<Identity> = []
            for _ in 0..<3 {
                let service = try Child(["serve", "--endpoint", directory + "/s"])
                try await service.line("listening")
                let instance = try await Client.connect(to: .path(directory + "/s")) { client in
                    try await client.checkIsServed()
                    return client.serviceInstance
                }
                instances.insert(try #require(instance))
                service.kill()
                _ = try await service.status()
                #expect(FileManager.default.fileExists(atPath: directory + "/s"))
                let nobody = try await errorOf(GinnelError.self) { try await Client.connect(to: .path(directory + "/s")) { _ in } }
                #expect(nobody.code == .notFound)
            }
            #expect(instances.count == 3)
        }
    }

    @Test func `a second live service is refused, told who holds the endpoint, and the first keeps its clients`() async throws {
        try await withDirectory { directory in
            let first = try Child(["serve", "--endpoint", directory + "/s"])
            try await first.line("listening")
            try await Client.connect(to: .path(directory + "/s")) { client in
                let second = try Child(["serve", "--endpoint", directory + "/s"])
                let said = try await second.line("failed busy")
                #expect(said.contains("process \(first.id)"))
                _ = try await second.status()
                try await client.checkIsServed()
            }
            try await Client.connect(to: .path(directory + "/s")) { try await $0.checkIsServed() }
        }
    }

    @Test func `the death of a client frees its place`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 1
        let cancelled = Recorded<Void>()
        try await withRunning(configuration) {
            $0.handle("hold") { _, _ async throws -> [UInt8] in
                await DeadlineTests.waitForCancellation()
                cancelled.signal()
                return []
            }
        } _: { running in
            for round in 1...3 {
                let client = try Child(["call", "--endpoint", running.path])
                try await client.line("connected")
                try client.tell("call hold")
                let refused = try await errorOf(GinnelError.self) { try await running.connect { _ in } }
                #expect(refused.failure?.code == .tooManyConnections)
                client.kill()
                try await running.log.entries.wait { $0.count { $0.message.contains("connection lost") } == round }
                try await running.connect { try await $0.checkIsServed() }
                try await running.log.entries.wait { $0.count { $0.message.contains("a connection ended: closed by the peer, finished") } == round }
            }
        }
    }

    @Test func `a client in a process of its own leaves no descriptors with the service`() async throws {
        try await withRunning { running in
            let client = try Child(["call", "--endpoint", running.path])
            try await client.line("connected \(PeerIdentity.own.process!)")
            #expect(try await client.ask("call echo") == "reply x")
            try client.tell("leave")
            try await client.line("over")
            try await running.log.entry("a connection ended", "finished")
            #expect(running.service.connections.isEmpty)
        }
    }
}
