// Clauses about reading: would-block, drained, the event after it, order, and what came before the channel was attached.

import GinnelCore
import GinnelTransport

extension ChannelConformance {
    static let reading: [ChannelConformance] = [
        ChannelConformance("reading an empty channel would block, and the first bytes bring an event") { pair in
            let (reader, writer) = try await pair.attached()
            try await reader.expectNothing()
            try await writer.send([1, 2, 3])
            try await reader.event(.readable)
            let (_, bytes) = try await reader.read()
            try require(bytes == [1, 2, 3], "read \(bytes)")
        },
        ChannelConformance("a read that drained the channel is followed by an event when more comes") { pair in
            let (reader, writer) = try await pair.attached()
            for round in 0..<UInt8(20) {
                try await writer.send([round, round])
                try await reader.event(.readable)
                let (outcome, bytes) = try await reader.read()
                try require(bytes == [round, round], "round \(round): read \(bytes)")
                // Only when the read did not say `drained` does the next event take another attempt.
                if case .bytes(_, drained: false) = outcome { try await reader.expectNothing() }
            }
        },
        ChannelConformance("a read that left something behind does not say drained") { pair in
            let (reader, writer) = try await pair.attached()
            let sent = ChannelEnd.pattern(50)
            try await writer.send(sent)
            try await reader.event(.readable)
            var received: [UInt8] = []
            while received.count < sent.count {
                let (outcome, bytes) = try await reader.read(3)
                received += bytes
                guard case .bytes(_, let drained) = outcome else { throw ConformanceFailure("\(outcome) after \(received.count) bytes") }
                try require(!drained || received.count == sent.count, "drained with \(sent.count - received.count) bytes left")
            }
            try require(received == sent, "the bytes differ")
        },
        ChannelConformance("an event is not repeated while nobody reads") { pair in
            let (reader, writer) = try await pair.attached()
            try await reader.expectNothing()
            try await writer.send([1])
            try await reader.event(.readable)
            let before = try await reader.eventCount
            try await reader.turns(100)
            let more = try await reader.eventCount - before
            try require(more < 5, "\(more) more events in 100 turns")
        },
        ChannelConformance("bytes arrive whole and in order, whatever the pieces") { pair in
            let (reader, writer) = try await pair.attached()
            var random = SplitMix64(seed: 7)
            let sent = random.bytes(300_000)
            async let received = reader.receive(sent.count, capacity: 1_777)
            var rest = sent[...]
            while !rest.isEmpty {
                let piece = rest.prefix(random.number(in: 1...9_000))
                rest = rest.dropFirst(piece.count)
                try await writer.send(Array(piece))
            }
            let all = try await received
            try require(all == sent, "the bytes differ")
        },
        ChannelConformance("bytes that came before the reader was attached bring their event") { pair in
            try await pair.second.send([1, 2, 3])
            try await pair.first.attach()
            try await pair.first.event(.readable)
            let (_, bytes) = try await pair.first.read()
            try require(bytes == [1, 2, 3], "read \(bytes)")
        },
        ChannelConformance("an end that came before the reader was attached brings its event") { pair in
            try await pair.second.send([1, 2, 3])
            try await pair.second.close()
            try await pair.first.attach()
            try await pair.first.event(.readable)
            let (bytes, ending) = try await pair.first.receiveAll()
            try require(bytes == [1, 2, 3] && ending == .end, "read \(bytes), then \(ending)")
        },
        ChannelConformance("the peer's identity is this process") { pair in
            for end in [pair.first, pair.second] {
                let peer = try await end.identify([.executable])
                let own = PeerIdentity.own
                try require(peer?.user == own.user && peer?.group == own.group && peer?.process == own.process, "\(String(describing: peer))")
                try require(peer?.executable == own.executable, "\(String(describing: peer))")
            }
        },
    ]
}

extension ChannelEnd {
    func expectNothing() async throws {
        let (outcome, bytes) = try await read()
        try require(outcome == .wouldBlock, "\(outcome) \(bytes) from an empty channel")
    }
}
