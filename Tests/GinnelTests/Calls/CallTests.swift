import Ginnel
import Testing

@Suite struct CallTests {
    @Test(arguments: [true, false]) func `a typed call is answered`(inProcess: Bool) async throws {
        let endpoint: Endpoint = inProcess ? .inProcess(uniqueName()) : .named(uniqueName())
        let sum = try await withService(makeService(at: endpoint)) {
            try await Client.wait(for: endpoint)
            return try await Client.connect(to: endpoint) { client in
                try await client.call(Add(left: 2, right: 3))
            }
        }
        #expect(sum == Sum(value: 5))
    }

    @Test func `all shapes of method work on one connection`() async throws {
        let endpoint = Endpoint.named(uniqueName())
        try await withService(makeService(at: endpoint)) {
            try await Client.wait(for: endpoint)
            try await Client.connect(to: endpoint) { client in
                var counted: [Int] = []
                for try await item in try await client.open(Count(to: 1000)) { counted.append(item.value) }
                #expect(counted == Array(0..<1000))

                let numbers = AsyncStream { continuation in
                    for number in 1...100 { continuation.yield(Sum(value: number)) }
                    continuation.finish()
                }
                #expect(try await client.upload(Total(), items: numbers) == Sum(value: 5050))

                let more = AsyncStream { continuation in
                    for number in 1...100 { continuation.yield(Sum(value: number)) }
                    continuation.finish()
                }
                let doubled = try await client.exchange(Double(), sending: more) { items in
                    var values: [Int] = []
                    for try await item in items { values.append(item.value) }
                    return values
                }
                #expect(doubled == (1...100).map { 2 * $0 })

                let large = [UInt8](repeating: 7, count: 900_000)
                #expect(try await client.call("echo", payload: large).bytes == large)
                #expect(try await client.call("echo_async", payload: [1, 2, 3]).bytes == [1, 2, 3])
            }
        }
    }
}
