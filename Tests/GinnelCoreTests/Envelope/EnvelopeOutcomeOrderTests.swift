import GinnelTesting
import Testing

@testable import GinnelCore

/// Whatever races, a call ends exactly once, and with what came first.
@Suite struct EnvelopeOutcomeOrderTests {
    enum Answer: CaseIterable { case acknowledged, failed, message }

    @Test(arguments: NativeOutcomeOrderTests.orders, Answer.allCases)
    func `a caller has exactly one outcome in every order`(order: [NativeOutcomeOrderTests.Race], answer: Answer) {
        var client = MachineEnd.envelope(.client)
        let call = client.callEnvelope("AGENT_STARTED", within: .seconds(1))
        let waiting = client.callEnvelope("AGENT_STARTED")
        _ = client.takeAll()
        for race in order {
            switch race {
            case .reply:
                switch answer {
                case .acknowledged: client.hearAcknowledgment(of: ours(1))
                case .failed: client.hearAcknowledgment(of: ours(1), #""success":false,"error":"no""#)
                case .message: client.hear(#"{"type":"STATUS_UPDATE"}"#)
                }
            case .deadline: client.pass(.seconds(1))
            case .cancel: client.submit(.abandon(call, Failure(.cancelled, "")))
            case .disconnect: client.inputEnded()
            }
        }
        #expect(call.outcomes.count == 1)
        #expect(call.lateEvents == 0)
        #expect(call.callNumber == 0)
        switch (order[0], answer) {
        case (.reply, .acknowledged): #expect(call.reply == [])
        case (.reply, .failed): #expect(call.failure?.sentence == "no")
        case (.reply, .message): #expect(call.replyText?.contains("STATUS_UPDATE") == true)
        case (.deadline, _): #expect(call.failure?.code == .deadlineExceeded)
        case (.cancel, _): #expect(call.failure?.code == .cancelled)
        case (.disconnect, _): #expect(call.failure?.code == .connectionLost)
        }
        if order.contains(.disconnect) {
            #expect(waiting.outcomes.count == 1)
        } else {
            // The next one is sent when the first was answered, be anybody there to hear it or not.
            #expect(client.texts().count == (order.contains(.reply) ? 1 : 0))
            #expect(waiting.outcomes.isEmpty)
        }
    }

    @Test(arguments: NativeOutcomeOrderTests.orders.filter { !$0.contains(.deadline) })
    func `a callee answers exactly once in every order`(order: [NativeOutcomeOrderTests.Race]) {
        var service = MachineEnd.envelope(.service)
        service.hear(#"{"id":"\#(guid(1))","type":"X"}"#)
        for race in order {
            switch race {
            case .reply: service.answer(envelope: 1)
            case .cancel: service.hear(#"{"id":"\#(guid(1))","type":"X"}"#)
            case .disconnect: service.inputEnded()
            case .deadline: break
            }
        }
        service.answer(envelope: 1)
        service.submit(.fail(call: 1, Failure(.internal, "late")))
        service.pass(.seconds(1))
        #expect(service.requests.count == 1)
        #expect(service.actions.stops == 0)
        let texts = service.texts()
        if order.contains(.disconnect) {
            #expect(texts.isEmpty)
        } else {
            // Once for each time that it was asked.
            #expect(texts.count == (order.contains(.cancel) ? 2 : 1))
            #expect(texts.allSatisfy { $0.contains(guid(1)) && $0.contains(#""success":true"#) })
        }
        #expect(service.envelopeLeftovers == nil)
    }

    @Test(arguments: NativeOutcomeOrderTests.orders)
    func `the same between two machines`(order: [NativeOutcomeOrderTests.Race]) {
        let machine = { (role: Role) in EnvelopeSession(role: role, envelope { $0.ids = Identity(high: role == .client ? 1 : 2, low: 0) }) }
        var pair = MachinePair(client: MachineEnd(machine(.client)), service: MachineEnd(machine(.service)))
        pair.connect()
        let call = pair.client.callEnvelope("DELAY_REQUEST", within: .seconds(1))
        pair.settle()
        for race in order {
            switch race {
            case .reply: pair.service.answer(envelope: 1, #"{"type":"ESCALATION_NOTICE"}"#)
            case .deadline: pair.advance(by: .seconds(1))
            case .cancel: pair.client.submit(.abandon(call, Failure(.cancelled, "")))
            case .disconnect: pair.cut()
            }
            pair.settle()
        }
        pair.service.submit(.fail(call: 1, Failure(.internal, "")))
        pair.settle()
        #expect(call.outcomes.count == 1)
        #expect(call.lateEvents == 0)
        let expected: [NativeOutcomeOrderTests.Race: FailureCode] = [.deadline: .deadlineExceeded, .cancel: .cancelled, .disconnect: .connectionLost]
        #expect(call.failure?.code == expected[order[0]])
        #expect(pair.client.envelopeLeftovers == nil)
        #expect(pair.service.envelopeLeftovers == nil)
    }
}
