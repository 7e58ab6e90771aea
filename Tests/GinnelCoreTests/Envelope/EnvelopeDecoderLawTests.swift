import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeDecoderLawTests {
    private func prepared(_ end: inout MachineEnd) {
        for type in ["AGENT_STARTED", "BACKUP_STARTED", "DELAY_REQUEST", "USER_ACTION"] { end.callEnvelope(type) }
        end.send(1, "BACKUP_COMPLETED")
    }

    private let conversation: [String] = [
        #"{"id":"test-id","type":"HEARTBEAT","timestamp":"2024-01-01T12:00:00Z"}"#,
        #"{"type":"ACKNOWLEDGMENT","payload":{"originalMessageId":"\#(ours(2))","success":false,"error":"é"}}"#,
        #"{"id":"\#(guid(1))","type":"BACKUP_PROGRESS","payload":{"progress":1.5}}"#, #"{"id":"\#(guid(1))","type":"BACKUP_PROGRESS"}"#,
        #"{"id":"s","type":"SHUTDOWN_REQUEST","payload":{"reason":"\u00e9"}}"#, #"{"type":"STATUS_UPDATE","payload":null}"#,
        #"{"type":"ACKNOWLEDGMENT","payload":{"originalMessageId":"\#(kept(1))","success":true}}"#, #"{"type":"BACKUP_REQUEST","payload":[]}"#,
    ]

    @Test(arguments: [Role.client, .service], ["", "null", #"{"type":7}"#])
    func `either side reads a conversation in whatever portions it comes`(role: Role, last: String) {
        let input = (conversation + [last]).flatMap { enveloped($0) }
        #expect(verifyDecoder(input, prepare: prepared) { EnvelopeSession(role: role, envelope { $0.received = ["SHUTDOWN_REQUEST"] }) } == nil)
    }

    @Test func `the law is worth something: the conversation reaches every kind`() {
        var client = MachineEnd.envelope(.client) { $0.received = ["SHUTDOWN_REQUEST"] }
        prepared(&client)
        client.receive(conversation.flatMap { enveloped($0) })
        #expect(client.closed == nil)
        let kinds = client.actions.map { "\($0)".prefix { $0 != "(" } }
        #expect(Set(kinds) == ["failed", "event", "message", "replied", "acknowledged"])
        var service = MachineEnd.envelope(.service)
        service.receive(conversation.flatMap { enveloped($0) })
        #expect(service.requests.count == 4)
    }

    @Test(arguments: EnvelopeBadInputTests.all.filter { $0.bytes.count < 500 })
    func `bad input obeys the law`(bad: EnvelopeBadInputTests.Bad) {
        let input = enveloped(#"{"id":"1","type":"X"}"#) + bad.bytes + [1, 2, 3]
        for role in [Role.client, .service] { #expect(verifyDecoder(input, prepare: prepared) { EnvelopeSession(role: role, envelope()) } == nil) }
    }

    @Test func `large messages obey the law`() {
        let input = (conversation + [#"{"type":"X","payload":"\#(String(repeating: "x", count: 100_000))"}"#]).flatMap { enveloped($0) }
        #expect(verifyDecoder(input, everyOffset: false) { EnvelopeSession(role: .service, envelope()) } == nil)
    }
}
