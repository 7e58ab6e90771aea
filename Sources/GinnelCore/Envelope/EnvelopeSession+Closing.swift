// Signs of life, time, and the end. Everything that ends a session passes through `finish`, once.

extension EnvelopeSession {
    mutating func ping(_ value: UInt64, _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        // Some programs answer none, and never will.
        guard phase != .closed, expectations.pings < EnvelopeConfiguration.pingsUnderway else { return .ended }
        sendHeartbeat(value)
        endIfSlowReader(&actions)
        return phase == .closed ? .ended : .taken(mayCarryOn: true)
    }

    /// `value`: what the program asks with; nobody waits for the answer to one of the session's own.
    private mutating func sendHeartbeat(_ value: UInt64?) {
        heartbeats.noteSent()
        let id = takeID()
        let time = configuration.time()
        if let value { expectations.begin(.ping(value), id) }
        let payload = EnvelopeAcknowledgment.heartbeat(configuration.sender, heartbeats.count, time)
        outbox.append(control: EnvelopeMessage.text(id: id, type: EnvelopeMessage.heartbeat, time, payload))
    }

    // MARK: Time

    package mutating func timeOut(at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        endOverdueCalls(now, &actions)
        guard phase != .closed else { return }
        lookAgain(now)
        switch heartbeats.check(now, busy: !outgoing.isEmpty || incoming.count > 0, reading: wantsInput) {
        case .fine: break
        case .ping: sendHeartbeat(nil)
        case .stale(let nanoseconds):
            let silence = Duration.wholeNanoseconds(nanoseconds)
            return end(CloseReason(by: .us, Failure(.stale, "nothing was heard for \(silence), and a HEARTBEAT was not answered")), &actions)
        case .idle:
            return end(CloseReason(by: .us, Failure(.idle, "no message for \(configuration.timeouts.idle ?? .zero) (timeouts.idle)")), &actions)
        }
        endIfSlowReader(&actions)
    }

    private mutating func endOverdueCalls(_ now: Moment, _ actions: inout [Action]) {
        let failure = Failure(.deadlineExceeded, "the deadline has passed")
        let overdue = outgoing.removeOverdueWaiting(now.continuous)
        for token in overdue { actions.append(.failed(token, failure)) }
        if !overdue.isEmpty { goOn(now, &actions) }
        while let number = outgoing.popDueDeadline(now.continuous) {
            if let token = outgoing[number]?.token { abandon(token, failure, now, &actions) }
        }
    }

    package var wakeUp: WakeUp {
        guard phase != .closed else { return WakeUp() }
        var wakeUp = WakeUp(awake: heartbeats.wakeUp, continuous: outgoing.earliestDeadline)
        wakeUp.include(awake: incoming.lookAgainAt)
        return wakeUp
    }

    // MARK: The end

    package mutating func inputEnded(_ failure: Failure?, unread: Int, at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        let isBusy = outgoing.hasCallers || !incoming.isEmpty
        let isCut = unread > 0 && wantsInput
        if failure == nil, !isCut, !isBusy {
            return end(CloseReason(by: .peer, Failure(.finished, "the peer ended the connection between two messages")), &actions)
        }
        let place = isCut ? "in the middle of a message, after \(unread) of its bytes" : isBusy ? "before the answer" : "between two messages"
        let cause = failure.map { ": \($0.sentence)" } ?? ""
        end(CloseReason(by: failure == nil && !isCut ? .peer : .nobody, Failure(.connectionLost, "the peer ended the connection \(place)\(cause)")), &actions)
    }

    mutating func sayFarewell(_ failure: Failure, _ actions: inout [Action]) {
        guard phase == .open else { return }
        phase = .leaving(failure)
        for token in outgoing.removeWaiting(where: { _ in true }) {
            actions.append(.failed(token, Failure(.unavailable, "this side is leaving; the call was not begun")))
        }
        endIfLeaving(&actions)
    }

    /// A side that is leaving closes when nobody waits for an outcome any more. What waits to be sent still leaves.
    mutating func endIfLeaving(_ actions: inout [Action]) {
        guard case .leaving(let said) = phase, !outgoing.hasCallers, incoming.isEmpty else { return }
        finish(CloseReason(by: .us, said), &actions)
    }

    /// Ends at once: nothing that waits leaves any more. Handlers go on, and their answers are remembered.
    mutating func end(_ reason: CloseReason, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        let unsent = outbox.dropAll()
        for (token, number) in outgoing.removeAll() {
            let begun = number != 0 && !unsent.contains(number)
            let failure =
                begun
                ? Failure(.connectionLost, "\(reason); whether the call was carried out is unknown")
                : Failure(.unavailable, "\(reason); the call was not begun")
            actions.append(.failed(token, failure))
        }
        finish(reason, &actions)
    }

    private mutating func finish(_ reason: CloseReason, _ actions: inout [Action]) {
        phase = .closed
        forgetInHand()
        expectations = EnvelopeExpectations()
        incoming.dropRepeated()
        actions.append(.close(reason))
    }
}
