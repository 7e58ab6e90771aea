import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeChunkTests {
    /// Around one frame, two frames, and the default limit.
    static let sizes = [0, 1, 65_531, 65_532, 65_533, 65_535, 65_536, 65_537, 131_066, 131_068, 131_069, 131_072, 196_604, 1 << 20]

    /// Checks what §2 says of the frames of one message and puts the message together again.
    private func reassembled(_ frames: [WireFrame], _ location: SourceLocation = #_sourceLocation) -> [UInt8] {
        guard frames.count > 1 else {
            #expect(frames.first.map { $0.flags & 3 } == 0, sourceLocation: location)
            return frames.first?.payload ?? []
        }
        for (index, frame) in frames.enumerated() {
            let flags = (index == 0 ? 0 : WireFrame.continued) | (index == frames.count - 1 ? 0 : WireFrame.more)
            #expect(frame.flags & 3 == flags, sourceLocation: location)
            #expect(frame.payload.count <= 65_536, sourceLocation: location)
            #expect(frame.payload.count > 0, sourceLocation: location)
            #expect((frame.kind, frame.stream, frame.lane) == (frames[0].kind, frames[0].stream, frames[0].lane), sourceLocation: location)
        }
        let message = Array(frames.flatMap(\.payload).dropFirst(4))
        #expect(Int(WireFrame.u32(frames[0].payload[..<4])) == message.count, sourceLocation: location)
        return message
    }

    @Test(arguments: sizes)
    func `a request of any size is cut as the protocol says and arrives whole`(size: Int) {
        let head = 12 + 4
        let payload = pattern(max(0, size - head))
        var pair = MachinePair.connected()
        pair.client.call("meth", payload, codec: .json)
        pair.client.produce()
        let frames = WireFrame.all(in: pair.client.sent)
        #expect(reassembled(frames) == WireFrame.requestBody("meth", payload))
        #expect(frames.count == (max(size, head) <= 65_536 ? 1 : (size + 4 + 65_535) / 65_536))
        #expect(frames[0].flags >> 4 == 1)
        pair.settle()
        #expect(pair.service.requests == [RecordedRequest(call: 1, method: "meth", codec: .json, payload: payload)])
    }

    @Test(arguments: sizes)
    func `a reply of any size is cut as the protocol says and arrives whole`(size: Int) {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .protobuf, payload: pattern(size)))
        pair.service.produce()
        #expect(reassembled(WireFrame.all(in: pair.service.sent)) == pattern(size))
        pair.settle()
        #expect(call.outcomes == [.replied(codec: .protobuf, payload: pattern(size))])
        #expect(pair.client.leftovers == [])
    }

    @Test(arguments: sizes)
    func `an item of any size is cut as the protocol says and arrives whole`(size: Int) {
        var pair = MachinePair.connected()
        let call = pair.client.call("m", itemsFollow: true)
        pair.settle()
        pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(size)))
        pair.service.submit(.item(call: 1, codec: .raw, payload: pattern(size)))
        pair.client.produce()
        #expect(reassembled(WireFrame.all(in: pair.client.sent)) == pattern(size))
        pair.settle()
        #expect(call.items == [pattern(size)])
        #expect(pair.service.actions.last == .item(call: 1, codec: .raw, payload: pattern(size)))
    }

    @Test(arguments: sizes)
    func `an event of any size is cut as the protocol says and arrives whole`(size: Int) {
        let payload = pattern(max(0, size - 10))
        var pair = MachinePair.connected()
        pair.service.submit(.event(name: "name", codec: .json, payload: payload, lane: .low))
        pair.service.produce()
        #expect(reassembled(WireFrame.all(in: pair.service.sent)) == WireFrame.eventBody("name", payload))
        pair.settle()
        #expect(pair.client.actions == [.event(name: "name", codec: .json, payload: payload, missed: 0)])
    }

    @Test func `a failure with long details is cut too`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        let failure = Failure(.forbidden, "no", details: pattern(200_000))
        pair.service.submit(.fail(call: 1, failure))
        pair.settle()
        #expect(call.failure == failure)
    }

    @Test func `a request over the peer's limit is refused before it is sent`() {
        for extra in [0, 1] {
            var pair = MachinePair.connected(service: { $0.limits.announced.maximumMessage = 100_000 })
            let call = pair.client.call("m", pattern(100_000 - 13 + extra))
            pair.settle()
            #expect(pair.service.requests.count == 1 - extra)
            #expect(call.failure?.code == (extra == 0 ? nil : .tooLarge))
        }
    }

    @Test func `a reply over the caller's limit becomes a failure that says that its handler has run`() {
        for extra in [0, 1] {
            var pair = MachinePair.connected(client: { $0.limits.announced.maximumMessage = 100_000 })
            let call = pair.client.call()
            pair.settle()
            pair.service.submit(.reply(call: 1, codec: .raw, payload: pattern(100_000 + extra)))
            pair.settle()
            #expect(call.reply?.count == (extra == 0 ? 100_000 : nil))
            #expect(call.failure?.code == (extra == 0 ? nil : .replyTooLarge))
            #expect(pair.client.leftovers == [])
        }
    }

    @Test func `chunks of many streams and events of many lanes may alternate`() {
        let calls = (0..<5).map { 1 + 2 * UInt32($0) }
        var queues = calls.map { stream in
            WireFrame.chunks(WireFrame.Kind.request, stream: stream, first: 20, rest: 33, WireFrame.requestBody("m\(stream)", pattern(300, seed: UInt64(stream))))
        }
        queues += (1...3).map { lane in
            WireFrame.chunks(WireFrame.Kind.event, stream: 0, lane: lane, first: 9, rest: 41, WireFrame.eventBody("e\(lane)", pattern(200, seed: UInt64(lane))))
        }
        var service = MachineEnd.openService()
        var random = SplitMix64(seed: 3)
        while !queues.isEmpty {
            let pick = random.number(in: 0...queues.count - 1)
            service.receive(queues[pick].removeFirst())
            if queues[pick].isEmpty { queues.remove(at: pick) }
        }
        #expect(service.closed == nil)
        #expect(Set(service.requests.map(\.method)) == Set(calls.map { "m\($0)" }))
        for request in service.requests { #expect(request.payload == pattern(300, seed: UInt64(request.call))) }
        #expect(service.actions.count == 8)
        #expect(service.native?.inbound.assembler.isEmpty == true)
    }

    @Test func `a short message may come in chunks, the last of them empty`() {
        var client = MachineEnd.openClient()
        let call = client.call()
        client.receive(WireFrame(WireFrame.Kind.response, stream: 1, flags: WireFrame.more | 1 << 4, lane: 2, WireFrame.u32(3) + [1]))
        client.receive(WireFrame(WireFrame.Kind.response, stream: 1, flags: WireFrame.more | WireFrame.continued, lane: 2, [2]))
        client.receive(WireFrame(WireFrame.Kind.response, stream: 1, flags: WireFrame.continued | 2 << 4, lane: 2, [3]))
        #expect(call.outcomes == [.replied(codec: .json, payload: [1, 2, 3])])
    }
}
