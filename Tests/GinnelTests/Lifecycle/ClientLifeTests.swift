// Beginning and end of a client, and what happens to calls before, between and after.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ClientLifeTests {
    @Test func `a call without run() fails by name`() async throws {
        var configuration = ClientConfiguration.defaults
        configuration.startTimeout = .milliseconds(20)
        let client = Client(to: .inProcess(uniqueName()), configuration: configuration)
        let error = try await errorOf(GinnelError.self) { _ = try await client.call("echo", payload: []) }
        #expect(error.code == .notRunning)
        #expect(error.sentence.contains("run()"))
    }

    @Test func `calls made right after run() was begun wait for the connection`() async throws {
        try await withRunning { running in
            for _ in 0..<20 {
                let client = Client(to: running.endpoint)
                async let ran: Void = client.run()
                let sum = try await client.call(Add(left: 1, right: 2))
                #expect(sum == Sum(value: 3))
                client.close()
                try await ran
            }
        }
    }

    @Test func `many calls wait for the connection`() async throws {
        try await withRunning { running in
            let client = Client(to: running.endpoint)
            try await withThrowingTaskGroup { group in
                for number in 0..<100 {
                    group.addTask {
                        let reply = try await client.call("echo", payload: [UInt8(number)])
                        #expect(reply.bytes == [UInt8(number)])
                    }
                }
                async let ran: Void = client.run()
                try await group.waitForAll()
                client.close()
                try await ran
            }
        }
    }

    @Test func `calls that wait for a connection get the reason why there is none`() async throws {
        try await withDirectory { directory in
            let client = Client(to: .path(directory + "/nobody"))
            async let ran: Void = client.run()
            let call = try await errorOf(GinnelError.self) { _ = try await client.call("echo", payload: []) }
            #expect(call.code == .notFound)
            do {
                try await ran
                Issue.record("run() has found a service")
            } catch let error as GinnelError {
                #expect(error.code == .notFound)
                #expect(error.path == directory + "/nobody")
            }
        }
    }

    @Test func `a call after the end fails by name, and a client runs once`() async throws {
        try await withRunning { running in
            let client = Client(to: running.endpoint)
            async let ran: Void = client.run()
            try await client.checkIsServed()
            let twice = try await errorOf(GinnelError.self) { try await client.run() }
            #expect(twice.code == .invalid)
            client.close()
            try await ran
            let late = try await errorOf(GinnelError.self) { _ = try await client.call("echo", payload: []) }
            #expect(late.code == .closed)
            let again = try await errorOf(GinnelError.self) { try await client.run() }
            #expect(again.code == .invalid)
        }
    }

    @Test func `close() lets calls in flight finish and begins no new ones`() async throws {
        let holding = ServiceLifeTests.Holding()
        try await withRunning {
            holding.add(to: $0)
        } _: { running in
            let client = Client(to: running.endpoint)
            async let ran: Void = client.run()
            async let held = client.call("hold", payload: [])
            try await holding.begun.wait()
            client.close()
            let refused = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: []) }
            #expect(refused.code == .unavailable)
            holding.release.signal()
            let bytes = try await held.bytes
            #expect(bytes == [42])
            try await ran
        }
    }

    @Test func `cancelling run() ends calls in flight and returns without an error`() async throws {
        let holding = ServiceLifeTests.Holding()
        try await withRunning {
            holding.add(to: $0)
        } _: { running in
            let client = Client(to: running.endpoint)
            let run = Task { try await client.run() }
            async let held = client.call("hold", payload: [])
            try await holding.begun.wait()
            run.cancel()
            try await run.value
            do {
                _ = try await held
                Issue.record("the call was answered")
            } catch let error as CallError {
                #expect(error.code == .connectionLost)
            }
            try await holding.cancelled.wait()
        }
    }

    @Test func `close() before and while connecting ends run() at once`() async throws {
        let early = Client(to: .inProcess(uniqueName()))
        early.close()
        try await early.run()

        try await withDirectory { directory in
            // Accepts nobody: the client hangs in its handshake.
            let silent = try RawListener(at: directory + "/s")
            let client = Client(to: .path(silent.path))
            async let ran: Void = client.run()
            let peer = try await silent.accept()
            _ = try await peer.read(8)
            client.close()
            try await ran
            _ = try await peer.readToEnd()
        }
    }

    @Test func `cancelling run() while it connects ends it at once`() async throws {
        try await withDirectory { directory in
            let silent = try RawListener(at: directory + "/s")
            var configuration = ClientConfiguration.defaults
            configuration.timeouts.handshake = .seconds(600)
            let client = Client(to: .path(silent.path), configuration: configuration)
            let run = Task { try await client.run() }
            let peer = try await silent.accept()
            _ = try await peer.read(8)
            run.cancel()
            try await run.value
            let scoped = Task { try await Client.connect(to: .path(silent.path), configuration: configuration) { _ in } }
            let second = try await silent.accept()
            _ = try await second.read(8)
            scoped.cancel()
            _ = try await errorOf(CancellationError.self) { try await scoped.value }
        }
    }

    @Test func `a scoped client that is cancelled does not wait for a service that hangs`() async throws {
        try await withDirectory { directory in
            let hanging = try RawListener(at: directory + "/s")
            let begun = Recorded<Void>()
            let program = Task {
                try await Client.connect(to: .path(hanging.path)) { client in
                    begun.signal()
                    _ = try await client.call("never", payload: [])
                }
            }
            let peer = try await hanging.accept()
            try await peer.welcome()
            try await begun.wait()
            program.cancel()
            let caught = try await errorOf(CallError.self) { try await program.value }
            #expect(caught.code == .cancelled)
        }
    }

    @Test func `a call that waits for its connection can be cancelled`() async throws {
        let client = Client(to: .inProcess(uniqueName()))
        let call = Task { try await client.call("echo", payload: []) }
        call.cancel()
        _ = try await errorOf(CancellationError.self) { _ = try await call.value }
    }

    @Test func `what the body of a scoped client throws comes out of it`() async throws {
        struct Mine: Error {}
        try await withRunning { running in
            _ = try await errorOf(Mine.self) { try await running.connect { _ in throw Mine() } }
            let value = try await running.connect { _ in 5 }
            #expect(value == 5)
        }
    }

    @Test func `run() says why the connection ended`() async throws {
        try await withRunning { running in
            let client = Client(to: running.endpoint)
            async let ran: Void = client.run()
            try await client.checkIsServed()
            for connection in running.service.connections { connection.close(FailureCode(rawValue: 1001), "maintenance") }
            do {
                try await ran
                Issue.record("run() has returned as if nothing had happened")
            } catch let error as GinnelError {
                #expect(error.code == .closed)
                #expect(error.failure == Failure(FailureCode(rawValue: 1001), "maintenance"))
            }
        }
    }

    @Test func `ping measures the way there and back, and fails when the connection has gone`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let time = try await client.ping()
                #expect(time > .zero && time < .seconds(60))
                for connection in running.service.connections { #expect(await connection.ping()) }
                try await withThrowingTaskGroup { group in
                    for _ in 0..<50 { group.addTask { _ = try await client.ping() } }
                    try await group.waitForAll()
                }
                let connections = running.service.connections
                for connection in connections { connection.close() }
                // One that is under way at that moment fails, and so does every later one.
                _ = try await errorOf(CallError.self) { while true { _ = try await client.ping() } }
                _ = try await errorOf(CallError.self) { _ = try await client.ping() }
                for connection in connections { #expect(await connection.ping() == false) }
            }
        }
    }

    @Test func `a ping that is not answered can be cancelled`() async throws {
        try await withDirectory { directory in
            let hanging = try RawListener(at: directory + "/s")
            async let connected: Void = Client.connect(to: .path(hanging.path)) { client in
                let ping = Task { try await client.ping() }
                ping.cancel()
                _ = try await errorOf(CancellationError.self) { _ = try await ping.value }
            }
            let peer = try await hanging.accept()
            try await peer.welcome()
            try await connected
        }
    }

    @Test func `wait(for:) returns when the service appears`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let waiting = Task { try await Client.wait(for: endpoint, timeout: .seconds(60), interval: .milliseconds(5)) }
            try await withService(makeService(at: endpoint)) {
                try await waiting.value
                try await Client.connect(to: endpoint) { try await $0.checkIsServed() }
            }
        }
    }

    @Test func `wait(for:) gives up in time and says what it saw`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let error = try await errorOf(GinnelError.self) { try await Client.wait(for: endpoint, timeout: .milliseconds(20), interval: .milliseconds(5)) }
            #expect(error.code == .timedOut)
            #expect(error.path == directory + "/s")
        }
    }

    @Test func `a client knows who serves it, and when it is another start of the same`() async throws {
        try await withRunning { running in
            let instance = try await running.connect { client in
                #expect(client.service?.process == PeerIdentity.own.process)
                #expect(client.service?.user == PeerIdentity.own.user)
                return client.serviceInstance
            }
            let again = try await running.connect { $0.serviceInstance }
            #expect(instance == again)
            #expect(instance == running.service.instance)
            let other = Service(at: running.endpoint)
            #expect(instance != other.instance)
        }
    }

    @Test func `clients may share a loop`() async throws {
        try await withRunning { running in
            try await EventLoop.run { loop in
                var sharing = ClientConfiguration.defaults
                sharing.engine = .reactor
                sharing.loop = .shared(loop)
                let configuration = sharing
                try await running.connect(configuration) { first in
                    try await running.connect(configuration) { second in
                        try await first.checkIsServed()
                        try await second.checkIsServed()
                        #expect(first.isOnLoop && second.isOnLoop && loop.isCurrent)
                    }
                }
            }
        }
    }
}
