// The envelope format as a session machine (docs/formats/envelope.md): one side of one connection.
//
// Every message has an id and a type, and only an acknowledgement names another one. A service hands every message to the handler of its type and answers with an acknowledgement, or
// with the handler's own message. At a client a message is the answer to a call, or is handed on to be acknowledged, or is an event. There is no handshake and no farewell on the wire: a side that is displeased closes,
// and what was wrong stands in the `.close` action.
//
// The loss of a connection cancels no handler. Its sender asks again on the next connection, with the same id, and is answered when the handler is done (`EnvelopeMemory`).
//
// This file holds the state, input and output; what we send and wait for is in +Outgoing, what the other side sends in +Incoming, signs of life and the end in +Closing.

package struct EnvelopeSession: Sendable {
    enum Phase: Sendable, Equatable {
        case open
        /// No new calls; closes, for this reason, when those in flight have ended.
        case leaving(Failure)
        case closed
    }

    let role: Role
    let configuration: EnvelopeConfiguration
    var phase = Phase.open
    var outgoing: OutgoingCalls
    var expectations = EnvelopeExpectations()
    var incoming = EnvelopeIncoming()
    /// What came before, where no memory is shared with other connections.
    var memory = EnvelopeMemory()
    var outbox = EnvelopeOutbox()
    var heartbeats = EnvelopeHeartbeats()
    private var lastID: UInt64 = 0

    package init(role: Role, _ configuration: EnvelopeConfiguration = EnvelopeConfiguration()) {
        self.role = role
        self.configuration = configuration
        outgoing = OutgoingCalls(role: role, firstStream: nil)
    }

    mutating func takeID() -> String {
        lastID += 1
        return EnvelopeID.text(configuration.ids, lastID)
    }

    /// The text of a message with a new id.
    mutating func message(_ type: String, _ payload: [UInt8]) -> [UInt8] {
        EnvelopeMessage.text(id: takeID(), type: type, configuration.time(), payload)
    }

    /// What a peer for whom too much waits is closed for.
    mutating func endIfSlowReader(_ actions: inout [Action]) {
        guard phase != .closed else { return }
        let limits = configuration.limits
        let excess: String
        if outbox.controlBytes > limits.controlBytes {
            excess = "\(outbox.controlBytes) bytes of answers to its heartbeats wait for the peer, over the limit of \(limits.controlBytes) (controlBytes)"
        } else if outbox.heldBytes > limits.bufferedBytes {
            excess = "\(outbox.heldBytes) bytes wait for the peer, over the limit of \(limits.bufferedBytes) (bufferedBytes)"
        } else {
            return
        }
        end(CloseReason(by: .us, Failure(.slowReader, excess)), &actions)
    }
}

extension EnvelopeSession: SessionMachine {
    package mutating func start(at now: Moment, _ actions: inout [Action]) {
        heartbeats = EnvelopeHeartbeats(
            every: configuration.timeouts.heartbeat, idle: configuration.timeouts.idle, isPaced: role == .client, drops: role == .client || configuration.expectsHeartbeats,
            now: now)
        var peer = AnnouncedLimits.defaults
        peer.maximumMessage = EnvelopeMessage.longestPayload(configuration)
        peer.callsInFlight = configuration.limits.announced.callsInFlight
        // A client's messages can be acknowledged at once. Who a service's client is nobody says, so a service keeps none for it.
        let establishment = Establishment(service: "", instance: configuration.ids, peerLimits: peer, program: "", delivers: role == .client)
        actions.append(.established(establishment))
    }

    package mutating func receive(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Int {
        guard phase != .closed else { return input.byteCount }
        if input.byteCount > 0 { heartbeats.noteHeard(now) }
        var offset = 0
        do throws(Violation) {
            while wantsInput, let message = try EnvelopeMessage.next(in: input, at: offset, configuration) {
                offset = message.text.upperBound
                try take(message, of: input, now, &actions)
                endIfSlowReader(&actions)
            }
        } catch {
            end(CloseReason(by: .us, error.failure), &actions)
        }
        return offset
    }

    package mutating func submit(_ command: Command, at now: Moment, _ actions: inout [Action]) -> Acceptance {
        switch command {
        case .call(let token, let request): call(token, request, now, &actions)
        case .abandon(let token, let failure): abandon(token, failure, now, &actions)
        case .message(let delivery): return deliver(delivery, now, &actions)
        case .reply(let call, _, let payload): reply(call, payload, now, &actions)
        case .fail(let call, let failure): fail(call, failure, now, &actions)
        case .acknowledge(let id, let code): return acknowledge(id, code, now, &actions)
        case .event(let name, _, let payload, _): return event(name, payload, now, &actions)
        case .ping(let value): return ping(value, now, &actions)
        case .farewell(let failure): sayFarewell(failure, &actions)
        case .close(let failure): end(CloseReason(by: .us, failure), &actions)
        case .sendItem, .item, .upgrade: return .ended
        case .grant, .accept: break
        }
        endIfSlowReader(&actions)
        return .taken(mayCarryOn: true)
    }

    /// How much more may be in hand while the program waits for answers of the other side, which come behind whatever else it says.
    static let roomWhileCalling = 2

    /// False while as much is in hand as may be. Two sides whose handlers call each other must not both stop to listen, so it is more while an answer is waited for. Nothing is refused for want of room:
    /// who keeps a message takes a refusal for the last word.
    package var wantsInput: Bool {
        phase != .closed && incoming.hasRoom(configuration.limits.announced, times: expectations.isAnswerDue ? Self.roomWhileCalling : 1)
    }

    package var hasOutput: Bool { !outbox.isEmpty }
    package var outputBytes: Int { outbox.byteCount }
    package var heldBytes: Int { outbox.heldBytes }
    /// It has no lanes.
    package var laneDepths: LaneDepths? { nil }
    package var messagesProduced: UInt64 { outbox.messagesProduced }

    package mutating func produce(into output: inout OutputBuffer, goal: Int) {
        while output.count < goal, outbox.produce(into: &output) {}
    }

    /// Nothing: the format ends in silence.
    package static func refusal(_ code: FailureCode) -> [UInt8] { [] }
}
