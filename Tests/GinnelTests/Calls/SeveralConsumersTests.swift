// Sequences are meant for one consumer; several share what comes, and none is left waiting.

import Ginnel
import GinnelTesting
import Testing

/// The tests' own thread runs all tasks in turn, so a consumer that has said it is ready waits by the time anybody else runs.
@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct SeveralConsumersTests {
    @Test func `items are shared by the consumers of a stream, and all of them see its end`() async throws {
        let go = Recorded<Void>()
        let ready = Recorded<Void>()
        let taken = Recorded<Int>()
        try await withRunning {
            $0.handle(Blocks.self, on: .concurrent) { request, _, writer in
                try await go.wait(for: 1)
                for _ in 0..<request.count { try await writer.send(StreamTests.block) }
            }
        } _: { running in
            try await running.connect { client in
                let items = try await client.open(Blocks(count: 10))
                try await withThrowingTaskGroup { group in
                    for _ in 0..<3 {
                        group.addTask {
                            ready.signal()
                            for try await item in items { taken.append(item.count) }
                        }
                    }
                    try await ready.wait(for: 3)
                    go.signal()
                    try await group.waitForAll()
                }
                #expect(taken.count == 10)
            }
        }
    }

    @Test func `events are shared by the consumers of a subscription, and cancelling them ends them all`() async throws {
        let ready = Recorded<Void>()
        let taken = Recorded<EventDelivery<Tick>>()
        try await withRunning { running in
            try await running.connect { client in
                let ticks = client.events(of: Tick.self)
                try await client.checkIsServed()
                try await withThrowingTaskGroup { group in
                    for _ in 0..<3 {
                        group.addTask {
                            ready.signal()
                            for await tick in ticks { taken.append(tick) }
                        }
                    }
                    try await ready.wait(for: 3)
                    for number in 0..<10 { try running.service.broadcast(Tick(number: number)) }
                    try await taken.wait { $0.count == 10 }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
        }
        #expect(taken.count == 10)
    }
}
