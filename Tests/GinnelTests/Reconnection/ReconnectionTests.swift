// A client that waits for its service and comes back to it.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

/// Does its work once, however often it is asked.
private struct Store: Request {
    typealias Response = Sum
    static let method = "store"
    static let isIdempotent = true
    var value: Int
}

extension ReconnectPolicy {
    /// Soon, and for as long as the test takes.
    static let soon = exponential(Backoff(base: .milliseconds(2), cap: .milliseconds(20)), attempts: nil)
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct ReconnectionTests {
    /// A service that can be started again at the same place.
    private func withServices<Result: Sendable>(_ body: (Endpoint, @escaping @Sendable () -> Service) async throws -> Result) async throws -> Result {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            return try await body(endpoint) { makeService(at: endpoint, configuration: .quiet) }
        }
    }

    private func client(at endpoint: Endpoint, _ policy: ReconnectPolicy = .soon, _ change: (inout ClientConfiguration) -> Void = { _ in }) -> Client {
        var configuration = ClientConfiguration.quiet
        change(&configuration)
        return Client(to: endpoint, reconnect: policy, configuration: configuration)
    }

    /// Runs a client while `body` runs.
    private func withClient<Result: Sendable>(_ client: Client, _ body: () async throws -> Result) async throws -> Result {
        async let running: Void = client.run()
        let result = try await body()
        client.close()
        try await running
        return result
    }

    @Test func `a client waits for its service to appear`() async throws {
        try await withServices { endpoint, make in
            let client = client(at: endpoint)
            try await withClient(client) {
                try await client.reaches { if case .waiting(_, let failure) = $0 { failure.code == .unavailable } else { false } }
                let reply = Task { try await client.call("echo", payload: [1]) }
                try await withService(make()) {
                    let bytes = try await reply.value.bytes
                    #expect(bytes == [1])
                    #expect(client.connectionState == .connected)
                }
            }
            #expect(client.connectionState == .closed)
        }
    }

