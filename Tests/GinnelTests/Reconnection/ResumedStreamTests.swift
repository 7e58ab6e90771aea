// Streams that outlive their connection.

import Dispatch
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

/// Numbers from one on.
private struct From: ResumableStreamRequest {
    typealias Item = Sum
    static let method = "from"
    var next: Int

    func resumed(after item: Sum) -> From { From(next: item.value + 1) }
}

/// The same from any service.
private struct Lasting: ResumableStreamRequest {
    typealias Item = Sum
    static let method = "from"
    static let survivesRestart = true
    var next: Int

    func resumed(after item: Sum) -> Lasting { Lasting(next: item.value + 1) }
}

/// The same, and when it is encoded something happens first: between the look at the connection and the asking.
private struct Delayed: ResumableStreamRequest {
    typealias Item = Sum
    static let method = "from"
    static let whenEncoded = Guarded<(@Sendable () -> Void)?>(nil)
    var next: Int

    init(next: Int) { self.next = next }

    func resumed(after item: Sum) -> Delayed { Delayed(next: item.value + 1) }

    private enum Key: CodingKey { case next }

    init(from decoder: any Decoder) throws { next = try decoder.container(keyedBy: Key.self).decode(Int.self, forKey: .next) }

    func encode(to encoder: any Encoder) throws {
        Self.whenEncoded.withLock { hook in
            defer { hook = nil }
            return hook
        }?()
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(next, forKey: .next)
    }
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct ResumedStreamTests {
    /// A service that counts to `end` and loses all connections when it has sent each of `breaks`.
    private func service(_ endpoint: Endpoint, to end: Int, breaks: Set<Int> = []) -> Service {
        let service = Service(at: endpoint, configuration: .quiet)
        let left = Guarded(breaks)
        service.handle(From.self) { [weak service] request, _, writer in
            for number in stride(from: request.next, to: end, by: 1) {
                try await writer.send(Sum(value: number))
                if left.withLock({ $0.remove(number) }) != nil {
                    for connection in service?.connections ?? [] { connection.close(.internal, "a break") }
                }
            }
        }
        return service
    }

    @Test func `a stream that breaks off goes on with the same service, and each item comes once`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let service = service(endpoint, to: 100, breaks: [0, 10, 11, 50, 98])
            try await withService(service) {
                var configuration = ClientConfiguration.quiet
                // Each break may take all items along that came before it.
                configuration.repeats = 5
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: configuration) { client in
                    var numbers: [Int] = []
                    for try await item in try await client.open(From(next: 0)) { numbers.append(item.value) }
                    #expect(numbers == Array(0..<100))
                }
            }
        }
    }

    @Test(arguments: [true, false]) func `a stream goes on with another service only where it says that it can`(survives: Bool) async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let first = service(endpoint, to: .max)
            let serving = Task { try await first.run() }
            try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                var numbers: [Int] = []
                func take<Items: AsyncSequence>(_ items: Items) async throws where Items.Element == Sum {
                    for try await item in items {
                        if item.value == 20 {
                            serving.cancel()
                            _ = await serving.result
                        }
                        numbers.append(item.value)
                    }
                }
                let second = service(endpoint, to: 30_000)
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        _ = await serving.result
                        try await second.run()
                    }
                    do {
                        if survives { try await take(client.open(Lasting(next: 0))) } else { try await take(client.open(From(next: 0))) }
                        #expect(survives)
                        #expect(numbers == Array(0..<30_000))
                    } catch let error as CallError {
                        #expect(!survives && error.code == .connectionLost)
                        #expect(numbers == Array(0..<numbers.count) && numbers.count >= 20)
                    }
                    second.beginGracefulShutdown()
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `a stream is taken up so often between two items as the limit says, and no more`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let service = Service(at: endpoint, configuration: .quiet)
            let opened = Recorded<Int>()
            service.handle(From.self) { request, context, writer in
                opened.append(request.next)
                // One item at first, and then none.
                if opened.count <= 4 { try await writer.send(Sum(value: request.next)) }
                context.connection.close(.internal, "a break")
                throw CancellationError()
            }
            try await withService(service) {
                var configuration = ClientConfiguration.quiet
                configuration.repeats = 2
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: configuration) { client in
                    let error = try await errorOf(CallError.self) { for try await _ in try await client.open(From(next: 0)) {} }
                    #expect(error.code == .connectionLost && error.sentence.contains("(repeats)"))
                    // Whether an item arrives before its connection is lost is a race; from the last one on there are two more attempts.
                    #expect(opened.all.count { $0 == opened.all.last } <= 3 && opened.count >= 3)
                }
            }
        }
    }

    @Test func `a stream is not taken up by another instance that comes between the look and the asking`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let first = service(endpoint, to: 100, breaks: [5])
            let second = service(endpoint, to: 200)
            let serving = Task { try await first.run() }
            let client = Client(to: endpoint, reconnect: .soon, configuration: .quiet)
            let running = Task { try await client.run() }
            let next = Recorded<Task<Void, any Error>>()
            let items = try await client.open(Delayed(next: 0))
            Delayed.whenEncoded.withLock { hook in
                hook = {
                    // The first one has taken the connection back already; before the rest is asked for, the second one is in its place.
                    let isDone = DispatchSemaphore(value: 0)
                    Task.detached {
                        first.beginGracefulShutdown()
                        _ = await serving.result
                        next.append(Task { try await second.run() })
                        while client.serviceInstance != second.instance { await Task.yield() }
                        isDone.signal()
                    }
                    isDone.wait()
                }
            }
            var numbers: [Int] = []
            let error = try await errorOf(CallError.self) { for try await item in items { numbers.append(item.value) } }
            #expect(error.code == .connectionLost)
            #expect(numbers == Array(0..<numbers.count) && numbers.count <= 6)
            client.close()
            try await running.value
            second.beginGracefulShutdown()
            for task in next.all { try await task.value }
        }
    }

    @Test func `a stream of a client that does not reconnect ends with its connection`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let service = service(endpoint, to: 100, breaks: [10])
            try await withService(service) {
                try await Client.wait(for: endpoint)
                let error = try await errorOf(CallError.self) {
                    try await Client.connect(to: endpoint, configuration: .quiet) { client in
                        for try await item in try await client.open(From(next: 0)) { #expect(item.value <= 100) }
                    }
                }
                #expect(error.code == .connectionLost)
            }
        }
    }
}
