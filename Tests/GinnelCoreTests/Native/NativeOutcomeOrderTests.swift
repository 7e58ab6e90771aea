import GinnelTesting
import Testing

@testable import GinnelCore

/// Whatever races, a call ends exactly once, and with what came first.
@Suite struct NativeOutcomeOrderTests {
    enum Race: CaseIterable { case reply, deadline, cancel, disconnect }

    static let orders: [[Race]] = arrangements(of: Race.allCases).filter { !$0.isEmpty }

    private static func arrangements(of races: [Race]) -> [[Race]] {
        [[]] + races.flatMap { first in arrangements(of: races.filter { $0 != first }).map { [first] + $0 } }
    }

    @Test func `there are sixty-four orders`() { #expect(Set(Self.orders).count == 64) }

    @Test(arguments: orders)
    func `a caller has exactly one outcome in every order`(order: [Race]) {
        var client = MachineEnd.openClient(welcome: HandGreeting.welcome.with(5, 1))
        let call = client.call("m", within: .seconds(1))
        let waiting = client.call("next")
        _ = client.takeAll()
        var connected = true
        for race in order {
            switch race {
            case .reply: client.receive(.response(1, [7]))
            case .deadline:
                client.now = client.now.advanced(by: .seconds(1))
                client.timeOut()
            case .cancel: client.submit(.abandon(call, Failure(.cancelled, "")))
            case .disconnect:
                client.inputEnded()
                connected = false
            }
        }
        #expect(call.outcomes.count == 1)
        #expect(call.callNumber == 0)
        switch order[0] {
        case .reply: #expect(call.reply == [7])
        case .deadline: #expect(call.failure?.code == .deadlineExceeded)
        case .cancel: #expect(call.failure?.code == .cancelled)
        case .disconnect: #expect(call.failure?.code == .connectionLost)
        }
        if connected {
            client.receive(.failure(1, .cancelled))
            #expect(call.outcomes.count == 1)
            #expect(waiting.callNumber == 3)
            _ = client.takeAll()
            client.receive(.response(3))
            #expect(client.leftovers == [])
        } else {
            #expect(waiting.outcomes.count == 1)
            #expect(client.native?.outgoing.count == 0)
        }
    }

    @Test(arguments: orders)
    func `a callee sends exactly one final frame in every order`(order: [Race]) {
        var service = MachineEnd.openService { $0.limits.announced.callsInFlight = 1 }
        service.receive(.request(1, timeLeft: 1_000_000_000))
        service.takeActions()
        for race in order {
            switch race {
            case .reply: service.submit(.reply(call: 1, codec: .raw, payload: [7]))
            case .deadline:
                service.now = service.now.advanced(by: .seconds(1))
                service.timeOut()
            case .cancel: service.receive(.cancel(1))
            case .disconnect: service.inputEnded()
            }
        }
        let disconnected = order.firstIndex(of: .disconnect)
        service.submit(.reply(call: 1, codec: .raw, payload: [8]))
        let finals = service.frames()
        let stops = service.actions.filter { if case .cancel = $0 { true } else { false } }

        if order[0] == .reply {
            #expect(stops == [])
        } else {
            #expect(stops.count == 1)
        }
        let replied = order.firstIndex(of: .reply) ?? order.count
        if let disconnected, disconnected < replied {
            #expect(finals == [])
        } else if disconnected == nil {
            #expect(finals.count == 1)
            let first = order[0]
            #expect(finals.first?.kind == (first == .reply ? WireFrame.Kind.response : WireFrame.Kind.failure))
            if first == .deadline { #expect(finals.first?.failureCode == FailureCode.deadlineExceeded.rawValue) }
            if first == .cancel { #expect(finals.first?.failureCode == FailureCode.cancelled.rawValue) }
            service.takeActions()
            service.receive(.request(3))
            #expect(service.requests.count == 1)
        }
        #expect(service.native?.incoming[1] == nil)
    }

    @Test(arguments: orders)
    func `the same with a handler that fails`(order: [Race]) {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        let call = pair.client.call("m", within: .seconds(1))
        pair.settle()
        for race in order {
            switch race {
            case .reply: pair.service.submit(.fail(call: 1, Failure(.forbidden, "no")))
            case .deadline: pair.advance(by: .seconds(1))
            case .cancel: pair.client.submit(.abandon(call, Failure(.cancelled, "")))
            case .disconnect: pair.cut()
            }
            pair.settle()
        }
        pair.service.submit(.fail(call: 1, Failure(.internal, "")))
        pair.settle()
        #expect(call.outcomes.count == 1)
        let expected: [Race: FailureCode] = [.reply: .forbidden, .deadline: .deadlineExceeded, .cancel: .cancelled, .disconnect: .connectionLost]
        #expect(call.failure?.code == expected[order[0]])
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
    }
}
