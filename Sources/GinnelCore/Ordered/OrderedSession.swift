// An ordered format as a session machine: one side of one connection. What is special about a format is its `OrderedFormat`.
//
// A service takes one request, wants no further input until it is answered, and then the next. A client sends one request at a time. There is no
// handshake, no call number and no farewell on the wire, so a side that is displeased can only end the connection, and does: what was wrong
// stands in the `.close` action, for the log of this side. Messages that were begun and do not go on are judged by `Session`, around every machine.
//
// This file holds the state, input and output; calls are in +Client, requests and events in +Service, farewell and end in +Closing.

package struct OrderedSession: Sendable {
    enum Phase: Sendable, Equatable {
        case open
        /// No new calls; closes, for this reason, when the call in flight has ended.
        case leaving(Failure)
        case closed
    }

    /// A request that is being answered.
    struct Answering: Sendable {
        let call: UInt32
        /// Its payload, where the format's failures need it; else empty.
        let request: [UInt8]
        /// When the service answers in the handler's place, on the continuous clock.
        let deadline: UInt64?
    }

    let role: Role
    let format: any OrderedFormat
    let limits: SessionLimits
    let timeouts: SessionTimeouts
    var phase = Phase.open
    var liveness = Liveness(idle: nil, now: Moment(awake: 0, continuous: 0))
    /// Client: calls that wait, and the one whose reply is due.
    var calls = OrderedCalls()
    /// Service: the request in hand.
    var answering: Answering?
    var lastCall: UInt32 = 0
    /// Service: replies and events on their way out.
    var outbox: OrderedOutbox
    package private(set) var messagesProduced: UInt64 = 0

    package init(role: Role, _ format: any OrderedFormat) {
        self.role = role
        self.format = format
        limits = format.limits
        timeouts = format.timeouts
        outbox = OrderedOutbox(headerSize: format.headerSize)
    }
}

extension OrderedSession: SessionMachine {
    package mutating func start(at now: Moment, _ actions: inout [Action]) {
        liveness = Liveness(idle: timeouts.idle, now: now)
        var peer = AnnouncedLimits.defaults
        peer.maximumMessage = format.maximumMessage
        peer.callsInFlight = role == .client ? 1 : 0
        actions.append(.established(Establishment(service: "", instance: Identity(high: 0, low: 0), peerLimits: peer, program: "")))
    }

    package mutating func receive(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Int {
        guard phase != .closed else { return input.byteCount }
        var offset = 0
        do throws(Violation) {
            while wantsInput, let message = try format.next(in: input, at: offset, for: role) {
                offset = message.payload.upperBound
                liveness.noteMessage(now)
                try take(message, input, now, &actions)
            }
        } catch {
            end(CloseReason(by: .us, error.failure), &actions)
        }
        return offset
    }

    private mutating func take(_ message: OrderedMessage, _ input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        switch (role, message.meaning) {
        case (.service, .request(let method)): takeRequest(method, message.payload, input, now, &actions)
        case (.client, .reply): try takeReply(nil, message.payload, &actions)
        case (.client, .failure(let failure)): try takeReply(failure, message.payload, &actions)
        case (.client, .event(let name)): actions.append(.event(name: name, codec: format.codec, payload: .borrowed(message.payload), missed: 0))
        case (.service, _), (.client, .request): throw Violation(.protocolViolation, "a message of \(message.payload.count) bytes that is not for this side")
        }
    }

    package mutating func submit(_ command: Command, at now: Moment, _ actions: inout [Action]) -> Acceptance {
        switch (role, command) {
        case (.client, .call(let token, let request)): call(token, request, now, &actions)
        case (.client, .abandon(let token, let failure)): abandon(token, failure, &actions)
        case (.service, .reply(let call, _, let payload)): reply(call, payload, now, &actions)
        case (.service, .fail(let call, let failure)): fail(call, failure, now, &actions)
        case (.service, .event(let name, _, let payload, _)) where format.hasEvents: return event(name, payload, now, &actions)
        case (_, .farewell(let failure)): sayFarewell(failure, &actions)
        case (_, .close(let failure)): end(CloseReason(by: .us, failure), &actions)
        default: return cannotExpress(command, &actions)
        }
        return .taken(mayCarryOn: true)
    }

    /// Commands for which the format has no bytes in this role: calls fail, items are not taken, the rest is ignored.
    private func cannotExpress(_ command: Command, _ actions: inout [Action]) -> Acceptance {
        switch command {
        case .call(let token, _):
            actions.append(.failed(token, Failure(.unavailable, "\(format.name) lets only the client call; the call was not begun")))
        case .sendItem, .item, .event, .message, .acknowledge, .ping, .upgrade: return .ended
        case .abandon(let token, _): token.isAbandoned = true
        case .reply, .fail, .grant, .accept, .farewell, .close: break
        }
        return .taken(mayCarryOn: false)
    }

    package mutating func timeOut(at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        while let token = calls.abandonOverdue(now.continuous) {
            actions.append(.failed(token, Failure(.deadlineExceeded, "the deadline has passed")))
        }
        answerOverdue(now, &actions)
        closeIfDone(&actions)
        guard phase != .closed, liveness.check(now, busy: calls.isBusy || answering != nil) == .idle else { return }
        end(CloseReason(by: .us, Failure(.idle, "no message for \(timeouts.idle ?? .zero) (timeouts.idle)")), &actions)
    }

    package var wakeUp: WakeUp {
        guard phase != .closed else { return WakeUp() }
        var wakeUp = WakeUp(awake: liveness.wakeUp, continuous: calls.earliestDeadline)
        wakeUp.include(continuous: answering?.deadline)
        return wakeUp
    }

    package var wantsInput: Bool {
        role == .client ? phase != .closed : phase == .open && answering == nil
    }

    package var hasOutput: Bool { !outbox.isEmpty || calls.nextRequestBytes != nil }

    package var outputBytes: Int {
        outbox.byteCount + requestBytes
    }

    package var heldBytes: Int { outbox.heldBytes + requestBytes }
    package var laneDepths: LaneDepths? { nil }

    /// Bytes of the request that is next.
    private var requestBytes: Int { calls.nextRequestBytes.map { format.headerSize + $0 } ?? 0 }

    package mutating func produce(into output: inout OutputBuffer, goal: Int) {
        while output.count < goal, let payload = calls.begin() ?? outbox.popFirst() {
            format.write(payload, to: &output)
            messagesProduced += 1
        }
    }

    /// Nothing: ordered formats end in silence.
    package static func refusal(_ code: FailureCode) -> [UInt8] { [] }
}
