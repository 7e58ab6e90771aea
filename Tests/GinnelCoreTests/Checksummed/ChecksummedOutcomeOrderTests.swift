import GinnelTesting
import Testing

@testable import GinnelCore

/// Whatever races, a call ends exactly once, and with what came first; a late reply is not taken for the next call's.
@Suite struct ChecksummedOutcomeOrderTests {
    @Test(arguments: NativeOutcomeOrderTests.orders)
    func `a caller has exactly one outcome in every order`(order: [NativeOutcomeOrderTests.Race]) {
        var client = MachineEnd.checksummed(.client)
        let call = client.ask(task: "first", within: .seconds(1))
        let waiting = client.ask(task: "second")
        _ = client.takeAll()
        for race in order {
            switch race {
            case .reply: client.hear(frame: "7")
            case .deadline: client.elapse(.seconds(1))
            case .cancel: client.submit(.abandon(call, Failure(.cancelled, "")))
            case .disconnect: client.inputEnded()
            }
        }
        #expect(call.outcomes.count == 1)
        #expect(call.lateEvents == 0)
        #expect(call.callNumber == 0)
        switch order[0] {
        case .reply: #expect(call.reply == Array("7".utf8))
        case .deadline: #expect(call.failure?.code == .deadlineExceeded)
        case .cancel: #expect(call.failure?.code == .cancelled)
        case .disconnect: #expect(call.failure?.code == .connectionLost)
        }
        if order.contains(.disconnect) {
            #expect(waiting.failure?.code == .unavailable)
            return
        }
        if !order.contains(.reply) {
            #expect(client.takeAll().isEmpty)
            client.hear(frame: "late")
        }
        #expect(client.takeAll() == ChecksummedFrame.encoded(Array("second".utf8)))
        client.hear(frame: "8")
        #expect(waiting.reply == Array("8".utf8))
    }

    @Test(arguments: NativeOutcomeOrderTests.orders)
    func `a service sends at most one reply in every order`(order: [NativeOutcomeOrderTests.Race]) {
        var service = MachineEnd.checksummed(.service) {
            $0.handlerTimeout = .seconds(1)
            $0.failureEncoder = saidFailure
        }
        service.hear(frame: "t")
        for race in order {
            switch race {
            case .reply: service.answer(task: "7", of: 1)
            case .deadline: service.elapse(.seconds(1))
            case .cancel: service.submit(.fail(call: 1, Failure(.cancelled, "no")))
            case .disconnect: service.inputEnded()
            }
        }
        let said = service.takeAll()
        switch order[0] {
        case .reply: #expect(said == ChecksummedFrame.encoded(Array("7".utf8)))
        case .deadline: #expect(said == ChecksummedFrame.encoded(Array("t: the request was not answered within 1.0 seconds".utf8)))
        case .cancel: #expect(said == ChecksummedFrame.encoded(Array("t: no".utf8)))
        case .disconnect: #expect(said.isEmpty)
        }
        #expect(service.session.machine.heldBytes == 0)
    }
}
