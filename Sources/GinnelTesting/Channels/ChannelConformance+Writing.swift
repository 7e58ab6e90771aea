// Clauses about writing: partial writes, would-block, the event once there is room, and much in both directions.

import GinnelTransport

extension ChannelConformance {
    static let writing: [ChannelConformance] = [
        ChannelConformance("what a write took is what arrives, and no more") { pair in
            let (reader, writer) = try await pair.attached()
            let offered = ChannelEnd.pattern(2 << 20)
            guard case .took(let count) = try await writer.write(offered[...]) else { throw ConformanceFailure("an empty channel took nothing") }
            let received = try await reader.receive(count)
            try require(received == Array(offered[..<count]), "the bytes differ")
            try await reader.expectNothing()
        },
        ChannelConformance("a write would block while nobody reads, and its event comes once the reader has read") { pair in
            let (reader, writer) = try await pair.attached()
            for _ in 0..<3 {
                let taken = try await writer.fill()
                let received = try await reader.receive(taken.count)
                try require(received == taken, "the bytes differ")
                try await writer.event(.writable)
                guard case .took = try await writer.write([1]) else { throw ConformanceFailure("an emptied channel took nothing") }
                _ = try await reader.receive(1)
            }
        },
        ChannelConformance("an event that allows writing is not repeated") { pair in
            let (reader, writer) = try await pair.attached()
            let taken = try await writer.fill()
            _ = try await reader.receive(taken.count)
            try await writer.event(.writable)
            try await writer.turns()
            let before = try await writer.eventCount
            for _ in 0..<50 {
                _ = try await writer.write([1])
                _ = try await reader.receive(1)
            }
            try await writer.turns()
            let more = try await writer.eventCount - before
            try require(more < 5, "\(more) events for writes that never blocked")
        },
        ChannelConformance("a write that blocked before its end was attached gets its event afterwards") { pair in
            let taken = try await pair.first.fill()
            try await pair.second.attach()
            _ = try await pair.second.receive(taken.count)
            try await pair.first.attach()
            try await pair.first.event(.writable)
            guard case .took = try await pair.first.write([1]) else { throw ConformanceFailure("an emptied channel took nothing") }
        },
        ChannelConformance("a write that blocks although its end is not yet attached gets its event when the reader reads later") { pair in
            let taken = try await pair.first.fill()
            try await pair.first.attach()
            try await pair.second.attach()
            _ = try await pair.second.receive(taken.count)
            try await pair.first.event(.writable)
        },
        ChannelConformance("reading goes on while writing is blocked") { pair in
            let (first, second) = try await pair.attached()
            _ = try await first.fill()
            let sent = ChannelEnd.pattern(50_000, seed: 3)
            try await second.send(sent)
            let received = try await first.receive(sent.count)
            try require(received == sent, "the bytes differ")
        },
        ChannelConformance("much in both directions at once does not come to a halt") { pair in
            try await exchange(pair, onLoop: true)
        },
        ChannelConformance("one thread may write while another reads") { pair in
            try await exchange(pair, onLoop: false)
        },
    ]

    private static func exchange(_ pair: ChannelPair, onLoop: Bool) async throws {
        let (first, second) = try await pair.attached()
        let one = ChannelEnd.pattern(1 << 20, seed: 1)
        let two = ChannelEnd.pattern(1 << 20, seed: 2)
        async let firstSent: Void = first.send(one, onLoop: onLoop)
        async let secondSent: Void = second.send(two, onLoop: onLoop)
        async let firstReceived = first.receive(two.count)
        async let secondReceived = second.receive(one.count)
        try await firstSent
        try await secondSent
        let atFirst = try await firstReceived
        let atSecond = try await secondReceived
        try require(atFirst == two && atSecond == one, "the bytes differ")
    }
}
