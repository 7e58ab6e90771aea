// Which thread runs what: the body of a scoped client its client's loop, handlers their connection's, unless they ask for another.

import Foundation
import Ginnel
import GinnelTransport
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct LoopTests {
    @Test func `the body of a scoped client runs on its client's loop, and so do its child tasks`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                #expect(client.isOnLoop)
                try await client.checkIsServed()
                #expect(client.isOnLoop)
                async let child = client.isOnLoop
                #expect(await child)
                await withTaskGroup { group in
                    group.addTask { #expect(client.isOnLoop) }
                }
            }
        }
    }

    @Test @MainActor func `the body of a client that the main actor connects runs on its client's loop`() async throws {
        try await withRunning { running in
            try await Client.connect(to: running.endpoint) { client in
                #expect(client.isOnLoop)
                #expect(!Thread.isMainThread)
                try await client.checkIsServed()
                #expect(client.isOnLoop)
            }
            MainActor.assertIsolated()
        }
    }

    @Test func `the body of a client that an actor connects runs on its client's loop`() async throws {
        actor Program {
            func run(_ running: Running) async throws {
                try await running.connect { client in
                    #expect(client.isOnLoop)
                    try await client.checkIsServed()
                    #expect(client.isOnLoop)
                }
                assertIsolated()
            }
        }
        try await withRunning { running in try await Program().run(running) }
    }

    @Test func `the body of a client at the top level of a program runs on its client's loop`() async throws {
        try await withRunning { running in
            let child = try Child(["top-level", "--endpoint", running.path])
            try await child.line("top-level true")
            #expect(try await child.status() == 0)
        }
    }

    @Test func `the body of a client in @main and on the main actor runs on its client's loop`() async throws {
        try await withRunning { running in
            let child = try Child([running.path], program: Child.directory + "/TestPeerMain")
            try await child.line("main true")
            try await child.line("main-actor true")
            #expect(try await child.status() == 0)
        }
    }

    @Test func `handlers run on their connection's loop, before and after they have waited, and elsewhere when they ask for it`() async throws {
        @Sendable func thread() -> [UInt8] { withUnsafeBytes(of: System.currentThread) { [UInt8]($0) } }
        try await withRunning {
            $0.handle("plain") { _, _ in thread() }
            $0.handle("async") { _, _ async throws -> [UInt8] in
                let before = thread()
                await Task.yield()
                async let child = thread()
                return before + thread() + (await child)
            }
            $0.handle("concurrent", on: .concurrent) { _, _ async throws -> [UInt8] in
                let before = thread()
                await Task.yield()
                return before + thread()
            }
        } _: { running in
            try await running.connect { client in
                let plain = try await client.call("plain", payload: []).bytes
                for _ in 0..<20 {
                    let async = try await client.call("async", payload: []).bytes
                    #expect(async == plain + plain + plain)
                    let concurrent = try await client.call("concurrent", payload: []).bytes
                    #expect(concurrent.prefix(8) != plain[...] && concurrent.suffix(8) != plain[...])
                }
            }
        }
    }

    @Test func `a handler that holds up its loop is reported by name`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.loops.reportAfter = .nanoseconds(1)
        try await withRunning(configuration) { running in
            try await running.connect { try await $0.checkIsServed() }
            let entry = try await running.log.entries.first { $0.message.contains("held up") && $0.metadata["by"] == "echo" }
            #expect(entry.level == .warning)
        }
    }
}
