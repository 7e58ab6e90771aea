// Clauses about the end: close, abort, a channel that is let go, and what the one who stays can still do.

import GinnelTransport

extension ChannelConformance {
    static let ending: [ChannelConformance] = [
        ChannelConformance("what was written before close is read, and then the end") { pair in
            let (reader, writer) = try await pair.attached()
            let sent = ChannelEnd.pattern(100_000)
            try await writer.send(sent)
            try await writer.close()
            let (bytes, ending) = try await reader.receiveAll()
            try require(bytes == sent, "\(bytes.count) of \(sent.count) bytes were read")
            try require(ending == .end, "then came \(ending)")
        },
        ChannelConformance("a reader that waits hears of the close, and that the peer is gone") { pair in
            let (reader, writer) = try await pair.attached()
            try await reader.expectNothing()
            let heard = try await reader.hasHeardOfDeparture
            try require(!heard, "the peer was said to be gone while it was there")
            try await writer.close()
            try await reader.event(.readable)
            let hears = try await reader.hasHeardOfDeparture
            try require(hears, "the event does not say that the peer is gone")
            let (bytes, ending) = try await reader.receiveAll()
            try require(bytes.isEmpty && ending == .end, "read \(bytes.count) bytes, then \(ending)")
        },
        ChannelConformance("a reader whose last read drained the channel hears of the close") { pair in
            let (reader, writer) = try await pair.attached()
            try await writer.send([1, 2])
            _ = try await reader.receive(2)
            try await writer.close()
            let (bytes, ending) = try await reader.receiveAll()
            try require(bytes.isEmpty && ending == .end, "read \(bytes.count) bytes, then \(ending)")
        },
        ChannelConformance("an abort ends the peer's reading, with the end or an error") { pair in
            let (reader, writer) = try await pair.attached()
            let sent = ChannelEnd.pattern(10_000)
            try await writer.send(sent)
            try await writer.abort()
            let (bytes, _) = try await reader.receiveAll()
            try require(bytes == Array(sent[..<bytes.count]), "bytes that were never sent")
        },
        ChannelConformance("a channel that nobody holds any more ends its peer's reading") { pair in
            let (reader, writer) = try await pair.attached()
            try await reader.expectNothing()
            try await writer.drop()
            _ = try await reader.receiveAll()
        },
        ChannelConformance("a write to a peer that has closed fails, and what the peer said before is still read") { pair in
            let (first, second) = try await pair.attached()
            let said = ChannelEnd.pattern(20_000)
            try await second.send(said)
            try await second.close()
            try await first.expectWriteFailure()
            let (bytes, _) = try await first.receiveAll()
            try require(bytes == said, "\(bytes.count) of \(said.count) bytes were read after the failed write")
        },
        ChannelConformance("a write to a peer that closed without reading fails, and what the peer said before is still read") { pair in
            let (first, second) = try await pair.attached()
            let said = ChannelEnd.pattern(20_000)
            try await first.send([9, 9, 9])
            try await second.send(said)
            try await second.close()
            try await first.expectWriteFailure()
            let (bytes, _) = try await first.receiveAll()
            try require(bytes == said, "\(bytes.count) of \(said.count) bytes were read after the failed write")
        },
        ChannelConformance("a writer that waits hears that its peer has gone") { pair in
            let (writer, reader) = try await pair.attached()
            _ = try await writer.fill()
            try await reader.close()
            try await writer.event(.writable)
            try await writer.expectWriteFailure()
        },
        ChannelConformance("an ended channel reports nothing more") { pair in
            let (first, second) = try await pair.attached()
            try await first.expectNothing()
            try await first.turns()
            let before = try await first.eventCount
            try await first.close()
            _ = try await second.write([1])
            try await second.close()
            try await first.turns()
            let more = try await first.eventCount - before
            try require(more == 0, "\(more) events after the close")
        },
    ]
}

extension ChannelEnd {
    /// The platform may say it on the next call rather than on the one that caused it, but not much later. A child that is just being started, by another test, has a copy of the peer's
    /// end until it has become its program.
    func expectWriteFailure() async throws {
        for _ in 0..<2000 {
            switch try await write([1]) {
            case .failed, .violated: return
            case .took: try await turns(5)
            case .wouldBlock: try await event(.writable)
            }
        }
        throw ConformanceFailure("two thousand writes to a peer that is gone, and none failed")
    }
}
