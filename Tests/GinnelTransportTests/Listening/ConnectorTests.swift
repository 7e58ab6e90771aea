import CTestSupport
import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ConnectorTests {
    private let directory: ScratchDirectory
    private var path: String { directory.file("s") }
    private var endpoint: Endpoint { .path(path) }

    init() throws { directory = try ScratchDirectory() }

    /// Connects until the backlog is full.
    private func fillBacklog() throws -> [any Channel] {
        var waiting: [any Channel] = []
        while waiting.count < 1000 {
            do {
                waiting.append(try Connector.connectOnce(to: endpoint))
            } catch let error as GinnelError where error.code == .busy {
                return waiting
            }
        }
        Issue.record("a backlog of 1 took 1,000 connections")
        return waiting
    }

    @Test func `an endpoint that is not there is reported with the question whether the service runs`() async throws {
        let error = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
        #expect(error?.code == .notFound)
        #expect(error?.path == path)
        #expect(error?.sentence.contains("is the service running?") == true)
        #expect(error?.cause?.operation == "connect")
    }

    @Test func `of the places of a name the one is told of where a service was, and not the first where none is`() async throws {
        let endpoint = Endpoint.named("gone-\(UInt32.random(in: 0 ... .max))")
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            let path = try #require(listener.listener.path)
            try await listener.close()
            ts_close(ts_listen(path))
            defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
            let error = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
            #expect(error?.code == .notFound && error?.path == path)
            #expect(error?.sentence.contains("is gone") == true)
        }
    }

    @Test func `a listener is no endpoint to connect to`() async {
        let error = await ginnelError { _ = try Connector.connectOnce(to: .inheritedListener(3)) }
        #expect(error?.code == .invalid)
    }

    @Test func `a full backlog is waited for, and the connection comes when there is room`() async throws {
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop, backlog: 1, starts: false)
            let waiting = try fillBacklog()
            async let late = Connector.connect(to: endpoint, timeout: .seconds(30))
            try await listener.start()
            let client = try #require(try await late)
            try await listener.accepted.wait { $0.count == waiting.count + 1 }
            #expect(client.say([1]) == .took(1))
            try await listener.close()
        }
    }

    @Test func `a backlog that stays full is given up in time, with the knob's name`() async throws {
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop, backlog: 1, starts: false)
            let waiting = try fillBacklog()
            let error = await ginnelError { _ = try await Connector.connect(to: endpoint, timeout: .milliseconds(20)) }
            #expect(error?.code == .timedOut)
            #expect(error?.sentence.contains("connectTimeout") == true)
            #expect(error?.path == path)
            _ = waiting
            try await listener.close()
        }
    }

    @Test func `what is not busy is not tried again`() async throws {
        let error = await ginnelError { _ = try await Connector.connect(to: endpoint, timeout: .seconds(3600)) }
        #expect(error?.code == .notFound)
    }

    @Test func `a connection that is not wanted any more is not waited for`() async throws {
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop, backlog: 1, starts: false)
            let waiting = try fillBacklog()
            let asked = Watched(0)
            let client = try await Connector.connect(
                to: endpoint, timeout: .seconds(3600),
                while: {
                    asked.change {
                        $0 += 1
                        return $0 < 3
                    }
                })
            #expect(client == nil)
            _ = waiting
            try await listener.close()
        }
    }

    @Test func `a client that waits for a service has its connection when the service appears`() async throws {
        try await withLoop { loop in
            async let waiting = Connector.wait(for: endpoint, timeout: .seconds(30), interval: .milliseconds(1))
            let listener = try await TestListener(endpoint, on: loop)
            let client = try await waiting
            let channel = try await listener.accepted.wait { $0.count == 1 }[0]
            #expect(client.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
            try await listener.close()
        }
    }

    @Test func `a client that waited in vain is told what the last attempt said`() async throws {
        let error = await ginnelError { _ = try await Connector.wait(for: endpoint, timeout: .milliseconds(10), interval: .milliseconds(1)) }
        #expect(error?.code == .timedOut)
        #expect(error?.sentence.contains("is the service running?") == true)
    }

    @Test func `a client that waits can be cancelled`() async throws {
        let task = Task { [endpoint] in try await Connector.wait(for: endpoint, timeout: .seconds(3600), interval: .seconds(1800)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
}
