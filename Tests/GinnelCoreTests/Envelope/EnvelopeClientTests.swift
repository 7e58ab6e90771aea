// The client's half: what ends a call, what an outbox is told, and what is neither.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeClientTests {
    @Test func `a call ends with the acknowledgement that names it, in any order`() {
        var client = MachineEnd.envelope(.client)
        let first = client.callEnvelope("BACKUP_STARTED")
        let second = client.callEnvelope("USER_ACTION")
        #expect(client.texts().count == 2)
        client.hearAcknowledgment(of: ours(2))
        #expect(second.reply == [])
        #expect(!first.hasEnded)
        client.hearAcknowledgment(of: ours(1))
        #expect(first.reply == [])
        #expect(client.envelopeLeftovers == nil)
    }

    @Test(arguments: [
        (#""success":false,"error":"Error handling message: no""#, FailureCode(rawValue: 1000), "Error handling message: no"),
        (#""success":false,"error":"No handler registered for message type: X""#, .unknownMethod, "No handler registered for message type: X"),
        (#""success":false,"error":"Failed to deserialize payload""#, .invalidRequest, "Failed to deserialize payload"),
        (#""success":false"#, FailureCode(rawValue: 1000), "the other side gave no reason"),
        (#""success":null"#, FailureCode(rawValue: 1000), "the other side gave no reason"), (#""error":null"#, FailureCode(rawValue: 1000), "the other side gave no reason"),
    ])
    func `a failed acknowledgement fails the call with its sentence`(rest: String, code: FailureCode, sentence: String) {
        var client = MachineEnd.envelope(.client)
        let call = client.callEnvelope("BACKUP_STARTED")
        client.hearAcknowledgment(of: ours(1), rest)
        #expect(call.failure == Failure(code, sentence))
    }

    @Test func `an acknowledgement that nobody waits for is ignored`() {
        var client = MachineEnd.envelope(.client)
        client.hearAcknowledgment(of: "nobody")
        client.hearAcknowledgment(of: ours(1), #""success":false,"error":"x""#)
        #expect(client.actions == [])
        #expect(client.texts() == [])
        #expect(client.closed == nil)
    }

    @Test func `a call that may be answered by a message of its own ends with the first that comes`() {
        var client = MachineEnd.envelope(.client)
        let call = client.callEnvelope("AGENT_STARTED")
        client.hear(#"{"id":"1","type":"ESCALATION_NOTICE","payload":{"reason":"timeout"}}"#)
        #expect(!call.hasEnded)
        let text = #"{"id":"2","type":"STATUS_UPDATE","timestamp":"2024-01-01T12:00:00Z","payload":{"totalUsers":1}}"#
        client.hear(text, text)
        #expect(call.replyText == text)
        #expect(
            client.actions == [
                .event(name: "ESCALATION_NOTICE", codec: .json, payload: Array(#"{"reason":"timeout"}"#.utf8), missed: 0),
                .replied("AGENT_STARTED", codec: .json, payload: Array(text.utf8)),
                .event(name: "STATUS_UPDATE", codec: .json, payload: Array(#"{"totalUsers":1}"#.utf8), missed: 0),
            ])
    }

    @Test func `one such call is under way at a time, and others do not overtake it`() {
        var client = MachineEnd.envelope(.client)
        let first = client.callEnvelope("AGENT_STARTED")
        let plain = client.callEnvelope("BACKUP_STARTED")
        let second = client.callEnvelope("DELAY_REQUEST")
        let last = client.callEnvelope("USER_ACTION")
        #expect(client.texts().count == 2)
        client.hearAcknowledgment(of: ours(2))
        #expect(plain.hasEnded)
        client.hear(#"{"type":"BACKUP_REQUEST"}"#)
        #expect(first.hasEnded)
        #expect(client.texts().count == 2)
        client.hear(#"{"type":"BACKUP_REQUEST"}"#)
        #expect(second.hasEnded)
        client.hearAcknowledgment(of: ours(4))
        #expect(last.hasEnded)
        #expect(client.envelopeLeftovers == nil)
    }

    @Test func `a call that waited behind one that was given up before it began goes on`() {
        var client = MachineEnd.envelope(.client)
        client.callEnvelope("AGENT_STARTED")
        let second = client.callEnvelope("DELAY_REQUEST")
        client.callEnvelope("USER_ACTION")
        #expect(client.texts().count == 1)
        client.submit(.abandon(second, Failure(.cancelled, "no")))
        #expect(second.failure?.code == .cancelled)
        #expect(client.texts().map { $0.contains("USER_ACTION") } == [true])
    }

    @Test func `a client that takes no calls itself can make one`() {
        var client = MachineEnd.envelope(.client) { $0.limits.announced.callsInFlight = 0 }
        client.callEnvelope("USER_ACTION")
        #expect(client.texts().count == 1)
    }

    @Test func `what a client had in hand when its connection ended is handed on when it comes again`() {
        let memory = SharedMemory()
        let text = #"{"id":"\#(guid(1))","type":"X","payload":1}"#
        for _ in 1...2 {
            var client = MachineEnd.envelope(.client) {
                $0.received = ["X"]
                $0.memory = memory
            }
            client.hear(text, text)
            #expect(client.actions.count { if case .message = $0 { true } else { false } } == 1)
            client.inputEnded()
        }
    }

    @Test func `such a call that was given up keeps its place until it is answered, and the answer becomes an event`() {
        var client = MachineEnd.envelope(.client)
        let first = client.callEnvelope("AGENT_STARTED", within: .seconds(1))
        let second = client.callEnvelope("DELAY_REQUEST")
        _ = client.texts()
        client.pass(.seconds(1))
        #expect(first.failure?.code == .deadlineExceeded)
        #expect(client.texts() == [])
        client.takeActions()
        client.hear(#"{"type":"BACKUP_REQUEST","payload":1}"#)
        #expect(client.actions == [.event(name: "BACKUP_REQUEST", codec: .json, payload: [0x31], missed: 0)])
        #expect(client.texts().count == 1)
        client.hear(#"{"type":"BACKUP_REQUEST","payload":2}"#)
        #expect(second.replyText?.contains("2") == true)
    }

    @Test func `a call that was given up before it left is not sent`() {
        var client = MachineEnd.envelope(.client)
        let first = client.callEnvelope("AGENT_STARTED")
        client.submit(.abandon(first, Failure(.cancelled, "")))
        let second = client.callEnvelope("AGENT_STARTED")
        #expect(client.texts().map { $0.contains(ours(2)) } == [true])
        client.hear(#"{"type":"STATUS_UPDATE"}"#)
        #expect(second.hasEnded)
        #expect(first.outcomes.count == 1)
    }

    // MARK: The outbox

    @Test func `a message of the outbox goes out under its own id and is acknowledged`() {
        var client = MachineEnd.envelope(.client)
        #expect(client.send(7, "BACKUP_PROGRESS", #"{"progress":1}"#) == .taken(mayCarryOn: true))
        #expect(client.texts() == [#"{"id":"\#(kept(7))","type":"BACKUP_PROGRESS","timestamp":"2024-01-01T12:00:00Z","payload":{"progress":1}}"#])
        client.hearAcknowledgment(of: kept(7))
        #expect(client.actions == [.acknowledged([Acknowledgement(id: 7)])])
        var again = MachineEnd.envelope(.client)
        again.send(7, "BACKUP_PROGRESS", #"{"progress":1}"#)
        #expect(again.texts().first?.contains(kept(7)) == true)
    }

    @Test func `a message that the service refuses is told as refused`() {
        var client = MachineEnd.envelope(.client)
        client.send(1, "X")
        client.hearAcknowledgment(of: kept(1), #""success":false,"error":"No handler registered for message type: X""#)
        #expect(client.actions == [.acknowledged([Acknowledgement(id: 1, refusal: .unknownMethod)])])
    }

    @Test func `sixty-four messages are under way, and room is told`() {
        var client = MachineEnd.envelope(.client)
        for id in 1...64 { #expect(client.send(UInt64(id), "X") == .taken(mayCarryOn: true)) }
        #expect(client.send(65, "X") == .noCredit)
        client.hearAcknowledgment(of: kept(9))
        #expect(client.takeActions().last == .messagesMayCarryOn)
        #expect(client.send(65, "X") == .taken(mayCarryOn: true))
        client.hearAcknowledgment(of: kept(8))
        #expect(client.actions == [.acknowledged([Acknowledgement(id: 8)])])
    }

    @Test func `bytes under way are limited, but for one message alone`() {
        var client = MachineEnd.envelope(.client) { $0.limits.announced.deliveryWindow = 100 }
        let long = "\"\(String(repeating: "x", count: 200))\""
        #expect(client.send(1, "X", long) == .taken(mayCarryOn: true))
        #expect(client.send(2, "X", "1") == .noCredit)
        client.hearAcknowledgment(of: kept(1))
        #expect(client.send(2, "X", "1") == .taken(mayCarryOn: true))
    }

    @Test func `a message that is answered by a message was taken, and the answer is an event`() {
        var client = MachineEnd.envelope(.client)
        client.send(1, "AGENT_STARTED")
        #expect(client.send(2, "DELAY_REQUEST") == .noCredit)
        let call = client.callEnvelope("AGENT_STARTED")
        client.hear(#"{"type":"STATUS_UPDATE"}"#)
        #expect(client.actions == [.acknowledged([Acknowledgement(id: 1)]), .messagesMayCarryOn, .event(name: "STATUS_UPDATE", codec: .json, payload: [], missed: 0)])
        #expect(client.send(2, "DELAY_REQUEST") == .noCredit)
        client.hear(#"{"type":"STATUS_UPDATE"}"#)
        #expect(call.hasEnded)
    }

    @Test func `a message that can never be sent does not hold up the others`() {
        var client = MachineEnd.envelope(.client)
        #expect(client.send(1, "X", "no JSON") == .taken(mayCarryOn: true))
        #expect(client.takeActions() == [.acknowledged([Acknowledgement(id: 1, refusal: .invalidRequest)])])
        #expect(client.send(2, "X", "\"\(String(repeating: "x", count: 1 << 20))\"") == .tooLarge(limit: (1 << 20) - 1658))
        #expect(client.texts() == [])
    }

    // MARK: What is pushed

    @Test func `what the program receives is acknowledged when it has dealt with it, and handed on once`() {
        var client = MachineEnd.envelope(.client) { $0.received = ["SHUTDOWN_REQUEST"] }
        let text = #"{"id":"\#(guid(1))","type":"SHUTDOWN_REQUEST","payload":{"reason":"r"}}"#
        client.hear(text)
        #expect(client.actions == [.message(OutgoingDelivery(id: 1, floor: 1, name: "SHUTDOWN_REQUEST", codec: .json, payload: Array(#"{"reason":"r"}"#.utf8)))])
        #expect(client.texts() == [])
        client.submit(.acknowledge(id: 1, code: nil))
        #expect(client.texts() == [acknowledgment(1, of: guid(1))])
        client.hear(text)
        #expect(client.actions.count == 1)
        #expect(client.texts() == [acknowledgment(2, of: guid(1))])
        #expect(client.submit(.acknowledge(id: 1, code: nil)) == .ended)
    }

    @Test func `what nobody receives is refused in the format's words`() {
        var client = MachineEnd.envelope(.client) { $0.received = ["X"] }
        client.hear(#"{"id":"1","type":"X"}"#)
        client.submit(.acknowledge(id: 1, code: .unknownMethod))
        #expect(client.texts() == [acknowledgment(1, of: "1", "No handler registered for message type: X")])
    }

    @Test func `one-way messages of both sides are no calls, and the oldest are dropped for a slow reader`() {
        for role in [Role.client, .service] {
            var end = MachineEnd.envelope(role) { $0.limits.eventBytes = 300 }
            for number in 0..<5 { #expect(end.submit(.event(name: "E", codec: .json, payload: Array("\(number)".utf8), lane: .normal)) != .ended) }
            let texts = end.texts()
            #expect(texts.map { $0.suffix(2) } == ["3}", "4}"])
            #expect(end.submit(.event(name: "HEARTBEAT", codec: .json, payload: [], lane: .normal)) == .ended)
            #expect(end.submit(.event(name: "E", codec: .json, payload: Array("nan".utf8), lane: .normal)) == .ended)
            #expect(end.envelopeLeftovers == nil)
            // Nothing but this message has ended.
            #expect(end.closed == nil && end.submit(.event(name: "E", codec: .json, payload: [], lane: .normal)) != .ended)
            #expect(end.texts().count == 1)
        }
    }

    @Test func `a service calls its client too`() {
        var service = MachineEnd.envelope(.service)
        let call = service.callEnvelope("CONFIGURATION_UPDATE")
        #expect(service.texts().count == 1)
        service.hearAcknowledgment(of: ours(1))
        #expect(call.reply == [])
        #expect(service.send(1, "X") == .ended)
    }

    @Test func `what the format cannot express fails at once`() {
        var client = MachineEnd.envelope(.client)
        #expect(client.call("X", [], itemsFollow: true).failure?.code == .invalidRequest)
        #expect(client.callEnvelope("ACKNOWLEDGMENT").failure?.code == .invalidRequest)
        #expect(client.callEnvelope("").failure?.code == .invalidRequest)
        #expect(client.callEnvelope("X", "{").failure?.code == .invalidRequest)
        #expect(client.callEnvelope("X", "\"\(String(repeating: "x", count: 1 << 20))\"").failure?.code == .tooLarge)
        #expect(client.texts() == [])
        #expect(client.envelopeLeftovers == nil)
    }
}
