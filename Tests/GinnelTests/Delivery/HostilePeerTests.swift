// What peers and their absence can do to delivery: messages that nobody receives, many at once, and clients that are not there any more.

import Ginnel
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

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
}
