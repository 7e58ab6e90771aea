// A service's outboxes where a client has several connections, comes back at the last moment, or is given up as it comes.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(1))) struct SeveralConnectionsTests {
    private static let client = Identity(high: 3, low: 1)

    private static func senders(_ change: (inout OutboxTotals) -> Void = { _ in }) throws -> MessageSenders {
        var totals = OutboxTotals()
        change(&totals)
        return MessageSenders(try Identity.random(), .defaults, totals, metrics: Recorder(lanes: 1, Instruments()))
    }

    /// Two connections of a service to clients that note what they are handed; outboxes of the test's own take them for connections of one client.
    private func withTwo(_ body: ([Connection], [Recorded<Int>], Running) async throws -> Void) async throws {
        try await withRunning { running in
            var (connections, handed): ([Connection], [Recorded<Int>]) = ([], [])
            var clients: [Client] = []
            let serving = Recorded<Void>()
            for _ in 0..<2 {
                let numbers = Recorded<Int>()
                let client = Client(to: running.endpoint, configuration: .quiet)
                client.receive(Note.self) { note, _ in numbers.append(note.number) }
                Task {
                    try? await client.run()
                    serving.signal()
                }
                for await state in client.connectionStates where state == .connected { break }
                try await client.checkIsServed()
                connections.append(try #require(running.service.connections.first { known in !connections.contains { $0 === known } }))
                (clients, handed) = (clients + [client], handed + [numbers])
            }
            try await body(connections, handed, running)
            for client in clients { client.close() }
            try await serving.wait { $0.count == 2 }
        }
    }

    private func message(_ number: Int) throws -> OutboxMessage {
        let event = try EncodedEvent(Note(number: number), .normal)
        return OutboxMessage(name: event.name, codec: event.codec, payload: event.payload, lane: event.lane)
    }

    @Test func `what is kept goes over the connection that was established last, whichever was begun last`() async throws {
        try await withTwo { connections, handed, _ in
            let senders = try Self.senders()
            senders.connected(Self.client, of: "user", on: connections[1])
            let sender = senders.used(for: Self.client, of: "user")
            try await sender.send(message(1)).acknowledged()
            senders.connected(Self.client, of: "user", on: connections[0])
            try await sender.send(message(2)).acknowledged()
            // The other one ends, and changes nothing.
            senders.lost(Self.client, on: connections[1])
            sender.lost(connections[1])
            try await sender.send(message(3)).acknowledged()
            #expect(handed[1].all == [1] && handed[0].all == [2, 3])
            senders.end()
        }
    }

    @Test func `who was sent nothing yet is reached over an earlier connection when the later one has ended`() async throws {
        try await withTwo { connections, handed, _ in
            let senders = try Self.senders()
            for connection in connections { senders.connected(Self.client, of: "user", on: connection) }
            senders.lost(Self.client, on: connections[1])
            try await senders.used(for: Self.client, of: "user").send(message(1)).acknowledged()
            #expect(handed[0].all == [1] && handed[1].all == [])
            senders.end()
        }
    }

    @Test func `a connection whose outbox is given up as it comes is closed`() async throws {
        try await withTwo { connections, _, running in
            let sender = MessageSender(Outbox(sender: try Identity.random()), metrics: Recorder(lanes: 1, Instruments()))
            connections[0].take(sender)
            let failure = Failure(.resourceExhausted, "somebody else wanted the room")
            sender.seal(CallError(failure))
            // What follows when a client is forgotten while its connection is being handed over.
            sender.lost(connections[0])
            sender.giveUp(failure)
            let ended = try await running.log.entry("a connection ended", "somebody else wanted the room").metadata
            #expect(ended["reason"] == "slowReader")
            #expect(running.service.connections.contains { $0 === connections[1] })
        }
    }

    @Test func `a client that comes back however late finds its own messages if nobody gave them up before`() async throws {
        let senders = try Self.senders { $0.memory = .zero }
        senders.connected(Self.client, of: "user", on: nil)
        let receipt = try await senders.used(for: Self.client, of: "user").send(message(1))
        senders.lost(Self.client, on: nil)
        senders.connected(Self.client, of: "user", on: nil)
        #expect(!receipt.isSettled)
        senders.end()
    }

    @Test func `a first message to a client that is here costs none that is away its place`() async throws {
        let senders = try Self.senders { $0.clients = 1 }
        let other = Identity(high: 3, low: 2)
        for client in [Self.client, other] { senders.connected(client, of: "user", on: nil) }
        let first = try await senders.used(for: Self.client, of: "user").send(message(1))
        senders.lost(Self.client, on: nil)
        let second = try await senders.used(for: other, of: "user").send(message(2))
        #expect(!first.isSettled && !second.isSettled)
        // Now it leaves too, and there is room for one.
        senders.lost(other, on: nil)
        #expect(first.isSettled && !second.isSettled)
        senders.end()
    }
}