    @Test func `a client comes back to a service that was killed; calls in flight end with an unknown outcome, later ones wait`() async throws {
        try await withDirectory { directory in
            let client = Client(to: .path(directory + "/s"), reconnect: .soon, configuration: .quiet)
            try await withClient(client) {
                var instances: Set<Identity> = []
                for _ in 0..<3 {
                    let service = try Child(["serve", "--endpoint", directory + "/s"])
                    async let inFlight = errorOf(CallError.self) { _ = try await client.call("hold", payload: []) }
                    try await service.line("held 1")
                    instances.insert(try #require(client.serviceInstance))
                    service.kill()
                    let lost = try await inFlight
                    #expect(lost.code == .connectionLost && lost.outcome == .unknown)
                    _ = try await service.status()
                }
                #expect(instances.count == 3)
            }
        }
    }

    @Test func `a call whose outcome is unknown is made again where it says that it may be, and not otherwise`() async throws {
        try await withServices { endpoint, make in
            let began = Recorded<String>()
            let first = make()
            for method in ["store", "add_once"] {
                first.handle(method) { _, _ async throws -> [UInt8] in
                    began.append(method)
                    try await Task.sleep(for: .seconds(3600))
                    return []
                }
            }
            let client = client(at: endpoint)
            try await withClient(client) {
                let stored = Task { try await client.call(Store(value: 5)) }
                async let lost = errorOf(CallError.self) { _ = try await client.call("add_once", payload: []) }
                let serving = Task { try await first.run() }
                try await began.wait { $0.count == 2 }
                serving.cancel()
                _ = await serving.result
                let outcome = try await lost.outcome
                #expect(outcome == .unknown)
                let second = make()
                second.handle(Store.self) { request, _ in Sum(value: request.value) }
                try await withService(second) {
                    let value = try await stored.value.value
                    #expect(value == 5)
                }
            }
        }
    }

    @Test(arguments: [0, 2, 3]) func `an idempotent call that ends the connection each time is made again so often as the limit says, and no more`(repeats: Int) async throws {
        let calls = Recorded<Void>()
        try await withRunning { service in
            service.handle("poison") { bytes, context async throws -> [UInt8] in
                calls.signal()
                // Once more than it may be made again, unless it is told to relent.
                if bytes.first.map({ calls.count <= Int($0) }) ?? true {
                    context.connection.close(.internal, "poisoned")
                    throw CancellationError()
                }
                return [UInt8(calls.count)]
            }
        } _: { running in
            var configuration = ClientConfiguration.quiet
            configuration.reconnect = .soon
            configuration.repeats = repeats
            try await running.connect(configuration) { client in
                let error = try await errorOf(CallError.self) { _ = try await client.call("poison", payload: [], isIdempotent: true) }
                #expect(error.code == .connectionLost && error.outcome == .unknown && error.sentence.contains("(repeats)"))
                #expect(calls.count == 1 + repeats)
                // One that succeeds the last time that it may be made does.
                let already = calls.count
                let reply = try await client.call("poison", payload: [UInt8(already + repeats)], isIdempotent: true)
                #expect(reply.bytes == [UInt8(already + repeats + 1)])
                try await client.checkIsServed()
            }
        }
    }

    @Test func `a service that is restarted gracefully costs its clients no call`() async throws {
        try await withServices { endpoint, make in
            let client = client(at: endpoint)
            try await withClient(client) {
                let isDone = Guarded(false)
                let calls = Task {
                    var count = 0
                    while !isDone.withLock({ $0 }) {
                        let sum = try await client.call(Add(left: count, right: 1))
                        #expect(sum.value == count + 1)
                        count += 1
                    }
                    return count
                }
                for round in 0..<5 {
                    try await withService(make()) {
                        try await client.reaches { $0 == .connected }
                        try await client.checkIsServed()
                        if round == 4 {
                            isDone.withLock { $0 = true }
                            let count = try await calls.value
                            #expect(count > 0)
                        }
                    }
                }
            }
        }
    }

    @Test func `a client gives up after as many attempts as it may make, and says why to all who wait`() async throws {
        try await withServices { endpoint, make in
            let client = client(at: endpoint, .exponential(Backoff(base: .milliseconds(1)), attempts: 3))
            let states = client.connectionStates
            async let waiting = errorOf(GinnelError.self) { _ = try await client.call("echo", payload: []) }
            let error = try await errorOf(GinnelError.self) { try await client.run() }
            #expect(error.code == .notFound)
            let waited = try await waiting
            #expect(waited.code == .notFound)
            var attempts: [Int] = []
            var last: ConnectionState?
            for await state in states {
                if case .connecting(let attempt) = state { attempts.append(attempt) }
                last = state
            }
            #expect(attempts == [1, 2, 3])
            guard case .gaveUp(let failure)? = last else {
                Issue.record("the last state is \(String(describing: last))")
                return
            }
            #expect(failure.sentence.contains("no such endpoint"))
        }
    }

    @Test func `a client whose service is refused does not try again`() async throws {
        try await withServices { endpoint, make in
            let service = make()
            try await withService(service) {
                try await Client.wait(for: endpoint)
                let client = client(at: endpoint) { $0.policy = .users([4_000_000]) }
                let error = try await errorOf(GinnelError.self) { try await client.run() }
                #expect(error.code == .refused)
                guard case .gaveUp = client.connectionState else {
                    Issue.record("it is \(client.connectionState)")
                    return
                }
            }
        }
    }

    @Test(arguments: [true, false]) func `a client that waits ends at once when it is closed or cancelled`(isCancelled: Bool) async throws {
        try await withServices { endpoint, make in
            let client = client(at: endpoint, .exponential(Backoff(base: .seconds(3600), cap: .seconds(3600))))
            let running = Task { try await client.run() }
            try await client.reaches { if case .waiting = $0 { true } else { false } }
            if isCancelled { running.cancel() } else { client.close() }
            try await running.value
            #expect(client.connectionState == .closed)
        }
    }

    @Test func `subscriptions to events go on`() async throws {
        try await withServices { endpoint, make in
            let client = client(at: endpoint)
            let ticks = client.events(of: Tick.self)
            try await withClient(client) {
                var iterator = ticks.makeAsyncIterator()
                for number in 0..<3 {
                    let service = make()
                    try await withService(service) {
                        try await client.checkIsServed()
                        #expect(try service.broadcast(Tick(number: number)) == 1)
                        let next = await iterator.next()
                        #expect(next == .event(Tick(number: number)))
                    }
                }
            }
            var rest = ticks.makeAsyncIterator()
            let end = await rest.next()
            #expect(end == nil)
        }
    }

    @Test func `the body of a client goes on across connections`() async throws {
        try await withServices { endpoint, make in
            let seen = Recorded<Identity>()
            async let body: Void = Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                while seen.count < 3 {
                    try await client.checkIsServed()
                    if let instance = client.serviceInstance, instance != seen.all.last { seen.append(instance) }
                }
            }
            for _ in 0..<3 {
                let service = make()
                try await withService(service) { try await seen.wait { $0.last == service.instance } }
            }
            try await body
        }
    }

    @Test func `a service that keeps failing is not asked for a while`() async throws {
        let asked = Guarded(0)
        let endpoint = Endpoint.inProcess(uniqueName())
        let service = makeService(at: endpoint, configuration: .quiet)
        service.handle("fail") { _, _ throws -> [UInt8] in
            asked.withLock { $0 += 1 }
            throw CallError(.resourceExhausted, "not now")
        }
        try await withService(service) {
            try await Client.wait(for: endpoint)
            var configuration = ClientConfiguration.quiet
            configuration.circuitBreaker = .defaults
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                for _ in 0..<5 {
                    let error = try await errorOf(CallError.self) { _ = try await client.call("fail", payload: []) }
                    #expect(error.code == .resourceExhausted)
                }
                let error = try await errorOf(CallError.self) { _ = try await client.call("fail", payload: []) }
                #expect(error.code == .unavailable && error.outcome == .notBegun && error.sentence.contains("circuitBreaker"))
                #expect(asked.withLock { $0 } == 5)
            }
        }
    }
}

extension Client {
    /// Returns once the client is in such a state.
    func reaches(_ isMet: (ConnectionState) -> Bool) async throws {
        for await state in connectionStates where isMet(state) { return }
        throw NoError(expected: "a state")
    }
}

extension ClientConfiguration {
    /// Logs nothing.
    static var quiet: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.log = .off
        return configuration
    }
}

extension ServiceConfiguration {
    /// Logs nothing.
    static var quiet: ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.log = .off
        return configuration
    }
}
