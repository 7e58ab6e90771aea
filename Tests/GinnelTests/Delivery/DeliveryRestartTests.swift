// A service that is restarted in order: who is asked to end finishes what it has in hand, and says so to its peers before it goes.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct DeliveryRestartTests {
    @Test func `a service that is restarted gracefully fifty times costs no call and no message, and none comes twice`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let handed = Recorded<String>()
            let computed = Recorded<Int>()
            func service() -> Service {
                let service = Service(at: endpoint, configuration: .quiet)
                service.receive(Numbered.self) { message, context in
                    // Some are in hand when the service is told to end.
                    if message.number % 5 == 0 { for _ in 0..<20 { await Task.yield() } }
                    handed.append("\(context.priority) \(message.number)")
                }
                service.handle(Add.self) { request, _ in
                    if request.left % 5 == 0 { for _ in 0..<20 { await Task.yield() } }
                    computed.append(request.left)
                    return Sum(value: request.left + request.right)
                }
                return service
            }
            var configuration = ClientConfiguration.quiet
            configuration.outbox.limits.messages = 100
            let client = Client(to: endpoint, reconnect: .soon, configuration: configuration)
            let load = DeliveryLoad(client, .acknowledged)
            let isDone = Guarded(false)
            async let running: Void = client.run()
            let loading = Task { try await load.run() }
            let calling = Task {
                var count = 0
                while !isDone.withLock({ $0 }) {
                    let sum = try await client.call(Add(left: count, right: 1))
                    guard sum.value == count + 1 else { throw NoError(expected: "\(count + 1)") }
                    count += 1
                }
                return count
            }
            var random = SplitMix64(seed: 7)
            for round in 1...50 {
                let (messages, calls) = (handed.count + random.number(in: 1...60), computed.count + random.number(in: 1...10))
                try await withService(service()) {
                    try await handed.wait { $0.count >= messages }
                    try await computed.wait { $0.count >= calls }
                    guard round == 50 else { return }
                    load.finish()
                    isDone.withLock { $0 = true }
                    try await loading.value
                    let count = try await calling.value
                    #expect(computed.all == Array(0..<count))
                }
            }
            client.close()
            try await running
            for (lane, count) in load.sent {
                let numbers = handed.all.filter { $0.hasPrefix(lane + " ") }
                #expect(numbers == (0..<count).map { "\(lane) \($0)" })
            }
            #expect(handed.count == load.sent.values.reduce(0, +) && load.acknowledged == load.sent)
        }
    }
}
