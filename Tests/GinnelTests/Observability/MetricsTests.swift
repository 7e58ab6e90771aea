// What a service and a client count: nothing is lost, nothing is counted twice, nothing shrinks, and nothing that a peer says becomes a label.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct MetricsTests {
    /// A configuration that tells each call that has ended.
    private static func recording(_ calls: Recorded<CallRecord>) -> ServiceConfiguration {
        var configuration = ServiceConfiguration.defaults
        configuration.instruments.callEnded = { calls.append($0) }
        return configuration
    }

    @Test func `calls are counted by method and outcome on both sides, with how long they took`() async throws {
        try await withRunning {
            $0.handle("fails") { _, _ in throw CallError(.init(rawValue: 1234), "as agreed") }
            $0.handle("refuses") { _, _ async throws -> [UInt8] in throw CallError(.resourceExhausted, "no more") }
        } _: { running in
            try await running.connect { client in
                for _ in 0..<5 { try await client.checkIsServed() }
                for _ in 0..<3 { _ = try await client.call("echo_async", payload: []) }
                for _ in 0..<2 { _ = try? await client.call("fails", payload: []) }
                _ = try? await client.call("refuses", payload: [])
                #expect(try await client.open(Count(to: 7)).reduce(0) { sum, _ in sum + 1 } == 7)
                let (service, ours) = (running.service.metrics(), client.metrics())
                Self.check(service, .served)
                Self.check(ours, .made)
                let (made, served) = (try #require(ours.calls("echo", .made)), try #require(service.calls("echo")))
                #expect(made.durations.sum >= served.durations.sum && served.durations.sum > 0)
                #expect(service.calls.allSatisfy { $0.direction == .served } && ours.calls.allSatisfy { $0.direction == .made })
            }
        }
    }

    private static func check(_ metrics: MetricsSnapshot, _ direction: CallDirection) {
        #expect(metrics.calls("echo", direction)?.outcomes == ["ok": 5])
        #expect(metrics.calls("echo", direction)?.durations.count == 5)
        #expect(metrics.calls("echo_async", direction)?.outcomes == ["ok": 3])
        #expect(metrics.calls("fails", direction)?.outcomes == ["ok": 0, "application": 2])
        #expect(metrics.calls("refuses", direction)?.outcomes == ["ok": 0, "resourceExhausted": 1])
        #expect(metrics.calls("count", direction)?.outcomes == ["ok": 1])
    }

    @Test func `a call that was stopped counts as that, whatever its handler says`() async throws {
        let ended = Recorded<CallRecord>()
        try await withRunning(Self.recording(ended)) {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                await DeadlineTests.waitForCancellation()
                return [1]
            }
        } _: { running in
            try await running.connect { client in
                _ = try? await client.call("wait", payload: [], deadline: .milliseconds(10))
                let record = try await ended.first { $0.method == "wait" }
                #expect(record.failure == .deadlineExceeded || record.failure == .cancelled)
                #expect(record.direction == .served && record.duration > .zero)
                let outcomes = try #require(running.service.metrics().calls("wait")?.outcomes)
                #expect(outcomes["ok"] == 0 && outcomes.values.reduce(0, +) == 1)
            }
        }
    }

    @Test func `names that peers make up are no labels`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                for number in 0..<300 { _ = try? await client.call("made.up.\(number)", payload: []) }
                let metrics = running.service.metrics()
                #expect(metrics.calls("(unknown)")?.outcomes == ["ok": 0, "unknownMethod": 300])
                #expect(!metrics.calls.contains { $0.method.hasPrefix("made.up") })
                // A client's own names are told apart up to a limit.
                let own = client.metrics().calls
                #expect(own.count == 201)
                #expect(own.first { $0.method == "(other)" }?.outcomes["unknownMethod"] == 100)
            }
        }
    }

    @Test func `bytes that one side has written the other has read, and they are still counted when the connection has ended`() async throws {
        try await withRunning { running in
            let client = try await running.connect { client in
                for size in [0, 1, 100_000] { _ = try await client.call("echo", payload: [UInt8](repeating: 1, count: size)) }
                #expect(running.service.metrics().counters["read_bytes_total"]! > 100_000)
                return client
            }
            try await running.log.entry("a connection ended")
            let (service, ours) = (running.service.metrics().counters, client.metrics().counters)
            #expect(service["read_bytes_total"] == ours["written_bytes_total"])
            #expect(service["written_bytes_total"] == ours["read_bytes_total"])
            #expect(ours["writes_total"]! > 3 && ours["reads_total"]! > 3)
            #expect(service["connections_opened_total"] == 1)
            #expect(running.service.metrics().reasons["connections_ended_total"] == ["finished": 1])
            #expect(running.service.metrics().connections["socket"] == 0)
        }
    }

    @Test func `no counter is ever seen to shrink while connections come and go`() async throws {
        try await withRunning { running in
            async let first: Void = Self.comeAndGo(running, 50)
            async let second: Void = Self.comeAndGo(running, 50)
            var before = running.service.metrics().counters
            while before["connections_opened_total"]! < 100 {
                let now = running.service.metrics().counters
                #expect(now.allSatisfy { $0.value >= before[$0.key]! }, "\(before), then \(now)")
                before = now
                await Task.yield()
            }
            _ = try await (first, second)
        }
    }

    private static func comeAndGo(_ running: Running, _ count: Int) async throws {
        for _ in 0..<count { try await running.connect { try await $0.checkIsServed() } }
    }

    @Test func `many small messages of one turn leave in few writes, and both are counted`() async throws {
        try await withRunning {
            $0.handle("ticks") { _, context in
                for number in 0..<1000 { try context.connection.send(Tick(number: number)) }
                return []
            }
        } _: { running in
            try await running.connect { client in
                let before = running.service.metrics().counters
                _ = try await client.call("ticks", payload: [])
                try await client.checkIsServed()
                let after = try await client.serviceMetrics()
                func grown(_ name: String) -> UInt64 { after.counters[name]! - before[name]! }
                // A thousand events and two answers; what waits leaves in portions of 64 KiB.
                #expect(grown("messages_written_total") == 1002)
                #expect(grown("writes_total") <= 2 + (grown("written_bytes_total") >> 16) + 2)
                #expect(after.peers.map(\.messagesWritten) == [after.counters["messages_written_total"]!])
                #expect(after.peers.map(\.writes) == [after.counters["writes_total"]!])
                #expect(client.metrics().counters["messages_written_total"] == 3)
            }
        }
    }

    @Test func `events are counted, and those that were missed`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let events = client.events(of: Tick.self)
                for number in 0..<3 { #expect(try running.service.broadcast(Tick(number: number)) == 1) }
                var iterator = events.makeAsyncIterator()
                for _ in 0..<3 { _ = await iterator.next() }
                try await client.send(Tick(number: 9))
                try await client.checkIsServed()
                #expect(running.service.metrics().counters["events_sent_total"] == 3)
                #expect(running.service.metrics().counters["events_received_total"] == 1)
                #expect(client.metrics().counters["events_received_total"] == 3)
            }
        }
    }

    @Test func `refusals are counted by reason`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 1
        try await withRunning(configuration) {
            $0.handle("closed", allowing: .users([])) { _, _ in [] }
        } _: { running in
            try await running.connect { client in
                _ = try? await running.connect { _ in }
                try await running.log.entry("turned away")
                _ = try? await client.call("closed", payload: [])
                #expect(running.service.metrics().reasons["refusals_total"] == ["tooManyConnections": 1, "forbidden": 1])
                #expect(running.service.metrics().calls("closed")?.outcomes == ["ok": 0, "forbidden": 1])
            }
        }
    }

    @Test func `each peer is listed with what it does`() async throws {
        let (begun, release) = (Recorded<Void>(), Recorded<Void>())
        try await withRunning {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                begun.signal()
                try await release.wait()
                return []
            }
        } _: { running in
            try await running.connect { client in
                try await running.connect { other in
                    try await other.checkIsServed()
                    async let waiting = client.call("wait", payload: [])
                    try await begun.wait()
                    let metrics = try await client.serviceMetrics()
                    release.signal()
                    _ = try await waiting
                    #expect(metrics.gauges["calls_in_flight"] == 1)
                    #expect(metrics.peers.map(\.callsInFlight) == [1, 0] && metrics.peersUnlisted == 0)
                    #expect(metrics.peers.map(\.calls) == [2, 1])
                    #expect(metrics.peers.allSatisfy { $0.process == client.service?.process && $0.transport == "socket" && $0.bytesRead > 0 && $0.connectedFor > 0 })
                }
            }
        }
    }

    @Test func `ginnel.metrics answers the whole snapshot, and an answer of fewer members is read too`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                try await client.checkIsServed()
                let metrics = try await client.serviceMetrics()
                #expect(metrics.engine == running.service.engine.name && metrics.connections["socket"] == 1 && metrics.uptime > 0)
                #expect(metrics.calls("echo")?.durations.count == 1)
                let again = try Self.read(metrics.encoded())
                #expect(again == metrics)
                let read = try Self.read(Array(#"{"connections":{"socket":2},"fallbacks":3,"unknown":[]}"#.utf8))
                #expect(read.connections == ["socket": 2] && read.fallbacks == 3 && read.calls.isEmpty)
            }
        }
    }

    private static func read(_ json: [UInt8]) throws -> MetricsSnapshot { try MetricsSnapshot(decoding: json.span.bytes) }

    @Test func `metrics can be asked for before a service runs and after it has ended`() async throws {
        let service = makeService(at: .inProcess(uniqueName()))
        #expect(service.metrics().calls.isEmpty)
        service.beginGracefulShutdown()
        try await service.run()
        #expect(service.metrics().counters["connections_opened_total"] == 0)
        #expect(Client(to: .inProcess("x")).metrics().connections.values.allSatisfy { $0 == 0 })
    }
}
