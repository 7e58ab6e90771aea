// What one side lets the other make it hold.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct HeaderedLimitTests {
    private let text = #"{"Text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#

    @Test func `a payload of the limit is taken, and one byte more is refused by its header alone`() {
        for (count, isTaken) in [(10 << 20, true), (10 << 20 + 1, false)] {
            var service = MachineEnd.headered(.service)
            let frame = HeaderedFrame(Headers.askRequest, id: 1, [UInt8](repeating: 0x20, count: count))
            var header = Array(frame.encoded.prefix(24))
            if isTaken { header += frame.payload }
            service.receive(header)
            #expect(service.requests.map(\.payload.count) == (isTaken ? [count] : []))
            #expect(service.closed?.failure.code == (isTaken ? nil : .frameTooLarge))
        }
    }

    @Test func `a request over the limit of this side fails alone`() {
        var client = MachineEnd.headered(.client) { $0.maximumPayload = 300 }
        let fits = client.call("ask_request", [UInt8](repeating: 0x20, count: 300), codec: .json)
        let call = client.call("ask_request", [UInt8](repeating: 0x20, count: 301), codec: .json)
        #expect(call.failure == Failure(.tooLarge, "a request of ask_request was not sent: 301 bytes, over the limit of 300 (maximumPayload)"))
        #expect(fits.outcomes == [])
        #expect(client.submit(.event(name: "chat_message", codec: .json, payload: [UInt8](repeating: 0x20, count: 301), lane: .normal)) == .tooLarge(limit: 300))
    }

    @Test func `a client whose program takes no items reads no more, and goes on when it does`() {
        var client = MachineEnd.headered(.client) { $0.limits.announced.itemWindow = 100 }
        let stream = client.ask("completion_stream")
        let other = client.ask()
        _ = client.takeAll()
        client.hear(.chunk(1, 0, text))
        #expect(client.session.wantsInput)
        client.hear(.chunk(1, 1, text), HeaderedFrame(Headers.askResponse, id: 2, json: "{}"))
        #expect(!client.session.wantsInput)
        #expect(other.outcomes == [])
        client.submit(.grant(stream, bytes: stream.items[0].count))
        #expect(client.session.wantsInput)
        client.receive([])
        #expect(other.replyText == "{}")
        client.hear(.chunk(1, 2, #"{"Text":""}"#, isFinal: true))
        #expect(stream.reply == [])
        #expect(client.headeredLeftovers == nil)
    }

    @Test func `a stream that is given up holds up nobody`() {
        var client = MachineEnd.headered(.client) { $0.limits.announced.itemWindow = 10 }
        let stream = client.ask("completion_stream", within: .seconds(1))
        client.hear(.chunk(1, 0, text))
        #expect(!client.session.wantsInput)
        client.pass(.seconds(1))
        #expect(stream.failure?.code == .deadlineExceeded)
        #expect(client.session.wantsInput)
        client.hear(.chunk(1, 1, text))
        #expect(client.session.wantsInput)
        #expect(stream.items.count == 1)
    }

    @Test func `a peer that is not read is not stale, and its end leaves what it said unread`() {
        var client = MachineEnd.headered(.client) {
            $0.limits.announced.itemWindow = 10
            $0.timeouts.heartbeat = .seconds(1)
        }
        client.submit(.ping(1))
        client.hear(HeaderedFrame(Headers.heartbeat, id: 1))
        let stream = client.ask("completion_stream")
        _ = client.takeAll()
        client.hear(.chunk(2, 0, text), .chunk(2, 1, #"{"Text":""}"#, isFinal: true))
        for _ in 0..<9 { client.pass(.seconds(1)) }
        #expect(client.closed == nil)
        client.inputEnded()
        #expect(stream.failure?.code == .connectionLost)
        #expect(client.closed?.failure.sentence.contains("lay unread behind a stream that is not taken") == true)
    }

    @Test func `a handler waits with its items while a good deal has not left`() {
        var service = MachineEnd.headered(.service) { $0.limits.announced.itemWindow = 300 }
        service.hear(HeaderedFrame(Headers.completionRequest, id: 1, json: #"{"stream":true}"#))
        var taken = 0
        while service.send(item: text, of: 1) == .taken(mayCarryOn: true) { taken += 1 }
        #expect(taken == 2)
        #expect(service.send(item: text, of: 1) == .noRoom)
        service.produce()
        #expect(service.send(item: text, of: 1) == .taken(mayCarryOn: true))
        service.submit(.reply(call: 1, codec: .raw, payload: []))
        #expect(service.headeredFrames().map { $0.text.contains(#""sequence":2"#) } == [false, false, true, false])
    }

    @Test func `a peer that reads too slowly is closed`() {
        var service = MachineEnd.headered(.service) { $0.limits.bufferedBytes = 1000 }
        for id in 1...4 as ClosedRange<UInt64> { service.hear(HeaderedFrame(Headers.askRequest, id: id, json: "{}")) }
        for call in 1...4 as ClosedRange<UInt32> { service.submit(.reply(call: call, codec: .json, payload: [UInt8](repeating: 0x20, count: 200))) }
        #expect(service.closed?.failure == Failure(.slowReader, "1056 bytes wait for the peer, over the limit of 1000 (bufferedBytes)"))
        #expect(service.actions.stops == 1)
        #expect(service.headeredFrames().map(\.id) == [0])
    }

    @Test func `a peer that asks for more answers to its Heartbeats than it reads is closed`() {
        var service = MachineEnd.headered(.service) { $0.limits.controlBytes = 1000 }
        for id in 0..<50 as Range<UInt64> where service.closed == nil { service.hear(HeaderedFrame(Headers.heartbeat, id: id)) }
        #expect(service.closed?.failure.code == .slowReader)
        service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.heartbeat, id: 1, [UInt8](repeating: 0, count: 4097)))
        #expect(service.closed?.failure == Failure(.frameTooLarge, "Heartbeat (0x0005) with a payload of 4097 bytes, over the limit of 4096"))
    }

    @Test func `the oldest one-way messages are dropped for a slow reader, of the lowest lane first`() {
        var service = MachineEnd.headered(.service) { $0.limits.eventBytes = 100 }
        for (index, lane) in [Lane.normal, .low, .normal, .normal, .normal].enumerated() {
            service.submit(.event(name: "chat_message", codec: .json, payload: [UInt8(ascii: "0") + UInt8(index)], lane: lane))
        }
        #expect(service.headeredFrames().map(\.text) == ["0", "2", "3", "4"])
        service.submit(.event(name: "chat_message", codec: .json, payload: [UInt8](repeating: 0x20, count: 200), lane: .normal))
        #expect(service.takeAll() == [])
        #expect(service.headeredLeftovers == nil)
    }

    @Test func `or the reader is closed`() {
        var service = MachineEnd.headered(.service) {
            $0.limits.eventBytes = 100
            $0.limits.eventOverflow = .close
        }
        #expect(service.submit(.event(name: "chat_message", codec: .json, payload: [UInt8](repeating: 0x20, count: 200), lane: .normal)) == .ended)
        #expect(service.closed?.failure.code == .slowReader)
    }

    @Test func `opaque streams end with the chunk that has no streaming flag, and the session says nothing with a payload`() {
        var client = MachineEnd.headered(.client) { $0.payloads = .opaque() }
        let stream = client.call("completion_stream", [1], within: .seconds(1))
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.completionRequest, id: 1, flags: HeaderedFrame.streaming, [1])])
        client.hear(HeaderedFrame(Headers.streamChunk, id: 1, flags: HeaderedFrame.streaming, [2]), HeaderedFrame(Headers.streamChunk, id: 1, [3]))
        #expect(stream.items == [[2], [3]])
        #expect(stream.reply == [])
        let failed = client.call("ask_request", [1])
        client.hear(HeaderedFrame(Headers.error, id: 2, [7, 7]))
        #expect(failed.failure?.details == [7, 7])
        #expect(failed.failure?.code == FailureCode(rawValue: 1000))
        client.call("ask_request", [1], within: .seconds(1))
        _ = client.takeAll()
        client.pass(.seconds(1))
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.cancel, id: 3)])
        #expect(client.submit(.ping(1)) == .ended)

        var service = MachineEnd.headered(.service) { $0.payloads = .opaque() }
        service.hear(HeaderedFrame(Headers.completionRequest, id: 5, flags: HeaderedFrame.streaming, [1]), HeaderedFrame(Headers.askRequest, id: 6, [1]))
        #expect(service.requests.map(\.method) == ["completion_stream", "ask_request"])
        service.submit(.item(call: 1, codec: .raw, payload: [9]))
        service.submit(.reply(call: 1, codec: .raw, payload: []))
        service.hear(HeaderedFrame(Headers.cancel, id: 6))
        service.submit(.fail(call: 2, Failure(.forbidden, "no", details: [4])))
        #expect(
            service.headeredFrames() == [
                HeaderedFrame(Headers.streamChunk, id: 5, flags: HeaderedFrame.streaming, [9]), HeaderedFrame(Headers.streamChunk, id: 5),
                HeaderedFrame(Headers.error, id: 6),
            ])
    }
}
