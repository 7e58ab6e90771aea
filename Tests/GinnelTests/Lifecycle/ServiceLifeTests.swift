// Beginning and end of a service: graceful, sudden, too late, twice.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ServiceLifeTests {
    /// A service whose handler `hold` answers when it is told to, or when it is cancelled.
    struct Holding: Sendable {
        let begun = Recorded<Void>()
        let release = Recorded<Void>()
        let cancelled = Recorded<Void>()

        func add(to service: Service) {
            service.handle("hold") { [self] _, _ async throws -> [UInt8] in
                begun.signal()
                do {
                    try await release.wait()
                } catch {
                    cancelled.signal()
                    throw error
                }
                return [42]
            }
        }
    }

    @Test func `a graceful end lets calls in flight finish and begins no new ones`() async throws {
        let holding = Holding()
        try await withRunning {
            holding.add(to: $0)
        } _: { running in
            try await running.connect { client in
                async let held = client.call("hold", payload: [])
                try await holding.begun.wait()
                running.service.beginGracefulShutdown()
                // The farewell is in the log once the client has read it.
                try await running.log.entry("the peer says goodbye")
                let refused = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: []) }
                #expect(refused.code == .unavailable)
                #expect(refused.outcome == .notBegun)
                holding.release.signal()
                #expect(try await held.bytes == [42])
                #expect(holding.cancelled.count == 0)
            }
        }
    }

    @Test func `a request that crosses the farewell is answered as unavailable`() async throws {
        let holding = Holding()
        try await withRunning {
            holding.add(to: $0)
        } _: { running in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(.request(1, "hold"))
            try await holding.begun.wait()
            running.service.beginGracefulShutdown()
            #expect(try await peer.frame()?.failureCode == FailureCode.shuttingDown.rawValue)
            let crossed = try await peer.call("echo", stream: 3)
            #expect(crossed?.stream == 3)
            #expect(crossed?.failureCode == FailureCode.unavailable.rawValue)
            holding.release.signal()
            let held = try await peer.frame()
            #expect(held?.stream == 1 && held?.payload == [42])
            let last = try await peer.frame()
            #expect(last?.kind == WireFrame.Kind.goodbye && last?.failureCode == FailureCode.allAnswered.rawValue)
            #expect(try await peer.frame() == nil)
        }
    }

    @Test func `a service that stops takes no new connections`() async throws {
        let holding = Holding()
        try await withRunning {
            holding.add(to: $0)
        } _: { running in
            try await running.connect { client in
                async let held = client.call("hold", payload: [])
                try await holding.begun.wait()
                running.service.beginGracefulShutdown()
                try await running.log.entry("the peer says goodbye")
                // The listener is closed before the farewell is said.
                let late = try await errorOf(GinnelError.self) { try await Client.connect(to: running.endpoint) { _ in } }
                #expect(late.code == .notFound)
                holding.release.signal()
                _ = try await held
            }
        }
    }

    @Test func `calls that outlast the graceful end are cut off`() async throws {
        let holding = Holding()
        var configuration = ServiceConfiguration.defaults
        configuration.shutdownTimeout = .milliseconds(50)
        try await withRunning(configuration) {
            holding.add(to: $0)
        } _: { running in
            try await running.connect { client in
                async let held = client.call("hold", payload: [])
                try await holding.begun.wait()
                running.service.beginGracefulShutdown()
                do {
                    _ = try await held
                    Issue.record("the call was answered")
                } catch let error as CallError {
                    #expect(error.code == .connectionLost)
                    #expect(error.outcome == .unknown)
                }
                try await holding.cancelled.wait()
            }
        }
    }

    @Test func `cancelling run() cuts everything off, and every handler has ended when it returns`() async throws {
        let holding = Holding()
        let caught = Recorded<FailureCode>()
        try await withDirectory { directory in
            let log = LogRecorder()
            var configuration = ServiceConfiguration.defaults
            configuration.log = log.log
            let running = Running(service: makeService(at: .path(directory + "/s"), configuration: configuration), path: directory + "/s", log: log)
            holding.add(to: running.service)
            let serving = Task { try await running.service.run() }
            try await log.entry("listening")
            async let connected: Void = running.connect { client in
                do { _ = try await client.call("hold", payload: []) } catch let error as CallError { caught.append(error.code) }
            }
            try await holding.begun.wait()
            serving.cancel()
            try await serving.value
            #expect(holding.cancelled.count == 1)
            #expect(running.service.connections.isEmpty)
            try await connected
            #expect(caught.all == [.connectionLost])
        }
    }

    @Test func `a service that was stopped before it ran ends at once`() async throws {
        let service = makeService(at: .inProcess(uniqueName()))
        service.beginGracefulShutdown()
        try await service.run()
        let again = try await errorOf(GinnelError.self) { try await service.run() }
        #expect(again.code == .invalid)
    }

    @Test func `a service whose task was cancelled before it ran ends at once`() async throws {
        let service = makeService(at: .inProcess(uniqueName()))
        let serving = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await service.run()
        }
        try await serving.value
    }

    @Test func `a service runs once`() async throws {
        try await withRunning { running in
            let twice = try await errorOf(GinnelError.self) { try await running.service.run() }
            #expect(twice.code == .invalid)
            try await running.connect { try await $0.checkIsServed() }
        }
    }

    @Test func `the second service of an endpoint is refused and the first keeps its clients`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let second = try await errorOf(GinnelError.self) { try await makeService(at: running.endpoint).run() }
                #expect(second.code == .busy)
                try await client.checkIsServed()
            }
            try await running.connect { try await $0.checkIsServed() }
        }
    }

    @Test func `when one of several endpoints cannot be opened none is served`() async throws {
        try await withRunning { running in
            try await withDirectory { directory in
                let service = makeService(at: .path(directory + "/good"))
                service.listen(at: running.endpoint)
                let error = try await errorOf(GinnelError.self) { try await service.run() }
                #expect(error.code == .busy)
                let gone = try await errorOf(GinnelError.self) { try await Client.connect(to: .path(directory + "/good")) { _ in } }
                #expect(gone.code == .notFound)
            }
        }
    }

    @Test func `a name is free again for the next service at once`() async throws {
        try await withDirectory { directory in
            for round in 0..<5 {
                let log = LogRecorder()
                var configuration = ServiceConfiguration.defaults
                configuration.log = log.log
                let running = Running(service: makeService(at: .path(directory + "/s"), configuration: configuration), path: directory + "/s", log: log)
                let instance = try await withRunning(running) { running in
                    try await running.connect { client in
                        try await client.checkIsServed()
                        return client.serviceInstance
                    }
                }
                #expect(instance == running.service.instance, "round \(round)")
            }
        }
    }
}
