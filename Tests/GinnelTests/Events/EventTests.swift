// One-way messages: to one, to all, and what those learn who are too slow.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EventTests {
    /// A client's subscription before it is connected misses nothing.
    private static func subscribed(_ running: Running, _ body: @concurrent @Sendable (Client, EventStream<Tick>) async throws -> Void) async throws {
        try await running.connect { client in
            let ticks = client.events(of: Tick.self)
            try await client.checkIsServed()
            try await body(client, ticks)
        }
    }

    @Test func `an event reaches all that are connected, in order`() async throws {
        try await withRunning { running in
            let ready = Recorded<Void>()
            try await withThrowingTaskGroup { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await Self.subscribed(running) { _, ticks in
                            ready.signal()
                            var seen: [EventDelivery<Tick>] = []
                            for await delivery in ticks {
                                seen.append(delivery)
                                if seen.count == 50 { break }
                            }
                            #expect(seen == (0..<50).map { .event(Tick(number: $0)) })
                        }
                    }
                }
                try await ready.wait(for: 3)
                for number in 0..<50 { #expect(try running.service.broadcast(Tick(number: number)) == 3) }
                try await group.waitForAll()
            }
        }
    }

    @Test func `an event to one reaches that one alone`() async throws {
        try await withRunning {
            $0.handle("tick me") { _, context in
                try context.connection.send(Tick(number: 1))
                return []
            }
        } _: { running in
            try await Self.subscribed(running) { first, firstTicks in
                try await Self.subscribed(running) { second, secondTicks in
                    _ = try await second.call("tick me", payload: [])
                    var iterator = secondTicks.makeAsyncIterator()
                    #expect(await iterator.next() == .event(Tick(number: 1)))
                    // What the first would have been sent would have come before this.
                    try running.service.broadcast(Tick(number: 2))
                    var other = firstTicks.makeAsyncIterator()
                    #expect(await other.next() == .event(Tick(number: 2)))
                }
            }
        }
    }

    @Test func `a subscriber that does not read misses the oldest and is told how many`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let ticks = client.events(of: Tick.self, capacity: 4)
                try await client.checkIsServed()
                for number in 0..<10 { try running.service.broadcast(Tick(number: number)) }
                try await client.checkIsServed()
                var iterator = ticks.makeAsyncIterator()
                #expect(await iterator.next() == .lagged(6))
                for number in 6..<10 { #expect(await iterator.next() == .event(Tick(number: number))) }
            }
        }
    }

    @Test func `a peer that reads too slowly is told how many were dropped for it, and others miss nothing`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.limits.eventBytes = 64 << 10
        // However long this takes: what is looked at is how much, not how long. The slow peer answers no ping either.
        configuration.timeouts.write = .seconds(600)
        configuration.timeouts.heartbeat = nil
        try await withRunning(configuration) { running in
            let slow = try await RawPeer.greeted(at: running.path)
            try await running.connect { client in
                let ticks = client.events(of: Tick.self, capacity: .max)
                try await client.checkIsServed()
                let count = 20_000
                for number in 0..<count {
                    #expect(try running.service.broadcast(Tick(number: number)) == 2)
                    // The good neighbour reads on.
                    if number % 500 == 0 { try await client.checkIsServed() }
                }
                var next = 0
                for await delivery in ticks {
                    #expect(delivery == .event(Tick(number: next)))
                    next += 1
                    if next == count { break }
                }

                try running.service.broadcast(Tick(number: count))
                let last = try Tick(number: count).encoded()
                var delivered = 0
                var missed = 0
                while let frame = try await slow.frame(of: WireFrame.Kind.event) {
                    missed += Int(WireFrame.u32(frame.payload[0..<4]))
                    if frame.payload.suffix(last.count) == last[...] { break }
                    delivered += 1
                }
                #expect(missed > 0)
                #expect(delivered + missed == count)
            }
        }
    }

    @Test func `a client's events reach the service`() async throws {
        let handled = Recorded<Tick>()
        let raw = Recorded<[UInt8]>()
        try await withRunning {
            $0.handle(event: Tick.self) { tick, _ in handled.append(tick) }
            $0.handle(event: "bytes") { bytes, connection in
                #expect(connection.peer.process != nil)
                raw.append(bytes.copied())
            }
        } _: { running in
            let ticks = running.service.events(of: Tick.self)
            try await running.connect { client in
                for number in 0..<10 { try await client.send(Tick(number: number)) }
                let sent = try await client.send(event: "bytes", payload: [1, 2])
                #expect(sent)
            }
            var iterator = ticks.makeAsyncIterator()
            for number in 0..<10 { #expect(await iterator.next() == .event(Tick(number: number))) }
            #expect(handled.all == (0..<10).map { Tick(number: $0) })
            #expect(raw.all == [[1, 2]])
        }
    }

    @Test func `an event that does not decode counts as missed`() async throws {
        try await withRunning { running in
            let ticks = running.service.events(of: Tick.self)
            try await running.connect { client in
                try await client.send(event: "tick", codec: .json, payload: Array("{}".utf8))
                try await client.send(event: "tick", codec: .raw, payload: [1])
                try await client.send(Tick(number: 1))
                try await client.checkIsServed()
            }
            var iterator = ticks.makeAsyncIterator()
            #expect(await iterator.next() == .lagged(2))
            #expect(await iterator.next() == .event(Tick(number: 1)))
        }
    }

    @Test func `events nobody wants are no harm`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                try await client.send(event: "nonesuch", payload: [1])
                try await client.checkIsServed()
            }
        }
    }

    @Test func `an event over the peer's limit is not sent and says so`() async throws {
        struct Large: Event {
            static let name = "large"
            var text: String
        }
        var configuration = ServiceConfiguration.defaults
        configuration.limits.announced.maximumMessage = 2000
        try await withRunning(configuration) { running in
            try await running.connect { client in
                let sent = try await client.send(Large(text: String(repeating: "x", count: 3000)))
                #expect(!sent)
                try await client.checkIsServed()
            }
        }
    }

    @Test func `the events of a client end with its connection, also inside the body`() async throws {
        try await withRunning { running in
            let ready = Recorded<Void>()
            async let ended: Void = Self.subscribed(running) { client, ticks in
                ready.signal()
                for await delivery in ticks { Issue.record("\(delivery)") }
                let caught = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: []) }
                #expect(caught.code == .unavailable)
            }
            try await ready.wait()
            for connection in running.service.connections { connection.close() }
            try await ended
        }
    }

    @Test func `the events of a service end with it`() async throws {
        let ended = Recorded<Void>()
        let reader = try await withRunning { running in
            let ticks = running.service.events(of: Tick.self)
            return Task {
                for await _ in ticks {}
                ended.signal()
            }
        }
        try await ended.wait()
        await reader.value
    }

    @Test func `a reader of events that is cancelled stops`() async throws {
        try await withRunning { running in
            try await Self.subscribed(running) { _, ticks in
                let reader = Task { for await _ in ticks {} }
                reader.cancel()
                await reader.value
            }
        }
    }
}
