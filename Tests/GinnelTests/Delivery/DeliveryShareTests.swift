// What one user's messages may take of a service: over real connections, with a neighbour that goes on.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct DeliveryShareTests {
    @Test func `a peer whose messages wait beyond its user's share is closed by name, and comes again with all of them`() async throws {
        let (gate, handed) = (Recorded<Void>(), Recorded<Int>())
        var configuration = ServiceConfiguration.quiet
        configuration.inbox.bytesPerUser = 100_000
        try await withRunning(configuration) { service in
            service.receive(Note.self) { note, _ in
                try await gate.wait()
                handed.append(note.number)
            }
        } _: { running in
            try await running.connect { neighbour in
                try await neighbour.checkIsServed()
                let client = Client(to: running.endpoint, reconnect: .soon, configuration: .quiet)
                let serving = Task { try await client.run() }
                let text = String(repeating: "x", count: 20_000)
                for number in 0..<10 { try await client.send(Note(number: number, text: text), delivery: .acknowledged) }
                let ended = try await running.log.entry("a connection ended", "inbox.bytesPerUser").metadata
                #expect(ended["reason"] == "resourceExhausted" && ended["limit"] == "inbox.bytesPerUser" && ended["by"] == "us")
                try await neighbour.checkIsServed()
                gate.signal()
                try await client.flush(timeout: .seconds(60))
                #expect(handed.all == Array(0..<10))
                client.close()
                try await serving.value
                try await neighbour.checkIsServed()
            }
        }
    }

    @Test func `what is kept for all clients has a limit, for which the client that is away for longest is given up`() async throws {
        var totals = OutboxTotals()
        totals.bytesPerUser = 3000
        let senders = MessageSenders(try Identity.random(), .defaults, totals, metrics: Recorder(lanes: 1, Instruments()))
        func message(_ bytes: Int) -> OutboxMessage { OutboxMessage(name: "note", payload: [UInt8](repeating: 1, count: bytes)) }
        let clients = (1...3).map { Identity(high: 1, low: $0) }
        var receipts: [DeliveryReceipt] = []
        for client in clients[..<2] {
            senders.connected(client, of: "one", on: nil)
            receipts.append(try await senders.used(for: client, of: "one").send(message(1000)))
            senders.lost(client, on: nil)
        }
        senders.connected(clients[2], of: "one", on: nil)
        // Room for a third message of this length, and not for a longer one.
        let room = 3000 - 2 * message(1000).cost - message(0).cost
        receipts.append(try await senders.used(for: clients[2], of: "one").send(message(room)))
        #expect(!receipts.contains { $0.isSettled })
        receipts.append(try await senders.used(for: clients[2], of: "one").send(message(0)))
        #expect(receipts.map(\.isSettled) == [true, false, false, false])
        #expect(try await errorOf(CallError.self) { try await receipts[0].acknowledged() }.code == .resourceExhausted)
        // Another user's are untouched by what this one does, and it by theirs.
        let other = Identity(high: 2, low: 1)
        senders.connected(other, of: "two", on: nil)
        let theirs = try await senders.used(for: other, of: "two").send(message(2500))
        let error = try await errorOf(CallError.self) { _ = try await senders.used(for: other, of: "two").send(message(1000)) }
        #expect(error.code == .resourceExhausted && error.sentence.contains("outboxes.bytesPerUser"))
        #expect(!theirs.isSettled && receipts.map(\.isSettled) == [true, false, false, false])
        // A client that was given up and comes back takes none of the next for one that it has seen.
        senders.connected(clients[0], of: "one", on: nil)
        #expect(senders.used(for: clients[0], of: "one").lastId >= 1)
        senders.end()
        #expect(receipts.allSatisfy(\.isSettled) && theirs.isSettled)
    }

    @Test func `what was acknowledged, refused or given up makes room`() async throws {
        var totals = OutboxTotals()
        totals.bytesPerUser = 2000
        var limits = OutboxLimits()
        (limits.messages, limits.overflow) = (1, .dropOldest)
        let senders = MessageSenders(try Identity.random(), limits, totals, metrics: Recorder(lanes: 1, Instruments()))
        let client = Identity(high: 1, low: 1)
        senders.connected(client, of: "one", on: nil)
        for _ in 0..<100 { _ = try await senders.used(for: client, of: "one").send(OutboxMessage(name: "note", payload: [UInt8](repeating: 1, count: 1500))) }
        senders.end()
    }

    @Test func `a client that does not acknowledge is closed when its user's others want the room, and its next connection has a fresh start`() async throws {
        var configuration = ServiceConfiguration.quiet
        configuration.outboxes.bytesPerUser = 60_000
        try await withRunning(configuration) { running in
            let (received, never) = (Recorded<Int>(), Recorded<Void>())
            let stuck = Client(to: running.endpoint, reconnect: .soon, configuration: .quiet)
            stuck.receive(Note.self) { note, _ in if note.number < 10 { try await never.wait() } else { received.append(note.number) } }
            let serving = Task { try await stuck.run() }
            try await stuck.checkIsServed()
            let first = try #require(running.service.connections.first)
            let receipt = try await first.send(Note(number: 1, text: String(repeating: "x", count: 50_000)), delivery: .acknowledged)
            try await running.connect { neighbour in
                try await neighbour.checkIsServed()
                let theirs = try #require(running.service.connections.first { $0 !== first })
                try await theirs.send(Note(number: 2, text: String(repeating: "x", count: 20_000)), delivery: .acknowledged)
                let error = try await errorOf(CallError.self) { try await receipt.acknowledged() }
                #expect(error.code == .resourceExhausted && error.sentence.contains("outboxes.bytesPerUser"))
                let ended = try await running.log.entry("a connection ended", "outboxes.bytesPerUser").metadata
                #expect(ended["reason"] == "slowReader" && ended["limit"] == "outboxes.bytesPerUser")
                try await neighbour.checkIsServed()
                while running.service.connections.allSatisfy({ $0 === theirs || $0 === first }) { await Task.yield() }
                try await stuck.checkIsServed()
                // In another lane than the one that its handler holds up.
                try await first.send(Note(number: 10), delivery: .acknowledged, priority: .high)
                try await received.wait { $0 == [10] }
            }
            serving.cancel()
            _ = await serving.result
        }
    }
}
