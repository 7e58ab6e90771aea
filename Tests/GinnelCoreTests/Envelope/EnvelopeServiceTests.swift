// The service's half: the dispatcher of the original, by behaviour, and what comes twice.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeServiceTests {
    private func request(_ id: String = "1", _ type: String = "BACKUP_PROGRESS") -> String {
        #"{"id":"\#(id)","type":"\#(type)","timestamp":"2024-01-01T12:00:00Z","payload":{"a":1}}"#
    }

    @Test func `there is no handshake, and a service keeps no messages for clients`() {
        var end = MachineEnd(EnvelopeSession(role: .service, envelope()))
        end.start()
        guard case .established(let establishment)? = end.actions.first else { return #expect(Bool(false), "not established") }
        #expect(!establishment.delivers)
        #expect(end.takeAll() == [])
        #expect(EnvelopeSession.refusal(.peerRefused) == [])
    }

    @Test func `a handler that answers nothing acknowledges`() {
        var service = MachineEnd.envelope(.service)
        service.hear(request())
        #expect(service.requests == [RecordedRequest(call: 1, method: "BACKUP_PROGRESS", codec: .json, payload: Array(#"{"a":1}"#.utf8))])
        service.answer(envelope: 1)
        #expect(service.texts() == [acknowledgment(1, of: "1")])
        service.answer(envelope: 1)
        #expect(service.texts() == [])
        #expect(service.envelopeLeftovers == nil)
    }

    @Test func `a handler's own message goes in place of the acknowledgement`() {
        var service = MachineEnd.envelope(.service)
        service.hear(request("1", "AGENT_STARTED"), request("2", "X"))
        service.answer(envelope: 1, #"{"type":"STATUS_UPDATE","payload":{"totalUsers":2}}"#)
        service.answer(envelope: 2, #"{"type":"Y"}"#)
        #expect(
            service.texts() == [
                #"{"id":"\#(ours(1))","type":"STATUS_UPDATE","timestamp":"2024-01-01T12:00:00Z","payload":{"totalUsers":2}}"#,
                #"{"id":"\#(ours(2))","type":"Y","timestamp":"2024-01-01T12:00:00Z"}"#,
            ])
    }

    @Test func `no more is read while as many bytes are in hand as may be`() {
        var service = MachineEnd.envelope(.service) { $0.limits.announced.requestWindow = 10 }
        service.hear(request("1"), request("2"), request("3"))
        #expect(service.requests.count == 2)
        service.answer(envelope: 1)
        service.receive([])
        #expect(service.requests.count == 3)
    }

    @Test(arguments: [
        (Failure(.unknownMethod, "x"), "No handler registered for message type: BACKUP_PROGRESS"), (Failure(.invalidRequest, "x"), "Failed to deserialize payload"),
        (Failure(.internal, "it broke"), "Error handling message: it broke"), (Failure(.forbidden, ""), "Error handling message: forbidden"),
    ])
    func `a failure is a failed acknowledgement in the format's sentences`(failure: Failure, sentence: String) {
        var service = MachineEnd.envelope(.service)
        service.hear(request())
        service.submit(.fail(call: 1, failure))
        #expect(service.texts() == [acknowledgment(1, of: "1", sentence)])
        #expect(service.closed == nil)
    }

    @Test func `a sentence that is too long is cut`() {
        var service = MachineEnd.envelope(.service)
        service.hear(request())
        service.submit(.fail(call: 1, Failure(.internal, String(repeating: "\"é", count: 1 << 20))))
        let text = service.texts().first ?? ""
        #expect(text.utf8.count < 4400)
        #expect(text.hasSuffix(#"é","timestamp":"2024-01-01T12:00:00Z"}}"#) || text.hasSuffix(#"\"","timestamp":"2024-01-01T12:00:00Z"}}"#))
    }

    @Test(arguments: ["{}", "7", "no JSON", #"{"type":7}"#, #"{"type":""}"#, #"{"type":"HEARTBEAT"}"#, #"{"type":"X","payload":nan}"#])
    func `an answer that is no message fails the message it answers`(json: String) {
        var service = MachineEnd.envelope(.service)
        service.hear(request())
        service.answer(envelope: 1, json)
        let texts = service.texts()
        #expect(texts.count == 1)
        #expect(texts.first?.contains(#""success":false,"error":"Error handling message: the answer "#) == true)
    }

    @Test func `an answer that is too long fails the message it answers`() {
        var service = MachineEnd.envelope(.service) { $0.maximumMessage = 16_384 }
        service.hear(request())
        service.answer(envelope: 1, #"{"type":"X","payload":"\#(String(repeating: "x", count: 16_384))"}"#)
        #expect(service.texts().first?.contains("over the limit") == true)
    }

    @Test func `messages that overlap are answered as their handlers end`() {
        var service = MachineEnd.envelope(.service)
        service.hear(request("a"), request("b"), request("c"))
        service.answer(envelope: 2)
        service.answer(envelope: 3)
        service.answer(envelope: 1)
        #expect(service.texts() == [acknowledgment(1, of: "b"), acknowledgment(2, of: "c"), acknowledgment(3, of: "a")])
    }

    @Test func `no more is read while too many messages are in hand`() {
        var service = MachineEnd.envelope(.service) { $0.limits.announced.callsInFlight = 2 }
        service.hear(request("a"), request("b"), request("c"))
        #expect(service.requests.count == 2)
        #expect(!service.session.wantsInput)
        service.answer(envelope: 1)
        service.receive([])
        #expect(service.requests.count == 3)
    }

    // MARK: Twice

    @Test func `a message that comes again is answered again and not handed on again`() {
        var service = MachineEnd.envelope(.service)
        service.hear(request(guid(1)), request(guid(2)))
        service.answer(envelope: 1)
        service.submit(.fail(call: 2, Failure(.internal, "no")))
        _ = service.texts()
        service.hear(request(guid(1).uppercased()), request(guid(2)))
        #expect(service.requests.count == 2)
        #expect(service.texts() == [acknowledgment(3, of: guid(1).uppercased()), acknowledgment(4, of: guid(2), "Error handling message: no")])
    }

    @Test func `ids that are no GUIDs may be used by anybody, and again`() {
        var service = MachineEnd.envelope(.service)
        service.hear(request("1"), request("1"))
        #expect(service.requests.count == 2)
    }

    @Test func `a message that comes again on another connection is answered when its handler is done`() {
        let shared = SharedMemory()
        var first = MachineEnd.envelope(.service) { $0.memory = shared }
        var second = MachineEnd.envelope(.service) { $0.memory = shared }
        first.hear(request(guid(1)))
        first.inputEnded()
        #expect(first.actions.stops == 0)
        second.hear(request(guid(1)))
        #expect(second.requests.isEmpty)
        second.pass(.milliseconds(100))
        #expect(second.texts() == [])
        first.answer(envelope: 1)
        #expect(first.texts() == [])
        second.pass(.milliseconds(99))
        #expect(second.texts() == [])
        second.pass(.milliseconds(1))
        #expect(second.texts() == [acknowledgment(1, of: guid(1))])
        #expect(second.envelopeLeftovers == nil)
        #expect(second.session.wakeUp == WakeUp())
    }

    // MARK: Leaving

    @Test func `a service that leaves answers what it has and begins nothing more`() {
        var service = MachineEnd.envelope(.service)
        service.hear(request("1"))
        service.submit(.farewell(Failure(.shuttingDown, "stop")))
        service.hear(request("2"))
        #expect(service.requests.count == 1)
        #expect(service.closed == nil)
        service.answer(envelope: 1)
        #expect(service.closed?.failure.code == .shuttingDown)
        #expect(service.texts() == [acknowledgment(1, of: "1")])
    }

    @Test func `a peer that sends and does not read is closed`() {
        var service = MachineEnd.envelope(.service) { $0.limits.controlBytes = 10_000 }
        for _ in 0..<100 { service.hear(#"{"type":"HEARTBEAT"}"#) }
        #expect(service.closed?.failure.code == .slowReader)
        #expect(service.takeAll() == [])
    }
}

/// As connections of one service share it, on one thread.
final class SharedMemory: EnvelopeRecall, @unchecked Sendable {  // protected by being used from one thread only
    private var memory = EnvelopeMemory()

    func took(_ id: Identity) -> EnvelopeMemory.Finding { memory.took(id) }
    func answered(_ id: Identity, _ answer: EnvelopeMemory.Answer) { memory.answered(id, answer) }
    func forgot(_ id: Identity) { memory.forgot(id) }
    func finding(_ id: Identity) -> EnvelopeMemory.Finding { memory.finding(id) }
}
