import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct InProcessHubTests {
    private let endpoint = Endpoint.inProcess("hub-\(try! Identity.random())")

    @Test func `a service in this process is found by its name, as long as it listens`() async throws {
        try await withLoop { loop in
            let before = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
            #expect(before?.code == .notFound)
            let listener = try await TestListener(endpoint, on: loop)
            let client = try Connector.connectOnce(to: endpoint)
            let channel = try await listener.accepted.wait { $0.count == 1 }[0]
            #expect(client.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
            try await listener.close()
            let after = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
            #expect(after?.code == .notFound)
        }
    }

    @Test func `a second service of the name is refused, and its leaving does not take the name from the first`() async throws {
        try await withLoop { loop in
            let first = try await TestListener(endpoint, on: loop)
            let second = try await TestListener(endpoint, on: loop, starts: false)
            let error = await ginnelError { try await second.start() }
            #expect(error?.code == .busy)
            try await second.close()
            let client = try Connector.connectOnce(to: endpoint)
            try await first.accepted.wait { $0.count == 1 }
            #expect(second.accepted.value.isEmpty)
            _ = client
            try await first.close()
        }
    }

    @Test func `a listener that could not start is forgotten by its loop`() async throws {
        try await withLoop { loop in
            let first = try await TestListener(endpoint, on: loop)
            weak var forgotten: Listener?
            do {
                let second = try await TestListener(endpoint, on: loop, starts: false)
                forgotten = second.listener
                await #expect(throws: GinnelError.self) { try await second.start() }
            }
            try await loop.run {}
            #expect(forgotten == nil)
            try await first.close()
        }
    }

    @Test func `a client whose service's loop has stopped reads the end`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        let listener = try await TestListener(endpoint, on: loop)
        await loop.stop()
        let client = try Connector.connectOnce(to: endpoint)
        #expect(client.hear().outcome == .end)
        _ = listener
    }
}
