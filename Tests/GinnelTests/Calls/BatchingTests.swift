// Small messages that wait for others, as a program chooses it: what a client sends, what a service answers, and what metrics say of it.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct BatchingTests {
    private func batching(_ delay: Duration, _ messages: Int) -> Batching {
        var batching = Batching()
        (batching.delay, batching.messages) = (delay, messages)
        return batching
    }

    @Test func `events leave together when there are as many as the limit says, and metrics show it`() async throws {
        let received = Recorded<Int>()
        try await withRunning { running in
            let ticks = running.service.events(of: Tick.self)
            let reading = Task { for await case .event(let tick) in ticks { received.append(tick.number) } }
            var configuration = ClientConfiguration.defaults
            configuration.batching = batching(.seconds(60), 10)
            try await running.connect(configuration) { client in
                // A sign of life waits for nothing, and after it nothing is on its way.
                _ = try await client.ping()
                let before = client.metrics().counters
                for number in 1...9 { try await client.send(Tick(number: number)) }
                #expect(client.metrics().counters["writes_total"] == before["writes_total"] && received.count == 0)
                try await client.send(Tick(number: 10))
                try await received.wait { $0 == Array(1...10) }
                let after = client.metrics()
                #expect(after.counters["writes_total"] == before["writes_total"].map { $0 + 1 })
                #expect(after.counters["messages_written_total"] == before["messages_written_total"].map { $0 + 10 })
                let (messages, writes) = (after.counters["messages_written_total"] ?? 0, after.counters["writes_total"] ?? 1)
                #expect(after.gauges["messages_per_write"] == Swift.Double(messages) / Swift.Double(writes))
                // What is held when the client leaves goes with its farewell.
                try await client.send(Tick(number: 11))
            }
            try await received.wait { $0.last == 11 }
            reading.cancel()
            await _ = reading.value
        }
    }

    @Test func `calls and answers that wait for others arrive all the same, one alone and many`() async throws {
        var service = ServiceConfiguration.defaults
        service.batching = batching(.milliseconds(2), 8)
        try await withRunning(service) { running in
            var configuration = ClientConfiguration.defaults
            configuration.batching = batching(.milliseconds(2), 8)
            try await running.connect(configuration) { client in
                for _ in 0..<5 { try await client.checkIsServed() }
                try await withThrowingTaskGroup { group in
                    for number in 0..<100 {
                        group.addTask {
                            let sum = try await client.call(Add(left: number, right: 1))
                            #expect(sum == Sum(value: number + 1))
                        }
                    }
                    try await group.waitForAll()
                }
                let counted = try await client.open(Count(to: 50)).reduce(0) { sum, _ in sum + 1 }
                #expect(counted == 50)
            }
        }
    }
}
