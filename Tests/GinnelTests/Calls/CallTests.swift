import Ginnel
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct CallTests {
    @Test(arguments: [true, false]) func `a typed call is answered`(inProcess: Bool) async throws {
        try await withDirectory { directory in
            let endpoint: Endpoint = inProcess ? .inProcess(uniqueName()) : .path(directory + "/s")
            let sum = try await withService(makeService(at: endpoint)) {
                try await Client.wait(for: endpoint)
                return try await Client.connect(to: endpoint) { client in
                    try await client.call(Add(left: 2, right: 3))
                }
            }
            #expect(sum == Sum(value: 5))
        }
    }

    @Test func `all shapes of method work on one connection`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                var counted: [Int] = []
                for try await item in try await client.open(Count(to: 1000)) { counted.append(item.value) }
                #expect(counted == Array(0..<1000))

                let total = try await client.upload(Total(), items: Self.numbers(to: 100))
                #expect(total == Sum(value: 5050))

                let doubled = try await client.exchange(Double(), sending: Self.numbers(to: 100)) { items in
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

    private static func numbers(to last: Int) -> AsyncStream<Sum> {
        AsyncStream { continuation in
            for number in 1...last { continuation.yield(Sum(value: number)) }
            continuation.finish()
        }
    }

    @Test func `a thousand calls share a connection, and each gets its own answer`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                try await withThrowingTaskGroup { group in
                    for number in 0..<1000 {
                        group.addTask {
                            let sum = try await client.call(Add(left: number, right: 1))
                            #expect(sum == Sum(value: number + 1))
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `callers on other threads than the loop's are served too`() async throws {
        try await withRunning { running in
            let client = Client(to: running.endpoint)
            async let ran: Void = client.run()
            try await withThrowingTaskGroup { group in
                for worker in 0..<8 {
                    group.addTask(executorPreference: globalConcurrentExecutor) {
                        #expect(!client.isOnLoop)
                        for number in 0..<100 {
                            let sum = try await client.call(Add(left: number, right: worker))
                            #expect(sum == Sum(value: number + worker))
                        }
                    }
                }
                try await group.waitForAll()
            }
            client.close()
            try await ran
        }
    }
}
