// How much may be in hand: for one user over all its connections, and for two sides that wait for each other.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeRoomTests {
    private func request(_ id: String, _ payload: String = "1") -> String { #"{"id":"\#(id)","type":"X","payload":\#(payload)}"# }

    // MARK: One user

    @Test func `requests count for their user until they are answered, also when their connection has gone`() {
        let user = OneUser(limit: 3 * (RequestAccounts.overhead + 1))
        var gone: [MachineEnd] = []
        for number in 1...3 {
            var service = MachineEnd.envelope(.service) { $0.requests = user }
            service.hear(request(guid(number)))
            service.inputEnded()
            #expect(service.requests.count == 1)
            gone.append(service)
        }
        let memory = SharedMemory()
        func connect() -> MachineEnd {
            MachineEnd.envelope(.service) {
                $0.requests = user
                $0.memory = memory
            }
        }
        var refused = connect()
        refused.hear(#"{"id":"h","type":"HEARTBEAT"}"#, request(guid(4)), request(guid(5)))
        #expect(refused.requests.isEmpty)
        #expect(refused.closed?.by == .us && refused.closed?.failure.code == .resourceExhausted)
        #expect(refused.closed?.failure.sentence.hasSuffix("(connections.requestBytesPerUser)") == true)
        gone[1].answer(envelope: 1)
        gone[1].answer(envelope: 1)
        // It was not begun, so it is new when it comes again.
        var served = connect()
        served.hear(request(guid(4)))
        #expect(served.requests.count == 1)
        served.submit(.fail(call: 1, Failure(.internal, "no")))
        #expect(served.texts().count == 1)
        served.hear(request(guid(5)), request(guid(4)))
        #expect(served.requests.count == 2 && served.closed == nil)
    }

    @Test func `what comes again counts once`() {
        let user = OneUser(limit: RequestAccounts.overhead + 1)
        var service = MachineEnd.envelope(.service) { $0.requests = user }
        service.hear(request(guid(1)), request(guid(1)))
        #expect(service.requests.count == 1 && service.closed == nil)
        service.answer(envelope: 1)
        service.hear(request(guid(1)))
        service.pass(.milliseconds(100))
        #expect(service.texts().count == 3)
        #expect(user.accounts.total(OneUser.owner) == 0)
    }

    @Test func `a session that is over keeps nothing of what it had not read`() {
        var service = MachineEnd.envelope(.service) { $0.limits.announced.callsInFlight = 1 }
        service.hear(request("1"), request("2"))
        #expect(service.session.hasCarriedInput)
        service.submit(.close(Failure(.shuttingDown, "")))
        #expect(!service.session.hasCarriedInput)
        service.answer(envelope: 1)
    }

    // MARK: Two sides

    @Test func `two handlers that call each other go on, though the service serves one call at a time`() {
        let machine = { (role: Role) in
            EnvelopeSession(
                role: role,
                envelope {
                    $0.ids = Identity(high: role == .client ? 1 : 2, low: 0)
                    $0.limits.announced.callsInFlight = role == .client ? 2 : 1
                    $0.received = ["X"]
                })
        }
        var pair = MachinePair(client: MachineEnd(machine(.client)), service: MachineEnd(machine(.service)))
        pair.connect()
        let outer = pair.client.callEnvelope("OUTER")
        pair.settle()
        // The handler of the call calls the client, whose handler calls the service.
        let asked = pair.service.callEnvelope("X")
        pair.settle()
        #expect(pair.client.actions.contains { if case .message = $0 { true } else { false } })
        let inner = pair.client.callEnvelope("INNER")
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["OUTER", "INNER"])
        pair.service.answer(envelope: 2)
        pair.settle()
        #expect(inner.reply == [])
        pair.client.submit(.acknowledge(id: 1, code: nil))
        pair.settle()
        #expect(asked.reply == [])
        pair.service.answer(envelope: 1)
        pair.settle()
        #expect(outer.reply == [])
        #expect(pair.client.envelopeLeftovers == nil && pair.service.envelopeLeftovers == nil)
    }

    @Test func `an answer is read behind twice as many messages as there is room for, and none is refused`() {
        var service = MachineEnd.envelope(.service) { $0.limits.announced.callsInFlight = 1 }
        service.hear(request(guid(1)))
        service.submit(.ping(1))
        #expect(!service.session.wantsInput)
        let call = service.callEnvelope("X")
        _ = service.texts()
        #expect(service.session.wantsInput)
        service.hear(request(guid(2)), request(guid(3)))
        // The third stays unread, and whoever keeps it is told nothing.
        #expect(service.requests.count == 2 && service.texts().isEmpty && !service.session.wantsInput && service.session.hasCarriedInput)
        service.answer(envelope: 1)
        service.receive([])
        #expect(service.requests.count == 3 && call.reply == nil)
        service.answer(envelope: 2)
        service.hearAcknowledgment(of: ours(2))
        #expect(call.reply == [] && !service.session.wantsInput)
        service.answer(envelope: 3)
        #expect(service.session.wantsInput && service.closed == nil)
    }

    @Test func `a call that was given up makes no room`() {
        var client = MachineEnd.envelope(.client) {
            $0.limits.announced.callsInFlight = 1
            $0.received = ["X"]
            $0.answers = ["OUTER": ["X"]]
        }
        let call = client.callEnvelope("OUTER")
        _ = client.texts()
        client.submit(.abandon(call, Failure(.cancelled, "")))
        client.hear(#"{"id":"a","type":"HEARTBEAT"}"#)
        // The first one takes the place of its answer, the second one is in hand.
        client.hear(request(guid(1)))
        client.hear(request(guid(2)))
        #expect(!client.session.wantsInput)
    }

    @Test func `bytes in hand have twice the room too while an answer is waited for`() {
        var service = MachineEnd.envelope(.service) { $0.limits.announced.requestWindow = 10 }
        service.callEnvelope("X")
        let long = "\"\(String(repeating: "x", count: 8))\""
        service.hear(request("1", long), request("2", long), request("3", long))
        #expect(service.requests.count == 2 && service.session.hasCarriedInput)
    }

    @Test func `limits without end do no harm`() {
        var service = MachineEnd.envelope(.service) {
            $0.limits.announced.callsInFlight = .max
            $0.limits.announced.requestWindow = .max
        }
        service.callEnvelope("X")
        service.hear(request("1"))
        #expect(service.requests.count == 1)
    }
}

/// The account of one user, on one thread.
private final class OneUser: RequestBudget, @unchecked Sendable {  // protected by being used from one thread only
    static let owner = OutputOwner(PeerIdentity(user: 1000))
    private(set) var accounts: RequestAccounts

    init(limit: Int) { accounts = RequestAccounts(limit: limit) }

    func begin(_ bytes: Int) -> Failure? { accounts.begin(bytes, of: Self.owner) }
    func end(_ bytes: Int) { accounts.end(bytes, of: Self.owner) }
}
