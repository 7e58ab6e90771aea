// Bytes that are known: the golden message, those of docs/formats/envelope.md, and what other makers write.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeVectorTests {
    private static let golden = #"{"id":"test-id","type":"HEARTBEAT","timestamp":"2024-01-01T12:00:00Z"}"#

    @Test func `the golden message has the golden length`() {
        #expect(enveloped(Self.golden).prefix(4) == [0x46, 0, 0, 0])
        let text = EnvelopeMessage.text(id: "test-id", type: "HEARTBEAT", EnvelopeTimestamp("2024-01-01T12:00:00Z")!, [])
        #expect(String(decoding: text, as: UTF8.self) == Self.golden)
    }

    @Test(arguments: [Role.client, .service]) func `a golden heartbeat is acknowledged, to the byte`(role: Role) {
        var end = MachineEnd.envelope(role)
        end.receive(enveloped(Self.golden))
        #expect(end.takeAll() == enveloped(acknowledgment(1, of: "test-id")))
        #expect(end.actions == [])
    }

    @Test func `a request is written with id, type, timestamp and payload in this order, and without what is not there`() {
        var client = MachineEnd.envelope(.client)
        client.callEnvelope("USER_ACTION", #"{"userId":"é"}"#)
        client.callEnvelope("X", "")
        #expect(
            client.texts() == [
                #"{"id":"00000000-0000-8000-8000-000000000001","type":"USER_ACTION","timestamp":"2024-01-01T12:00:00Z","payload":{"userId":"é"}}"#,
                #"{"id":"00000000-0000-8000-8000-000000000002","type":"X","timestamp":"2024-01-01T12:00:00Z"}"#,
            ])
    }

    @Test func `what another serialiser escapes is understood`() {
        var service = MachineEnd.envelope(.service)
        service.hear(#"{"id":"\u0041\u002B\u003C","type":"USER_ACTIO\u004E","timestamp":"2024-01-01T12:00:00.1234567Z","payload":{"a":"\u00E9\u0026\uD83D\uDE00"}}"#)
        #expect(service.requests.map(\.method) == ["USER_ACTION"])
        #expect(service.requests.map { String(decoding: $0.payload, as: UTF8.self) } == [#"{"a":"\u00E9\u0026\uD83D\uDE00"}"#])
        service.answer(envelope: 1)
        #expect(service.texts() == [acknowledgment(1, of: "A+<")])
    }

    @Test func `names are case-sensitive, and what is unknown is passed over`() {
        var service = MachineEnd.envelope(.service)
        service.hear(#"{"Id":"no","id":"yes","more":{"id":[1]},"type":"X","Payload":1,"timestamp":null}"#)
        #expect(service.requests == [RecordedRequest(call: 1, method: "X", codec: .json)])
        service.answer(envelope: 1)
        #expect(service.texts() == [acknowledgment(1, of: "yes")])
    }

    @Test func `a message without an id gets one`() {
        var service = MachineEnd.envelope(.service)
        service.hear(#"{"type":"X"}"#, #"{"id":null,"type":"X","payload":null}"#)
        for call in service.requests { service.answer(envelope: call.call) }
        #expect(service.texts() == [acknowledgment(3, of: ours(1)), acknowledgment(4, of: ours(2))])
    }

    @Test(arguments: [
        ("2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z"), ("2024-02-29T23:59:59.1200000Z", "2024-02-29T23:59:59.12Z"), ("0001-01-01T00:00:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"), ("2000-03-01T00:30:00+01:00", "2000-02-29T23:30:00Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
        ("1970-01-01T00:00:00.123456789-00:01", "1970-01-01T00:01:00.1234567Z"),
    ])
    func `times are read and written`(text: String, canonical: String) {
        #expect(EnvelopeTimestamp(text)?.text == canonical)
        #expect(EnvelopeTimestamp(canonical)?.text == canonical)
    }

    @Test func `a day is a day in every year`() {
        var ticks: Int64 = EnvelopeTimestamp("0001-01-01T06:00:00Z")!.ticks
        var random = SplitMix64(seed: 5)
        for _ in 0..<20_000 {
            let text = EnvelopeTimestamp(ticks: ticks).text
            #expect(EnvelopeTimestamp(text)?.ticks == ticks)
            ticks += Int64(random.number(in: 1...360)) * 864_000_000_000
            if ticks > 253_402_300_799 * 10_000_000 { break }
        }
        #expect(EnvelopeTimestamp(ticks: .max).text == "9999-12-31T23:59:59Z")
        #expect(EnvelopeTimestamp(ticks: .min).text == "0001-01-01T00:00:00Z")
    }

    @Test(arguments: [
        "", "2024", "2024-01-01", "2024-01-01 12:00:00Z", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+1", "2024-01-01T00:00:00ZZ", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59",
    ])
    func `what is no time is refused`(text: String) { #expect(EnvelopeTimestamp(text) == nil) }

    @Test func `ids are GUIDs that count on, and only GUIDs are numbers`() {
        let base = Identity(high: 0x0123_4567_89AB_CDEF, low: .max)
        #expect(EnvelopeID.text(base, 0) == "01234567-89ab-8def-bfff-ffffffffffff")
        #expect(EnvelopeID.text(base, 2) == "01234567-89ab-8def-8000-000000000001")
        #expect(EnvelopeID.number("01234567-89AB-8def-8000-000000000001") == Identity(high: 0x0123_4567_89AB_8DEF, low: 0x8000_0000_0000_0001))
        for text in ["", "test-id", "0123456789ab8def8000000000000001", "01234567-89ab-8def-8000-00000000000g", "01234567089ab-8def-8000-00000000001"] {
            #expect(EnvelopeID.number(text) == nil)
        }
    }
}
