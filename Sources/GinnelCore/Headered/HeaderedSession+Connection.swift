// What concerns the connection and no call: Handshake, Disconnect, Heartbeat, and time.

extension HeaderedSession {
    mutating func establish(_ actions: inout [Action]) {
        handshakeDeadline = .max
        phase = .open
        var peer = AnnouncedLimits.defaults
        peer.maximumMessage = configuration.maximumPayload
        peer.callsInFlight = configuration.limits.announced.callsInFlight
        actions.append(.established(Establishment(service: "", instance: Identity(high: 0, low: 0), peerLimits: peer, program: "")))
    }

    mutating func takeConnectionMessage(_ header: HeaderedHeader, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        switch (header.type, role) {
        case (.handshake, .service):
            outbox.append(control: HeaderedMessage(type: .handshakeAck, id: header.id, payload: []))
        case (.handshakeAck, .client):
            guard phase == .greeting(id: header.id) else {
                throw Violation(.protocolViolation, "\(header.type) with the id \(header.id), for which no Handshake waits")
            }
            establish(&actions)
            startCalls(now, &actions)
        case (.disconnect, _):
            guard farewell.theirs == nil else { return }
            let said = Failure(.shuttingDown, "the peer has said Disconnect")
            farewell.theirs = said
            actions.append(.farewell(said))
            refuseWaiting("the peer is leaving", &actions)
            endIfLeaving(&actions)
        default:
            throw Violation(.protocolViolation, "\(header.type) from the \(role.other)")
        }
    }

    // MARK: Heartbeats

    mutating func takeHeartbeat(_ id: UInt64, _ payload: borrowing RawSpan, _ actions: inout [Action]) throws(Violation) {
        let limit = HeaderedConfiguration.maximumHeartbeat
        guard payload.byteCount <= limit else {
            throw Violation(.frameTooLarge, "\(HeaderedType.heartbeat) with a payload of \(payload.byteCount) bytes, over the limit of \(limit)")
        }
        if role == .service {
            outbox.append(control: HeaderedMessage(type: .heartbeat, id: id, payload: payload.copied()))
        } else if let value = heartbeats.noteAnswer(id) {
            actions.append(.pong(value))
        }
    }

    mutating func ping(_ value: UInt64, _ actions: inout [Action]) -> Acceptance {
        guard role == .client, configuration.isJSON, phase == .open else { return .ended }
        sendHeartbeat(value)
        endIfSlowReader(&actions)
        return phase == .closed ? .ended : .taken(mayCarryOn: true)
    }

    private mutating func sendHeartbeat(_ value: UInt64?) {
        let id = takeID()
        heartbeats.noteAsked(id, value)
        outbox.append(control: HeaderedMessage(type: .heartbeat, id: id, payload: []))
    }

    // MARK: Time

    package mutating func timeOut(at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        if now.awake >= handshakeDeadline {
            let failure = Failure(.handshakeTimeout, "no HandshakeAck within \(configuration.timeouts.handshake) (timeouts.handshake)")
            return end(CloseReason(by: .us, failure), telling: true, &actions)
        }
        endOverdueCalls(now, &actions)
        guard phase != .closed else { return }
        let isBusy = !outgoing.calls.isEmpty || !incoming.calls.isEmpty
        switch heartbeats.check(now, busy: isBusy, reading: wantsInput) {
        case .fine: break
        case .ping: if phase == .open { sendHeartbeat(nil) }
        case .stale(let nanoseconds):
            let silence = Duration.wholeNanoseconds(nanoseconds)
            end(CloseReason(by: .us, Failure(.stale, "nothing was heard for \(silence), and a Heartbeat was not answered")), telling: true, &actions)
        case .idle:
            let failure = Failure(.idle, "no message for \(configuration.timeouts.idle ?? .zero) (timeouts.idle)")
            end(CloseReason(by: .us, failure), telling: true, &actions)
        }
    }

    private mutating func endOverdueCalls(_ now: Moment, _ actions: inout [Action]) {
        let failure = Failure(.deadlineExceeded, "the deadline has passed")
        for token in outgoing.calls.removeOverdueWaiting(now.continuous) { actions.append(.failed(token, failure)) }
        while let number = outgoing.calls.popDueDeadline(now.continuous) {
            if let token = outgoing.calls[number]?.token { abandon(token, failure, now, &actions) }
        }
        endIfLeaving(&actions)
    }

    package var wakeUp: WakeUp {
        guard phase != .closed else { return WakeUp() }
        var wakeUp = WakeUp(awake: heartbeats.wakeUp, continuous: outgoing.calls.earliestDeadline)
        if handshakeDeadline != .max { wakeUp.include(awake: handshakeDeadline) }
        return wakeUp
    }
}
