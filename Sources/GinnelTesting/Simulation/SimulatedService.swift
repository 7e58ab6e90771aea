// The service: its instance, its inbox, its handlers. A crash leaves nothing of it but what the logic has kept.

import GinnelCore

struct SimulatedService: Sendable {
    /// Which start it is.
    private(set) var instance = 0
    var inbox = Inbox()
    var isUp = true

    var identity: Identity { Identity(high: 0xFFFF, low: UInt64(instance)) }

    mutating func crash() {
        instance += 1
        inbox = Inbox()
        isUp = false
    }
}

extension SimulatedWorld {
    mutating func serve(_ action: RecordedAction, on link: UInt64) {
        switch action {
        case .established(let establishment): accept(establishment.instance, on: link)
        case .message(let message): receive(message, on: link)
        case .request(let request): agenda.add(.reply(link: link, instance: service.instance, call: request.call), after: random.nanoseconds(plan.handling))
        default: break
        }
    }

    private mutating func accept(_ sender: Identity, on link: UInt64) {
        if plan.fault == .forgetsOnReconnect {
            service.inbox = Inbox()
            for (number, other) in links where number != link && !other[isGone: .service] && other.instance == service.instance {
                service.inbox.connected(other.identity, on: number, at: agenda.moment)
            }
        }
        service.inbox.connected(sender, on: link, at: agenda.moment)
    }

    private mutating func receive(_ message: OutgoingDelivery, on link: UInt64) {
        if plan.fault == .acknowledgesBeforeHandling { touch(link, .service) { $0.submit(.acknowledge(id: message.id, code: nil)) } }
        var steps: [Inbox.Step] = []
        let none: [UInt8] = []
        let incoming = IncomingDelivery(
            id: message.id, floor: message.floor, redelivered: message.redelivered, lane: message.lane, name: message.name, codec: message.codec,
            payload: .owned(message.payload))
        let before = service.inbox.heldCount
        service.inbox.received(incoming, of: none.span.bytes, on: link, at: agenda.moment, &steps)
        if service.inbox.heldCount == before { ledger.note(.messageKnownToTheInbox) }
        perform(steps)
    }

    mutating func answer(_ id: UInt64, of sender: Identity, _ refusal: FailureCode?) {
        var steps: [Inbox.Step] = []
        service.inbox.answered(id, of: sender, refusal, at: agenda.moment, &steps)
        perform(steps)
    }

    private mutating func perform(_ steps: [Inbox.Step]) {
        for step in steps {
            switch step {
            case .handle(let message): handle(message)
            case .acknowledge(let link, let id, let refusal): touch(link, .service) { $0.submit(.acknowledge(id: id, code: refusal)) }
            case .close(let link, let failure): touch(link, .service) { $0.submit(.close(failure)) }
            }
        }
    }

    /// The handler has its effect at once and its end some time later; in between the service may die.
    private mutating func handle(_ message: InboxMessage) {
        guard let key = SimulationLedger.Key(reading: message.payload) else { return ledger.find("a message without its key") }
        ledger.handed(key, message, instance: service.instance)
        let shown = SimulatedMessage(name: message.name, payload: Array(message.payload.dropFirst(8)), lane: message.lane)
        let refusal = logic.handle(shown, from: Int(key.sender), redelivered: message.redelivered)
        ledger.handled(key, refusal, instance: service.instance)
        agenda.add(.answer(instance: service.instance, of: message.sender, id: message.id, refusal), after: random.nanoseconds(plan.handling))
    }

    /// The service's end of a connection is gone. Its handlers go on.
    mutating func serviceLost(_ link: UInt64) {
        if links[link]?.instance == service.instance { service.inbox.connectionEnded(link, at: agenda.moment) }
    }
}
