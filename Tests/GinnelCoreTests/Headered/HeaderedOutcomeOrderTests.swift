import GinnelTesting
import Testing

@testable import GinnelCore

/// Whatever races, a call ends exactly once, and with what came first.
@Suite struct HeaderedOutcomeOrderTests {
    enum Answer: CaseIterable { case whole, chunk, error }

    @Test(arguments: NativeOutcomeOrderTests.orders, Answer.allCases)
    func `a caller has exactly one outcome in every order`(order: [NativeOutcomeOrderTests.Race], answer: Answer) {
        var client = MachineEnd.headered(.client) { $0.limits.announced.callsInFlight = 1 }
        let call = client.ask(within: .seconds(1))
        let waiting = client.ask()
        _ = client.takeAll()
        for race in order {
            switch race {
            case .reply:
                switch answer {
                case .whole: client.hear(HeaderedFrame(Headers.askResponse, id: 1, json: "7"))
                case .chunk: client.hear(.chunk(1, 0, "7"), .chunk(1, 1, #"{"Text":""}"#, isFinal: true))
                case .error: client.hear(.error(1, 5, "no"))
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
        case (.reply, .whole): #expect(call.replyText == "7")
        case (.reply, .chunk): #expect(call.itemTexts == ["7"])
        case (.reply, .error): #expect(call.failure?.code == .forbidden)
        case (.deadline, _): #expect(call.failure?.code == .deadlineExceeded)
        case (.cancel, _): #expect(call.failure?.code == .cancelled)
        case (.disconnect, _): #expect(call.failure?.code == .connectionLost)
        }
        if order.contains(.disconnect) {
            #expect(waiting.outcomes.count == 1)
        } else {
            let isTold = order[0] != .reply
            #expect(client.headeredFrames().map(\.type) == (isTold ? [Headers.cancel, Headers.askRequest] : [Headers.askRequest]))
            client.hear(HeaderedFrame(Headers.askResponse, id: 2, json: "8"))
            #expect(waiting.replyText == "8")
        }
        #expect(client.headeredLeftovers == nil)
    }

    @Test(arguments: NativeOutcomeOrderTests.orders.filter { !$0.contains(.deadline) })
    func `a callee sends exactly one final message in every order`(order: [NativeOutcomeOrderTests.Race]) {
        var service = MachineEnd.headered(.service) { $0.limits.announced.callsInFlight = 1 }
        service.hear(HeaderedFrame(Headers.askRequest, id: 4, json: "{}"))
        service.takeActions()
        for race in order {
            switch race {
            case .reply: service.answer(1, "7")
            case .cancel: service.hear(.cancel(4))
            case .disconnect: service.inputEnded()
            case .deadline: break
            }
        }
        let stops = service.actions.stops
        service.answer(1, "8")
        let finals = service.headeredFrames()
        #expect(stops == (order[0] == .reply ? 0 : 1))
        let replied = order.firstIndex(of: .reply) ?? order.count
        if let disconnected = order.firstIndex(of: .disconnect) {
            if disconnected < replied { #expect(finals == []) }
        } else {
            #expect(finals.map(\.type) == [order[0] == .reply ? Headers.askResponse : Headers.error])
            service.takeActions()
            service.hear(HeaderedFrame(Headers.askRequest, id: 4, json: "{}"))
            #expect(service.requests.count == 1)
        }
    }

    @Test(arguments: NativeOutcomeOrderTests.orders)
    func `the same between two machines, with a stream that is cut short`(order: [NativeOutcomeOrderTests.Race]) {
        let machine = { (role: Role) in HeaderedSession(role: role, headered()) }
        var pair = MachinePair(client: MachineEnd(machine(.client)), service: MachineEnd(machine(.service)))
        pair.connect()
        let call = pair.client.ask("completion_stream", within: .seconds(1))
        pair.settle()
        _ = pair.service.send(item: #"{"Text":"a"}"#, of: 1)
        pair.settle()
        for race in order {
            switch race {
            case .reply: pair.service.submit(.reply(call: 1, codec: .raw, payload: []))
            case .deadline: pair.advance(by: .seconds(1))
            case .cancel: pair.client.submit(.abandon(call, Failure(.cancelled, "")))
            case .disconnect: pair.cut()
            }
            pair.settle()
        }
        pair.service.submit(.fail(call: 1, Failure(.internal, "")))
        pair.settle()
        #expect(call.itemTexts == [#"{"Text":"a"}"#])
        #expect(call.outcomes.count == 1)
        #expect(call.lateEvents == 0)
        let expected: [NativeOutcomeOrderTests.Race: FailureCode] = [.deadline: .deadlineExceeded, .cancel: .cancelled, .disconnect: .connectionLost]
        #expect(call.failure?.code == expected[order[0]])
        #expect(pair.client.headeredLeftovers == nil)
        #expect(pair.service.headeredLeftovers == nil)
    }
}
