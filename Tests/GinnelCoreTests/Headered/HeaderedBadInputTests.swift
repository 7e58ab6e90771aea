// What a peer can do wrong beyond the header: each ends the connection with its name, and calls in flight with it. (The header's own faults are in the vectors.)

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct HeaderedBadInputTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        let frames: [HeaderedFrame]
        let sentence: String
        var testDescription: String { sentence }

        init(_ sentence: String, _ frames: HeaderedFrame...) {
            self.frames = frames
            self.sentence = sentence
        }
    }

    private static let toClient = [
        Wrong("AskResponse (0x0101) in answer to CompletionRequest (0x0001), id 1", HeaderedFrame(Headers.askResponse, id: 1, json: "{}")),
        Wrong("AskResponse (0x0101) with the unknown id 3: nothing with that id was asked", HeaderedFrame(Headers.askResponse, id: 3, json: "{}")),
        Wrong("StreamChunk (0x0003) with the unknown id 3: nothing with that id was asked", .chunk(3, 0, "1")),
        Wrong("Error (0x0004) with the unknown id 3: nothing with that id was asked", .error(3, 1)),
        Wrong("CompletionResponse (0x0002) with the unknown id 0: nothing with that id was asked", HeaderedFrame(Headers.completionResponse, id: 0, json: "{}")),
        Wrong(
            "StreamChunk (0x0003) whose payload of 1 bytes is not a valid JSON object: something else than an object at byte 0",
            HeaderedFrame(Headers.streamChunk, id: 1, json: "1")),
        Wrong(
            "StreamChunk (0x0003) without a number `sequence` of 32 bits",
            HeaderedFrame(Headers.streamChunk, id: 1, json: #"{"sequence":4294967296,"content":1,"is_final":true}"#)),
        Wrong("StreamChunk (0x0003) without a boolean `is_final`", HeaderedFrame(Headers.streamChunk, id: 1, json: #"{"sequence":1,"content":1,"is_final":1}"#)),
        Wrong("StreamChunk (0x0003) without `content`", HeaderedFrame(Headers.streamChunk, id: 1, json: #"{"sequence":1,"is_final":true}"#)),
        Wrong("chunk 2 of the answer to id 1 where 1 is due", .chunk(1, 0, "1"), .chunk(1, 2, "1")),
        Wrong("chunk 0 of the answer to id 1 where 1 is due", .chunk(1, 0, "1"), .chunk(1, 0, "1")),
        Wrong("Error (0x0004) without a number `code` of 32 bits", HeaderedFrame(Headers.error, id: 1, json: #"{"code":2147483648}"#)),
        Wrong(
            "Error (0x0004) whose payload of 0 bytes is not a valid JSON object: the text ends where a value is due, at byte 0",
            HeaderedFrame(Headers.error, id: 1)),
    ]

    @Test(arguments: toClient)
    func `a wrong answer ends the connection by name`(wrong: Wrong) {
        var client = MachineEnd.headered(.client)
        let calls = [client.ask("completion_request"), client.ask()]
        _ = client.takeAll()
        client.receive(wrong.frames.flatMap(\.encoded))
        #expect(client.closed == CloseReason(by: .us, Failure(.protocolViolation, wrong.sentence)))
        #expect(calls.allSatisfy { $0.failure?.code == .connectionLost })
        #expect(client.headeredFrames().map(\.type) == [Headers.error])
        #expect(client.headeredLeftovers == nil)
    }

    @Test(arguments: [
        Wrong("AskRequest (0x0100) with the id 1, which is in flight", HeaderedFrame(Headers.askRequest, id: 1, json: "{}")),
        Wrong("Cancel (0x0205) without `request_id`", HeaderedFrame(Headers.cancel, id: 1, json: "{}")),
        Wrong(
            "Cancel (0x0205) whose payload of 1 bytes is not a valid JSON object: the text ends where a key in quotes or '}' is due, at byte 1",
            HeaderedFrame(Headers.cancel, id: 1, json: "{")),
        Wrong("ToolResult (0x0106) with the unknown id 1: nothing with that id was asked", HeaderedFrame(Headers.toolResult, id: 1, json: "{}")),
    ])
    func `a wrong request ends the connection by name and stops its handlers`(wrong: Wrong) {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.toolCall, id: 1, json: "{}"))
        service.receive(wrong.frames.flatMap(\.encoded))
        #expect(service.closed == CloseReason(by: .us, Failure(.protocolViolation, wrong.sentence)))
        #expect(service.actions.stops == 1)
        #expect(service.headeredLeftovers?.isEmpty == false)  // the reason, which has not left
        #expect(service.headeredFrames().map(\.id) == [0])
        #expect(service.headeredLeftovers == nil)
    }

    @Test func `nothing is done after the end`() {
        var service = MachineEnd.headered(.service)
        service.receive(Array("nonsense".utf8) + HeaderedFrame(Headers.askRequest, id: 1, json: "{}").encoded)
        service.hear(HeaderedFrame(Headers.askRequest, id: 1, json: "{}"))
        #expect(service.requests.isEmpty)
        #expect(service.ask().failure?.code == .unavailable)
        #expect(service.submit(.event(name: "chat_message", codec: .json, payload: [], lane: .normal)) == .ended)
        service.submit(.close(Failure(.internal, "again")))
        service.submit(.farewell(Failure(.internal, "again")))
        service.inputEnded()
        #expect(service.headeredFrames().count == 1)
        #expect(service.session.wakeUp == WakeUp())
    }

    @Test func `20,000 mutations of conversations end in a named reason or none, and nothing traps`() {
        var random = SplitMix64(seed: 24)
        let frames: [HeaderedFrame] = [
            HeaderedFrame(Headers.completionRequest, id: 1, json: #"{"stream":true,"prompt":"é"}"#), .cancel(1), .chunk(1, 0, #"{"Text":"a"}"#), .error(2, 5, "no"),
            HeaderedFrame(Headers.chatMessage, id: 9, json: "{}"), HeaderedFrame(Headers.askResponse, id: 3, json: "{}"), HeaderedFrame(Headers.disconnect, id: 0),
        ]
        var reasons: [FailureCode: Int] = [:]
        for round in 0..<20_000 {
            var bytes: [UInt8] = []
            for frame in frames {
                var frame = frame
                // Either what is inside is changed before it is sealed, or the sealed bytes are.
                if !frame.payload.isEmpty, random.oneIn(3) { frame.payload[random.number(in: 0...frame.payload.count - 1)] = UInt8(random.number(in: 0...255)) }
                if random.oneIn(9) { frame.id = UInt64(random.number(in: 0...4)) }
                if random.oneIn(9) { frame.type = UInt16(random.number(in: 0...0x205)) }
                bytes += frame.encoded
            }
            if random.oneIn(4) { bytes[random.number(in: 0...bytes.count - 1)] = UInt8(random.number(in: 0...255)) }
            var end = MachineEnd.headered(round & 1 == 0 ? .service : .client)
            let calls = [end.ask("completion_stream"), end.ask(), end.ask()]
            end.receive(bytes)
            end.inputEnded()
            #expect(end.closed != nil)
            #expect(calls.allSatisfy { $0.outcomes.count == 1 })
            reasons[end.closed?.failure.code ?? .internal, default: 0] += 1
        }
        #expect(reasons.count >= 5)
    }
}
