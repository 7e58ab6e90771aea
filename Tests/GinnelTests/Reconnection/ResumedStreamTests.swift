// Streams that outlive their connection.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

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
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
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
