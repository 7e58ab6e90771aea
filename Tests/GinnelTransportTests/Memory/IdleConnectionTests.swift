// What a connection costs that is open and says nothing.

import CTestSupport
import Ginnel
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.isolated, .serialized, .timeLimit(.minutes(2)), .disabled(if: ts_is_sanitized() || ts_bytes_allocated() == 0, "needs an allocator that counts"))
struct IdleConnectionTests {
    /// What a service may keep for each, in bytes.
    private static let budget = 8 * 1024

    @Test(arguments: [(count: 2000, payload: 0), (count: 200, payload: 100_000)])
    func `an idle connection costs its service 8 KiB at most, also when it was busy before`(count: Int, payload: Int) async throws {
        try System.setDescriptorLimit(max(System.descriptors.limit, 3 * count))
        let directory = try ScratchDirectory()
        let endpoint = Endpoint.path(directory.file("s"))
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = count + 10
        configuration.log = .off
        let service = Service(at: endpoint, configuration: configuration)
        service.handle("echo") { bytes, _ in bytes.copied() }
        async let running: Void = service.run()
        _ = try await Connector.wait(for: endpoint, timeout: .seconds(60), interval: .milliseconds(1))
        // What a first connection brings about once is not the price of each.
        var first = try await HandClient(endpoint)
        try await first.call([UInt8](repeating: 1, count: payload))

        // The clients' bare channels are none of the service's expense.
        var channels: [any Channel] = []
        channels.reserveCapacity(count)
        let bare = try await Self.cost(of: count) { for _ in 0..<count { channels.append(try PlatformChannel.pair().0) } }
        channels.removeAll(keepingCapacity: true)
        let whole = try await Self.cost(of: count) {
            for _ in 0..<count {
                var client = try await HandClient(endpoint)
                if payload > 0 { try await client.call([UInt8](repeating: 1, count: payload)) }
                channels.append(client.channel)
            }
        }
        #expect(channels.count == count)
        print("an idle connection costs its service \(whole - bare) bytes, after messages of \(payload) bytes")
        #expect((1...Self.budget).contains(whole - bare))
        channels = []
        service.beginGracefulShutdown()
        try await running
    }

    /// Bytes that `body` leaves allocated for each of `count` connections.
    private static func cost(of count: Int, _ body: () async throws -> Void) async throws -> Int {
        let before = ts_bytes_allocated()
        try await body()
        return (Int(ts_bytes_allocated()) - Int(before)) / count
    }
}

/// A client without a loop: it tries until it can.
private struct HandClient {
    let channel: any Channel
    private var machine = MachineEnd(.client, .plain())

    /// Connects and shakes hands.
    init(_ endpoint: Endpoint) async throws {
        channel = try #require(try await Connector.connect(to: endpoint, timeout: .seconds(60)))
        machine.start()
        try await talk { $0.actions.contains { if case .established = $0 { true } else { false } } }
    }

    mutating func call(_ payload: [UInt8]) async throws {
        let call = machine.call("echo", payload)
        try await talk { _ in call.hasEnded }
        #expect(call.reply == payload)
    }

    private mutating func talk(until condition: (MachineEnd) -> Bool) async throws {
        while !condition(machine) {
            try Task.checkCancellation()
            machine.produce()
            if !machine.sent.isEmpty, case .took(let count) = channel.say(machine.sent) { _ = machine.takeSent(count) }
            let (outcome, bytes) = channel.hear()
            if case .bytes = outcome { machine.receive(bytes) } else { await Task.yield() }
        }
    }
}
