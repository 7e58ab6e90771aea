// A disk that keeps messages and would not forget them: what was acknowledged must not stay there for good.

import Ginnel
import GinnelCore
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct OutboxRemovalTests {
    /// A store in memory whose first removals fail.
    private final class Stubborn: OutboxStore {
        let removed = Recorded<[UInt64]>()
        let refused = Recorded<Void>()
        private let failures: Guarded<Int>

        init(failures: Int) { self.failures = Guarded(failures) }

        func load() throws -> StoredOutbox { StoredOutbox(sender: try .random()) }

        func make(_ change: OutboxChange, done: @escaping @Sendable (GinnelError?) -> Void) {
            guard case .remove(let ids) = change else { return done(nil) }
            let fails = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            done(fails ? GinnelError(.exhausted, "the disk is full") : nil)
            if fails { refused.signal() } else { removed.append(ids) }
        }

        func close() async {}
    }

    private func withClient(of store: Stubborn, _ body: @concurrent @Sendable (Client) async throws -> Void) async throws {
        try await withDirectory { directory in
            let service = makeService(at: .path(directory + "/s"), configuration: .quiet)
            service.receive(Note.self) { _, _ in }
            try await withService(service) {
                var configuration = ClientConfiguration.quiet
                configuration.outbox.store = { store }
                try await Client.connect(to: .path(directory + "/s"), reconnect: .soon, configuration: configuration, body)
            }
        }
    }

    @Test func `what the disk would not forget is asked for again while nothing else happens`() async throws {
        let store = Stubborn(failures: 2)
        try await withClient(of: store) { client in
            try await client.send(Note(number: 1), delivery: .durable).acknowledged()
            try await store.removed.wait { $0.count == 1 }
            #expect(store.removed.all == [[1]])
        }
    }

    @Test func `what the disk would not forget is asked for once more when the client ends`() async throws {
        let store = Stubborn(failures: 1)
        try await withClient(of: store) { client in
            try await client.send(Note(number: 1), delivery: .durable).acknowledged()
            try await store.refused.wait()
        }
        #expect(store.removed.all == [[1]])
    }
}
