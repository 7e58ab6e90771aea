import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct HeaderedDecoderLawTests {
    private let toService: [HeaderedFrame] = [
        HeaderedFrame(Headers.handshake, id: 1), HeaderedFrame(Headers.completionRequest, id: 2, json: #"{"prompt":"p","stream":true}"#),
        HeaderedFrame(Headers.askRequest, id: 3, flags: HeaderedFrame.priority, json: #"{"query":"why?"}"#), HeaderedFrame(Headers.heartbeat, id: 4),
        HeaderedFrame(Headers.chatMessage, id: 5, json: #"{"role":"user"}"#), .cancel(2), HeaderedFrame(Headers.completionRequest, id: 6, json: "no JSON"),
        HeaderedFrame(Headers.toolResult, id: 1, json: #"{"success":true}"#), .error(2, 5, "no"), HeaderedFrame(Headers.ack, id: 9),
    ]

    private func prepared(_ end: inout MachineEnd) { for method in ["tool_call", "lsp_request", "completion_stream"] { end.ask(method) } }

    @Test(arguments: [nil, HeaderedFrame(0x300, id: 1), .cancel(8), HeaderedFrame(Headers.askRequest, id: 3), HeaderedFrame(Headers.disconnect, id: 0)])
    func `a service reads a conversation in whatever portions it comes`(last: HeaderedFrame?) {
        let input = (toService + (last.map { [$0] } ?? [])).flatMap(\.encoded)
        #expect(verifyDecoder(input, prepare: prepared) { HeaderedSession(role: .service, headered()) } == nil)
    }

    @Test func `the law is worth something: the conversation reaches every kind`() {
        var service = MachineEnd.headered(.service)
        prepared(&service)
        service.receive(toService.flatMap(\.encoded))
        #expect(service.closed == nil)
        #expect(service.requests.count == 2)
        #expect(service.actions.count == 6)
    }

    @Test func `a client reads a conversation in whatever portions it comes`() {
        let frames: [HeaderedFrame] = [
            .chunk(3, 0, #"{"Text":"a"}"#), HeaderedFrame(Headers.lspResponse, id: 2, json: "{}"), .chunk(3, 1, #"{"FunctionCall":{}}"#),
            HeaderedFrame(Headers.lspDiagnostics, id: 1, json: "{}"), .error(1, -5, "é"), HeaderedFrame(Headers.toolCall, id: 1, json: "{}"),
            .chunk(3, 2, #"{"Text":""}"#, isFinal: true), .chunk(3, 0, "1"), HeaderedFrame(Headers.heartbeat, id: 1), HeaderedFrame(Headers.disconnect, id: 0),
        ]
        let input = frames.flatMap(\.encoded)
        #expect(verifyDecoder(input, prepare: prepared) { HeaderedSession(role: .client, headered()) } == nil)
        var client = MachineEnd.headered(.client)
        prepared(&client)
        client.receive(input)
        #expect(client.closed == nil)
        #expect(client.actions.count == 8)
    }

    @Test(arguments: HeaderedVectors.all.refused)
    func `bad input obeys the law`(vector: HeaderedVectors.Refused) {
        let input = HeaderedFrame(Headers.chatMessage, id: 1, json: "{}").encoded + vector.bytes + [1, 2, 3]
        for role in [Role.client, .service] {
            #expect(verifyDecoder(input, prepare: prepared) { HeaderedSession(role: role, headered()) } == nil)
        }
    }

    @Test func `large messages obey the law`() {
        let large = HeaderedFrame(Headers.askRequest, id: 70, [UInt8](repeating: 7, count: 100_000))
        let input = (toService + [large, HeaderedFrame(Headers.heartbeat, id: 8)]).flatMap(\.encoded)
        #expect(verifyDecoder(input, everyOffset: false) { HeaderedSession(role: .service, headered()) } == nil)
    }

    /// What a client and a service really said to each other, in both directions.
    @Test func `a recorded conversation obeys the law in both directions`() {
        let machine = { (role: Role) in HeaderedSession(role: role, headered { $0.greets = true }) }
        var pair = MachinePair(client: MachineEnd(machine(.client)), service: MachineEnd(machine(.service)))
        pair.start()
        prepared(&pair.client)
        prepared(&pair.service)
        var said: [Role: [UInt8]] = [.client: [], .service: []]
        func talk() {
            while pair.client.session.machine.hasOutput || pair.service.session.machine.hasOutput {
                for side in [Role.client, .service] {
                    let bytes = pair[side].takeAll()
                    said[side]? += bytes
                    if !bytes.isEmpty { pair[side.other].receive(bytes) }
                }
            }
        }
        talk()
        for side in [Role.client, .service] {
            pair[side].submit(.event(name: "tool_progress", codec: .json, payload: Array("{}".utf8), lane: .low))
            for request in pair[side].requests {
                if request.method == "completion_stream" { _ = pair[side].send(item: #"{"Text":"a"}"#, of: request.call) }
                pair[side].submit(.reply(call: request.call, codec: .json, payload: request.method == "lsp_request" ? Array("{}".utf8) : []))
            }
        }
        talk()
        pair.client.submit(.farewell(Failure(.finished, "done")))
        talk()
        #expect(pair.client.closed?.failure.code == .finished)
        #expect(pair.service.closed?.by == .peer)
        for side in [Role.client, .service] {
            #expect((said[side.other] ?? []).count > 400)
            #expect(verifyDecoder(said[side.other] ?? [], prepare: prepared) { machine(side) } == nil)
        }
    }
}
