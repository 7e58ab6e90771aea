// The peer's calls: requests, cancels, answers, streams; and one-way messages.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct HeaderedRequestTests {
    private let text = #"{"Text":"a"}"#

    @Test func `several requests are in flight and answered as they are done`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.askRequest, id: 5, json: #"{"q":1}"#), HeaderedFrame(Headers.editRequest, id: 900, flags: HeaderedFrame.priority, json: "{}"))
        #expect(
            service.takeActions() == [
                .request(RecordedRequest(call: 1, method: "ask_request", codec: .json, payload: Array(#"{"q":1}"#.utf8))),
                .request(RecordedRequest(call: 2, method: "edit_request", codec: .json, payload: Array("{}".utf8), lane: .high)),
            ])
        service.answer(2, #"{"e":1}"#)
        service.answer(1, #"{"a":1}"#)
        service.answer(1, #"{"a":2}"#)
        #expect(
            service.headeredFrames() == [
                HeaderedFrame(Headers.editResponse, id: 900, flags: HeaderedFrame.priority, json: #"{"e":1}"#), HeaderedFrame(Headers.askResponse, id: 5, json: #"{"a":1}"#),
            ])
        #expect(service.headeredLeftovers == nil)
    }

    @Test(arguments: [
        (#"{"prompt":"p","stream":true}"#, "completion_stream"), (#"{"stream":false}"#, "completion_request"), ("{}", "completion_request"),
        (#"{"stream":"true"}"#, "completion_request"),
    ])
    func `a completion says itself whether it is a stream`(payload: String, method: String) {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.completionRequest, id: 1, json: payload))
        #expect(service.requests.map(\.method) == [method])
    }

    @Test func `a request that is no JSON is answered so where the session has to read it, and the connection stays`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.completionRequest, id: 4, json: "{"), HeaderedFrame(Headers.askRequest, id: 5, [0xFF]))
        #expect(service.requests.map(\.method) == ["ask_request"])
        let frames = service.headeredFrames()
        #expect(frames.map(\.id) == [4])
        #expect(frames.first?.text.hasPrefix(#"{"code":4,"message":"CompletionRequest (0x0001) whose payload of 1 bytes is not a valid JSON object"#) == true)
    }

    @Test func `items leave as numbered chunks and the end of the handler as the last`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.completionRequest, id: 6, json: #"{"stream":true}"#))
        #expect(service.send(item: text, of: 1) == .taken(mayCarryOn: true))
        #expect(service.send(item: "7", of: 1) == .taken(mayCarryOn: true))
        service.submit(.reply(call: 1, codec: .raw, payload: []))
        #expect(service.headeredFrames() == [.chunk(6, 0, text), .chunk(6, 1, "7"), .chunk(6, 2, #"{"Text":""}"#, isFinal: true)])
        #expect(service.send(item: text, of: 1) == .ended)
        #expect(service.headeredLeftovers == nil)
    }

    @Test func `a failure is an Error with its id, also behind items`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.askRequest, id: 6, json: "{}"), HeaderedFrame(Headers.askRequest, id: 7, json: "{}"))
        _ = service.send(item: text, of: 1)
        service.submit(.fail(call: 1, Failure(.forbidden, "no \"x\"", details: Array("d".utf8))))
        service.submit(.fail(call: 2, Failure(FailureCode(rawValue: .max), "")))
        #expect(service.headeredFrames() == [.chunk(6, 0, text), .error(6, 5, "no \\\"x\\\"", details: "d"), .error(7, -1)])
        #expect(service.headeredLeftovers == nil)
    }

    @Test(arguments: [#"{"request_id":"8"}"#, #"{"request_id":8}"#, ""])
    func `a Cancel stops the handler, whose answer gives way to an Error`(payload: String) {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.askRequest, id: 8, json: "{}"))
        service.takeActions()
        for _ in 0..<2 { service.hear(HeaderedFrame(Headers.cancel, id: 8, json: payload)) }
        let failure = Failure(.cancelled, "the caller has cancelled the call")
        #expect(service.takeActions() == [.cancel(call: 1, failure)])
        #expect(service.send(item: text, of: 1) == .ended)
        #expect(service.takeAll() == [])
        service.answer(1, "{}")
        #expect(service.headeredFrames() == [.error(8, 1, failure.sentence)])
        #expect(service.headeredLeftovers == nil)
    }

    @Test(arguments: [#"{"request_id":"9"}"#, #"{"request_id":"lsp-8"}"#, #"{"request_id":-8}"#, #"{"request_id":null}"#])
    func `a Cancel of something else is ignored`(payload: String) {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.askRequest, id: 8, json: "{}"), HeaderedFrame(Headers.cancel, id: 8, json: payload))
        #expect(service.actions.stops == 0)
        #expect(service.closed == nil)
    }

    @Test func `an id is free again once its request is answered`() {
        var service = MachineEnd.headered(.service)
        for round in 1...3 as ClosedRange<UInt32> {
            service.hear(HeaderedFrame(Headers.askRequest, id: 0, json: "{}"))
            service.answer(round, "\(round)")
        }
        #expect(service.headeredFrames().map(\.text) == ["1", "2", "3"])
    }

    @Test func `one request too many is refused by name and the others go on`() {
        var service = MachineEnd.headered(.service) { $0.limits.announced.callsInFlight = 2 }
        for id in 1...3 as ClosedRange<UInt64> { service.hear(HeaderedFrame(Headers.askRequest, id: id, json: "{}")) }
        #expect(service.requests.count == 2)
        #expect(service.headeredFrames() == [.error(3, 6, "2 requests are in flight already, the limit (callsInFlight); this one was not begun")])
        // A cancelled one counts until its handler has ended.
        service.hear(.cancel(1), HeaderedFrame(Headers.askRequest, id: 4, json: "{}"))
        #expect(service.requests.count == 2)
        service.answer(1, "{}")
        service.hear(HeaderedFrame(Headers.askRequest, id: 5, json: "{}"))
        #expect(service.requests.count == 3)
    }

    @Test(arguments: [
        ("chat_message", Headers.chatMessage), ("tool_progress", Headers.toolProgress), ("lsp_diagnostics", Headers.lspDiagnostics), ("lsp_notification", 0x202),
        ("lsp_progress", 0x204),
    ])
    func `one-way messages are events, in both directions`(name: String, type: UInt16) {
        var service = MachineEnd.headered(.service)
        #expect(service.submit(.event(name: name, codec: .json, payload: Array("{}".utf8), lane: .high)) == .taken(mayCarryOn: true))
        #expect(service.headeredFrames() == [HeaderedFrame(type, id: 1, flags: HeaderedFrame.priority, json: "{}")])
        for role in [Role.client, .service] {
            var end = MachineEnd.headered(role)
            end.hear(HeaderedFrame(type, id: 77, json: #"{"a":1}"#))
            #expect(end.actions == [.event(name: name, codec: .json, payload: Array(#"{"a":1}"#.utf8), missed: 0)])
        }
    }

    @Test func `events that the format has no type for are not taken`() {
        var service = MachineEnd.headered(.service)
        #expect(service.submit(.event(name: "tick", codec: .json, payload: [], lane: .normal)) == .ended)
        #expect(service.submit(.event(name: "chat_message", codec: .protobuf, payload: [], lane: .normal)) == .ended)
        #expect(service.closed == nil)
    }

    @Test func `a reply or an item that cannot be sent fails its call alone`() {
        var service = MachineEnd.headered(.service) { $0.maximumPayload = 256 }
        for id in 1...4 as ClosedRange<UInt64> { service.hear(HeaderedFrame(Headers.askRequest, id: id, json: "{}")) }
        service.submit(.reply(call: 1, codec: .json, payload: [UInt8](repeating: 0x20, count: 257)))
        service.submit(.reply(call: 2, codec: .protobuf, payload: [1]))
        #expect(service.send(item: "{", of: 3) == .ended)
        #expect(service.submit(.item(call: 4, codec: .json, payload: [UInt8](repeating: 0x20, count: 161))) == .tooLarge(limit: 160))
        #expect(service.send(item: "\"" + String(repeating: "1", count: 158) + "\"", of: 4) == .taken(mayCarryOn: true))
        service.answer(4, "{}")
        let frames = service.headeredFrames()
        #expect(frames.map(\.id) == [1, 2, 3, 4, 4])
        #expect(frames.map(\.type) == [Headers.error, Headers.error, Headers.error, Headers.streamChunk, Headers.askResponse])
        #expect(frames[0].text.hasPrefix(#"{"code":13,"#))
        #expect(frames[1].text.hasPrefix(#"{"code":12,"#))
        #expect(frames[2].text.hasPrefix(#"{"code":12,"message":"an item that cannot be sent: not valid JSON"#))
        #expect(frames.allSatisfy { $0.payload.count <= 256 })
    }

    @Test func `a sentence that is too long for a payload is cut`() {
        var service = MachineEnd.headered(.service) { $0.maximumPayload = 256 }
        service.hear(HeaderedFrame(Headers.askRequest, id: 1, json: "{}"))
        service.submit(.fail(call: 1, Failure(.forbidden, String(repeating: "\"é", count: 200), details: [1, 2, 3])))
        let frame = service.headeredFrames().first
        #expect((250...256).contains(frame?.payload.count ?? 0))
        #expect(frame?.text.hasPrefix(#"{"code":5,"message":"\"é\"é"#) == true)
        #expect(frame?.text.hasSuffix(#"","details":""}"#) == true)
    }
}
