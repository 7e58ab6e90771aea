// The service's side: failures in the words of the program's messages, handlers that take too long, ends.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct ChecksummedServiceTests {
    private func frame(_ text: String) -> [UInt8] { ChecksummedFrame.encoded(Array(text.utf8)) }

    @Test func `requests are answered one after the other, in order`() {
        var service = MachineEnd.checksummed(.service)
        service.receive(frame("a") + frame("b"))
        #expect(service.requests.map(\.payload) == [Array("a".utf8)])
        #expect(!service.session.wantsInput)
        service.answer(task: "A", of: 1)
        service.receive([])
        #expect(service.requests.map(\.payload) == [Array("a".utf8), Array("b".utf8)])
        service.answer(task: "B", of: 2)
        #expect(service.takeAll() == frame("A") + frame("B"))
    }

    @Test func `a failure is told by the encoder, and the connection stays`() {
        var service = MachineEnd.checksummed(.service) { $0.failureEncoder = saidFailure }
        service.hear(frame: "t1")
        service.submit(.fail(call: 1, Failure(.internal, "boom")))
        #expect(service.takeAll() == frame("t1: boom"))
        service.hear(frame: "t2")
        #expect(service.requests.count == 2)
    }

    @Test func `a failure for which there are no words ends the connection in silence`() {
        for change in [{ _ in }, { $0.failureEncoder = { _, _ in nil } }] as [ChecksummedChange] {
            var service = MachineEnd.checksummed(.service, change)
            service.hear(frame: "t1")
            service.submit(.fail(call: 1, Failure(.invalidRequest, "no message")))
            #expect(
                service.closed
                    == CloseReason(by: .us, Failure(.invalidRequest, "a request failed, and the checksummed format has no words for that: no message")))
            #expect(service.takeAll().isEmpty)
        }
    }

    @Test func `a handler that takes too long is told to stop, and its caller that it failed`() {
        var service = MachineEnd.checksummed(.service) {
            $0.failureEncoder = saidFailure
            $0.handlerTimeout = .seconds(30)
        }
        service.receive(frame("slow") + frame("next"))
        #expect(service.requests.first?.deadline == service.now.continuous + 30_000_000_000)
        #expect(service.session.wakeUp.delay(from: service.now) == 30_000_000_000)
        service.elapse(.seconds(29))
        #expect(service.takeAll().isEmpty)
        service.takeActions()
        service.elapse(.seconds(1))
        let failure = Failure(.deadlineExceeded, "the request was not answered within 30.0 seconds")
        #expect(service.takeActions() == [.cancel(call: 1, failure)])
        service.answer(task: "too late", of: 1)
        #expect(service.takeAll() == frame("slow: \(failure.sentence)"))
        service.receive([])
        service.answer(task: "NEXT", of: 2)
        #expect(service.takeAll() == frame("NEXT"))
        #expect(service.session.wakeUp == WakeUp())
    }

    @Test func `a handler in time is left alone`() {
        var service = MachineEnd.checksummed(.service) { $0.handlerTimeout = .seconds(30) }
        service.hear(frame: "quick")
        service.answer(task: "QUICK", of: 1)
        service.takeActions()
        service.elapse(.seconds(60))
        #expect(service.takeActions().isEmpty)
        #expect(service.closed == nil)
    }

    @Test func `a client that says nothing is idle, and one that waits for its reply is not`() {
        var service = MachineEnd.checksummed(.service) { $0.timeouts.idle = .seconds(30) }
        service.hear(frame: "x")
        service.elapse(.seconds(100))
        #expect(service.closed == nil)
        service.answer(task: "X", of: 1)
        service.elapse(.seconds(30))
        #expect(service.closed?.failure.code == .idle)
    }

    @Test func `a service that leaves answers the request in hand, and no other`() {
        var service = MachineEnd.checksummed(.service)
        service.receive(frame("a") + frame("b"))
        service.submit(.farewell(Failure(.shuttingDown, "the service is stopping")))
        service.answer(task: "A", of: 1)
        service.receive([])
        #expect(service.takeAll() == frame("A"))
        #expect(service.requests.count == 1)
        #expect(service.closed == CloseReason(by: .us, Failure(.shuttingDown, "the service is stopping")))
    }

    @Test func `a client that goes away stops the handler`() {
        var service = MachineEnd.checksummed(.service)
        service.hear(frame: "a")
        service.inputEnded()
        #expect(service.actions.stops == 1)
        service.answer(task: "A", of: 1)
        #expect(service.takeAll().isEmpty)
    }
}
