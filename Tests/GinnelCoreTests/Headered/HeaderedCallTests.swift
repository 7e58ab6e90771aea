// Our calls: what leaves, and what every kind of answer makes of them.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct HeaderedCallTests {
    @Test func `there is no handshake unless it is asked for`() {
        var client = MachineEnd(HeaderedSession(role: .client, headered()))
        client.start()
        var peer = AnnouncedLimits.defaults
        peer.maximumMessage = 10 << 20
        #expect(client.takeActions() == [.established(Establishment(service: "", instance: Identity(high: 0, low: 0), peerLimits: peer, program: ""))])
        #expect(client.takeAll() == [])
    }

    @Test(arguments: [
        ("completion_request", "{}", Headers.completionRequest, Headers.completionResponse), ("ask_request", "{}", Headers.askRequest, Headers.askResponse),
        ("edit_request", "{}", Headers.editRequest, Headers.editResponse), ("tool_call", "{}", Headers.toolCall, Headers.toolResult),
        ("execute_tool", "{}", Headers.executeTool, Headers.toolResult), ("lsp_request", "{}", Headers.lspRequest, Headers.lspResponse),
    ])
    func `each method is a type, and so is its answer`(method: String, payload: String, type: UInt16, answer: UInt16) {
        var client = MachineEnd.headered(.client)
        let call = client.call(method, Array(payload.utf8), codec: .json)
        #expect(client.headeredFrames() == [HeaderedFrame(type, id: 1, json: payload)])
        client.hear(HeaderedFrame(answer, id: 1, json: #"{"a":1}"#))
        #expect(call.outcomes == [.replied(codec: .json, payload: Array(#"{"a":1}"#.utf8))])
        #expect(client.headeredLeftovers == nil)
    }

    @Test func `answers come in any order, each to its call`() {
        var client = MachineEnd.headered(.client)
        let calls = (1...3).map { _ in client.ask() }
        #expect(client.headeredFrames().map(\.id) == [1, 2, 3])
        for id in [3, 1, 2] as [UInt64] { client.hear(HeaderedFrame(Headers.askResponse, id: id, json: "\(id)")) }
        #expect(calls.map(\.replyText) == ["1", "2", "3"])
        #expect(client.headeredLeftovers == nil)
    }

    @Test func `the high lane is the priority flag, and goes first`() {
        var client = MachineEnd.headered(.client)
        for lane in [Lane.low, .normal, .high] { client.ask(lane: lane) }
        #expect(client.headeredFrames().map(\.flags) == [HeaderedFrame.priority, 0, 0])
    }

    @Test func `no lane waits for ever`() {
        var client = MachineEnd.headered(.client)
        for lane in [Lane.low, .normal, .high] { for _ in 0..<20 { client.ask(lane: lane) } }
        let order = client.headeredFrames().map { $0.id > 40 ? "h" : $0.id > 20 ? "n" : "l" }.joined()
        #expect(order.hasPrefix("hhhhhhhhnnnnlhhhhhhhhnnnnlhhhhnnnnlnnnnl"))
    }

    @Test func `a stream of chunks is a stream of items, and its last one the end`() {
        var client = MachineEnd.headered(.client)
        let call = client.ask("completion_stream")
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.completionRequest, id: 1, flags: HeaderedFrame.streaming, json: #"{"stream":true}"#)])
        client.hear(.chunk(1, 0, #"{"Text":"a"}"#), .chunk(1, 1, #"{"Token":{"id":1,"text":"b","logprob":-0.5}}"#))
        #expect(call.outcomes == [])
        client.hear(.chunk(1, 2, #"{"Text":"c"}"#, isFinal: true))
        #expect(call.itemTexts == [#"{"Text":"a"}"#, #"{"Token":{"id":1,"text":"b","logprob":-0.5}}"#, #"{"Text":"c"}"#])
        #expect(call.reply == [])
        #expect(client.headeredLeftovers == nil)
    }

    @Test(arguments: [#"{"Text":""}"#, #"{ "Text" : "" }"#])
    func `a last chunk without text carries no item`(content: String) {
        var client = MachineEnd.headered(.client)
        let call = client.ask("completion_stream")
        client.hear(.chunk(1, 7, #"{"Text":""}"#), .chunk(1, 8, content, isFinal: true))
        #expect(call.itemTexts == [#"{"Text":""}"#])
        #expect(call.reply == [])
    }

    @Test func `any request may be answered in chunks, and a stream by one answer`() {
        var client = MachineEnd.headered(.client)
        let asked = client.ask()
        let streamed = client.ask("completion_stream")
        client.hear(.chunk(1, 0, #"{"Text":"a"}"#, isFinal: true), HeaderedFrame(Headers.completionResponse, id: 2, json: "{}"))
        #expect(asked.itemTexts == [#"{"Text":"a"}"#])
        #expect(asked.reply == [])
        #expect(streamed.replyText == "{}")
    }

    @Test func `an Error fails its call, with code, sentence and details`() {
        var client = MachineEnd.headered(.client)
        let calls = [client.ask(), client.ask(), client.ask()]
        client.hear(.error(1, 6, "no \\\"model\\\"", details: "x"), .error(2, -1, "lost"), HeaderedFrame(Headers.error, id: 3, json: #"{"code":2000}"#))
        #expect(calls[0].failure == Failure(.resourceExhausted, "no \"model\"", details: [0x78]))
        #expect(calls[1].failure == Failure(FailureCode(rawValue: .max), "lost"))
        #expect(calls[2].failure == Failure(FailureCode(rawValue: 2000), ""))
        #expect(client.closed == nil)
    }

    @Test func `an Error about the connection is its end`() {
        var client = MachineEnd.headered(.client)
        let call = client.ask()
        _ = client.takeAll()
        client.hear(.error(0, 104, "full"))
        #expect(client.closed == CloseReason(by: .peer, Failure(.tooManyConnections, "full")))
        #expect(call.failure?.code == .connectionLost)
        #expect(client.takeAll() == [])
    }

    @Test func `a deadline ends the call here and cancels it there`() {
        var client = MachineEnd.headered(.client)
        let call = client.ask(within: .seconds(1))
        _ = client.takeAll()
        #expect(client.session.wakeUp.delay(from: client.now) == 1_000_000_000)
        client.now = client.now.advanced(by: .seconds(1))
        client.timeOut()
        #expect(call.failure?.code == .deadlineExceeded)
        #expect(client.headeredFrames() == [.cancel(1)])
        client.hear(.chunk(1, 0, #"{"Text":"late"}"#), .error(1, 1, "cancelled"), HeaderedFrame(Headers.askResponse, id: 1, json: "{}"))
        #expect(client.closed == nil)
        #expect(call.outcomes.count == 1)
        #expect(call.items == [])
        #expect(client.headeredLeftovers == nil)
    }

    @Test func `a call that is given up before its request has left leaves no trace`() {
        var client = MachineEnd.headered(.client)
        let call = client.ask()
        client.submit(.abandon(call, Failure(.cancelled, "no interest")))
        #expect(call.failure?.code == .cancelled)
        #expect(client.takeAll() == [])
        #expect(client.headeredLeftovers == nil)
        let unborn = RecordedCall()
        client.submit(.abandon(unborn, Failure(.cancelled, "")))
        client.submit(.call(unborn, OutgoingRequest(method: "ask_request", codec: .json, payload: [])))
        #expect(unborn.failure?.code == .cancelled)
        #expect(client.takeAll() == [])
    }

    @Test(arguments: [
        ("record", Codec.json, "{}", FailureCode.unknownMethod, "the headered format has no type of message for the method \"record\""),
        ("chat_message", .json, "{}", .unknownMethod, "the headered format has no type of message for the method \"chat_message\""),
        ("ask_request", .protobuf, "{}", .unsupportedCodec, "a request of ask_request was not sent: codec 2, where payloads are JSON"),
        ("completion_request", .json, #"{"stream":true}"#, .invalidRequest, "a request of completion_request was not sent: its member `stream` makes it one of completion_stream"),
        ("completion_stream", .json, #"{"stream":false}"#, .invalidRequest, "a request of completion_stream was not sent: its member `stream` makes it one of completion_request"),
        ("completion_request", .json, "[]", .invalidRequest, "a request of completion_request was not sent: not a valid JSON object: something else than an object at byte 0"),
    ])
    func `what the format has no bytes for fails alone`(method: String, codec: Codec, payload: String, code: FailureCode, sentence: String) {
        var client = MachineEnd.headered(.client)
        let call = client.call(method, Array(payload.utf8), codec: codec)
        #expect(call.failure == Failure(code, sentence))
        #expect(client.takeAll() == [])
        let upload = client.call("ask_request", itemsFollow: true)
        #expect(upload.failure?.code == .invalidRequest)
        #expect(client.submit(.sendItem(upload, codec: .json, payload: nil)) == .ended)
        #expect(client.closed == nil)
    }

    @Test func `no more calls are in flight than the limit allows, and no more wait`() {
        var client = MachineEnd.headered(.client) {
            $0.limits.announced.callsInFlight = 2
            $0.limits.waitingCalls = 2
        }
        let calls = [client.ask(), client.ask(), client.ask(within: .seconds(1)), client.ask(), client.ask()]
        #expect(client.headeredFrames().count == 2)
        #expect(calls[4].failure == Failure(.resourceExhausted, "2 calls wait already, the limit (waitingCalls)"))
        client.now = client.now.advanced(by: .seconds(1))
        client.timeOut()
        #expect(calls[2].failure?.code == .deadlineExceeded)
        #expect(client.takeAll() == [])
        client.submit(.abandon(calls[0], Failure(.cancelled, "")))
        #expect(client.headeredFrames() == [.cancel(1), HeaderedFrame(Headers.askRequest, id: 3, json: "{}")])
        client.hear(HeaderedFrame(Headers.askResponse, id: 3, json: "{}"), HeaderedFrame(Headers.askResponse, id: 2, json: "{}"))
        #expect(calls.allSatisfy { $0.outcomes.count == 1 })
        #expect(client.headeredLeftovers == nil)
    }

    @Test func `a service may ask its client, and ids of the two do not meet`() {
        var service = MachineEnd.headered(.service)
        let call = service.ask("tool_call")
        #expect(service.headeredFrames() == [HeaderedFrame(Headers.toolCall, id: 1, json: "{}")])
        service.hear(HeaderedFrame(Headers.toolCall, id: 1, json: #"{"n":1}"#), HeaderedFrame(Headers.toolResult, id: 1, json: #"{"n":2}"#))
        #expect(call.replyText == #"{"n":2}"#)
        service.answer(service.lastCall, #"{"n":3}"#)
        #expect(service.headeredFrames() == [HeaderedFrame(Headers.toolResult, id: 1, json: #"{"n":3}"#)])
        #expect(service.headeredLeftovers == nil)
    }
}
