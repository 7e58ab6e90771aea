// What peers and their absence can do to delivery: messages that nobody receives, many at once, and clients that are not there any more.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

private struct Unheard: Event { static let name = "unheard" }

@Suite(.serialized, .ownThread, .timeLimit(.minutes(1))) struct HostilePeerTests {
    @Test func `however many messages wait that nobody receives, they are refused one after the other`() async throws {
        let count = 20_000
        let service = Recorded<Service>()
        let listen: (Service) -> Void = { made in
            service.append(made)
            made.receive(Note.self) { _, _ in
                // Until all the others lie behind this one.
                while service.all[0].metrics().counters["messages_received_total"] ?? 0 < UInt64(count) { await Task.yield() }
            }
        }
        try await withRunning(prepare: listen) { running in
            var configuration = ClientConfiguration.quiet
            configuration.outbox.limits.messages = count + 1
            let client = Client(to: running.endpoint, reconnect: .soon, configuration: configuration)
            try await client.send(Note(number: 0), delivery: .acknowledged)
            for _ in 1..<count { try await client.send(Unheard(), delivery: .acknowledged) }
            async let serving: Void = client.run()
            try await client.flush(timeout: .seconds(60))
            client.close()
            try await serving
        }
    }

    @Test func `messages that nobody receives do not flood the log`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                for _ in 0..<2000 { try await client.send(Unheard(), delivery: .acknowledged) }
                try await client.flush()
            }
            let complaints = running.log.entries.all.count { "\($0)".contains("nobody receives") }
            #expect(complaints >= 1 && complaints < 1000)
        }
    }

    @Test func `what is sent on a connection that has ended reaches the client on its next one`() async throws {
        let handed = Recorded<Int>()
        try await withRunning { running in
            let client = Client(to: running.endpoint, reconnect: .soon, configuration: .quiet)
            client.receive(Note.self) { note, _ in handed.append(note.number) }
            async let serving: Void = client.run()
            try await client.checkIsServed()
            let first = try #require(running.service.connections.first)
            first.close(.internal, "a break")
            while running.service.connections.allSatisfy({ $0 === first }) { await Task.yield() }
            try await client.checkIsServed()
            let receipt = try await first.send(Note(number: 1), delivery: .acknowledged)
            try await handed.wait { $0 == [1] }
            try await receipt.acknowledged()
            client.close()
            try await serving
        }
    }

    @Test(arguments: [(Duration.zero, 4096), (.seconds(3600), 1)]) func `messages of a client that is given up are, and it takes none of the next for one that it has seen`(
        memory: Duration, most: Int
    ) async throws {
        var totals = OutboxTotals()
        (totals.memory, totals.clients) = (memory, most)
        let senders = MessageSenders(try Identity.random(), .defaults, totals, metrics: Recorder(lanes: 1, Instruments()))
        let (away, other) = (Identity(high: 1, low: 1), Identity(high: 1, low: 2))
        senders.connected(away, of: "1", on: nil)
        let receipt = try await senders.used(for: away, of: "1").send(OutboxMessage(name: "note"))
        senders.lost(away, on: nil)
        #expect(!receipt.isSettled)
        senders.connected(other, of: "2", on: nil)
        // A second one that is away, where there is room for one.
        if most == 1 {
            _ = senders.used(for: other, of: "2")
            #expect(!receipt.isSettled)
            senders.lost(other, on: nil)
        }
        #expect(receipt.isSettled)
        let error = try await errorOf(CallError.self) { try await receipt.acknowledged() }
        #expect(error.code == .unavailable)
        _ = try await senders.used(for: away, of: "1").send(OutboxMessage(name: "note"))
        #expect(senders.used(for: away, of: "1").lastId == 2)
    }
}
