// What a channel through shared memory owes beyond the contract of all channels.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct SharedMemoryChannelTests {
    @Test(arguments: [64, 128, 4096, 65_536], [1, 2]) func `bytes pass whole and in order through a ring of any size, both ways at once`(
        capacity: Int, loops: Int
    ) async throws {
        try await withEnds(capacity, loops: loops) { first, second in
            let there = ChannelEnd.pattern(min(capacity * 20, 80_000) + 13, seed: 1)
            let back = ChannelEnd.pattern(min(capacity * 20, 80_000) + 5, seed: 2)
            try await withThrowingTaskGroup { group in
                group.addTask { try await first.send(there) }
                group.addTask { try await second.send(back, onLoop: false) }
                group.addTask {
                    let bytes = try await second.receive(there.count, capacity: 1_000)
                    #expect(bytes == there)
                }
                group.addTask {
                    let bytes = try await first.receive(back.count, capacity: 7)
                    #expect(bytes == back)
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `what was published before the peer ended is read, and then the end`() async throws {
        try await withEnds(4096) { first, second in
            let sent = ChannelEnd.pattern(3_000)
            try await first.send(sent)
            try await first.close()
            let (bytes, ending) = try await second.receiveAll()
            #expect(bytes == sent)
            #expect(ending == .end)
        }
    }

    @Test func `an idle channel is not woken`() async throws {
        try await withEnds(4096) { first, second in
            try await first.send([1, 2, 3])
            let bytes = try await second.receive(3)
            #expect(bytes == [1, 2, 3])
            let (outcome, _) = try await second.read()
            #expect(outcome == .wouldBlock)
            let before = try await second.eventCount
            try await second.turns(100)
            let after = try await second.eventCount
            #expect(after == before)
        }
    }

    private func withEnds(_ capacity: Int, loops count: Int = 2, _ body: (ChannelEnd, ChannelEnd) async throws -> Void) async throws {
        let geometry = try #require(RingGeometry(capacity: capacity))
        let loops = try await EventLoopGroup.start(name: "shared-memory", count: count, .defaults)
        let (first, second) = try SharedMemoryChannel.pair(geometry)
        let ends = (ChannelEnd(first, on: loops.loops[0]), ChannelEnd(second, on: loops.loops[count - 1]))
        try await ends.0.attach()
        try await ends.1.attach()
        let result = await Result { () async throws in try await body(ends.0, ends.1) }
        await ends.0.discard()
        await ends.1.discard()
        await loops.stop()
        try result.get()
    }
}
