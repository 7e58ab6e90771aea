// What an operator reads: every refusal and every limit, and no payload, and nothing that a peer could have forged.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct LogTests {
    @Test func `a service tells where it listens and who comes and goes`() async throws {
        try await withRunning { running in
            let listening = try await running.log.entry("listening")
            #expect(listening.level == .notice)
            #expect(listening.metadata["path"] == running.path)
            #expect(listening.metadata["format"] == "ginnel/1")
            try await running.connect { try await $0.checkIsServed() }
            let came = try await running.log.entry("a peer connected")
            #expect(came.metadata["peer"]?.contains("process \(PeerIdentity.own.process!)") == true)
            let went = try await running.log.entry("a connection ended", "finished")
            #expect(went.level == .info)
        }
    }

    @Test func `a refused peer is reported with the reason and reads none`() async throws {
        try await withRunning(policy: .users([12_345])) { running in
            let refused = try await errorOf(GinnelError.self) { try await running.connect { _ in } }
            #expect(refused.code == .refused)
            #expect(refused.failure == Failure(.peerRefused, ""))
            let entry = try await running.log.entry("a peer was refused", "not among those allowed")
            #expect(entry.level == .warning)
        }
    }

    @Test func `a connection over the limit is reported`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 1
        try await withRunning(configuration) { running in
            try await running.connect { client in
                let refused = try await errorOf(GinnelError.self) { try await running.connect { _ in } }
                #expect(refused.failure?.code == .tooManyConnections)
                let entry = try await running.log.entry("turned away", "tooManyConnections")
                #expect(entry.level == .warning)
                try await client.checkIsServed()
            }
        }
    }

    @Test func `a peer cannot forge lines of the log`() async throws {
        try await withRunning { running in
            let peer = try await RawPeer.greeted(at: running.path)
            let forged = "bye\nginnel error: all is lost\u{1B}[2J"
            try await peer.send(WireFrame(WireFrame.Kind.goodbye, WireFrame.failureBody(1001, forged)))
            _ = try await peer.readToEnd()
            let entry = try await running.log.entry("a connection ended", "all is lost")
            #expect(!entry.message.contains("\n") && !entry.message.contains("\u{1B}"))
        }
    }

    @Test func `no payload reaches the log, whatever goes wrong with it`() async throws {
        let secret = "swordfish"
        let json = Array(#"{"left":"\#(secret)","right":1}"#.utf8)
        try await withRunning { running in
            try await running.connect { client in
                try await client.checkIsServed()
                _ = try? await client.call("add", codec: .json, payload: json)
                _ = try? await client.call("add", codec: .json, payload: Array(secret.utf8))
                _ = try? await client.call("nonesuch", payload: Array(secret.utf8))
                _ = try? await client.call("echo", payload: Array(String(repeating: secret, count: 1 << 18).utf8))
                try await client.send(event: "tick", codec: .json, payload: json)
                try await client.send(event: "unknown", payload: Array(secret.utf8))
            }
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(WireFrame(WireFrame.Kind.request, stream: 1, lane: 2, Array(secret.utf8)))
            _ = try await peer.readToEnd()
            let stranger = try RawPeer(connectingTo: running.path)
            try await stranger.send(Array(secret.utf8))
            _ = try await stranger.readToEnd()
            try await running.log.entry("a connection ended", "protocolViolation", "request")
            try await running.log.entry("a connection ended", "first bytes")
            #expect(running.log.entries.all.allSatisfy { !$0.description.contains(secret) })
        }
    }

    @Test func `lines have keys that programs can rely on`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 1
        try await withRunning(configuration) {
            $0.handle("closed", allowing: .users([])) { _, _ in [] }
            $0.handle("fails") { _, _ in throw NoError(expected: "nothing") }
        } _: { running in
            let endpoint = running.path
            try await running.connect { client in
                let came = try await running.log.entry("a peer connected").metadata
                #expect(came["event"] == "connected" && came["endpoint"] == endpoint && came["peer"] != nil)
                _ = try? await running.connect { _ in }
                let away = try await running.log.entry("turned away").metadata
                #expect(away["event"] == "turned-away" && away["reason"] == "tooManyConnections" && away["limit"] == "connections.maximum" && away["endpoint"] == endpoint)
                _ = try? await client.call("closed", payload: [])
                let forbidden = try await running.log.entry("was forbidden").metadata
                #expect(forbidden["event"] == "forbidden" && forbidden["method"] == "closed" && forbidden["reason"] == "forbidden" && forbidden["peer"] != nil)
                _ = try? await client.call("fails", payload: [])
                let failed = try await running.log.entry("handler of fails failed").metadata
                #expect(failed["event"] == "handler-failed" && failed["method"] == "fails")
            }
            let ended = try await running.log.entry("a connection ended").metadata
            #expect(ended["event"] == "ended" && ended["reason"] == "finished" && ended["by"] == "peer" && ended["endpoint"] == endpoint)
            #expect(ended["limit"] == nil)
            running.service.beginGracefulShutdown()
            #expect(try await running.log.entry("the service stops").metadata["event"] == "stopping")
            #expect(try await running.log.entry("the service has stopped").metadata["event"] == "stopped")
        }
    }

    @Test func `every line says what happened in a word of its own`() async throws {
        try await withRunning(transports: [.socket, .sharedMemory]) { running in
            try await running.connect { try await $0.checkIsServed() }
            let stranger = try RawPeer(connectingTo: running.path)
            try await stranger.send([1, 2, 3, 4, 5, 6, 7, 8])
            _ = try await stranger.readToEnd()
            try await running.log.entry("a connection ended", "first bytes")
            #expect(running.log.entries.all.allSatisfy { $0.metadata["event"]?.isEmpty == false })
        }
    }

    @Test func `calls that are cut off at the end are told with the limit`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.shutdownTimeout = .milliseconds(10)
        let begun = Recorded<Void>()
        try await withRunning(configuration) {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                begun.signal()
                await DeadlineTests.waitForCancellation()
                return []
            }
        } _: { running in
            try await running.connect { client in
                async let call = try? client.call("wait", payload: [])
                try await begun.wait()
                running.service.beginGracefulShutdown()
                let cut = try await running.log.entry("are cut off").metadata
                #expect(cut["event"] == "cut-off" && cut["limit"] == "shutdownTimeout" && cut["calls"] == "1")
                _ = await call
            }
        }
    }

    @Test func `what is below the level is not written`() async throws {
        let entries = Recorded<Log.Level>()
        var log = Log(level: .warning) { level, _, _ in entries.append(level) }
        var configuration = ServiceConfiguration.defaults
        configuration.log = log
        let service = makeService(at: .inProcess(uniqueName()), configuration: configuration)
        service.beginGracefulShutdown()
        try await service.run()
        #expect(entries.count == 0)
        log.level = .debug
        #expect(Log.Level.allCases == Log.Level.allCases.sorted())
    }
}
