// Deadlines and liveness.

extension NativeSession {
    package mutating func timeOut(at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        if now.awake >= handshakeDeadline {
            let limit = configuration.timeouts.handshake
            return refuse(Failure(.handshakeTimeout, "no complete handshake within \(limit) (timeouts.handshake)"), &actions)
        }
        if let deadline = upgrade.answerDeadline, now.awake >= deadline {
            let sentence = "no answer to the offer of shared memory within \(configuration.timeouts.handshake) (timeouts.handshake)"
            return end(CloseReason(by: .us, Failure(.handshakeTimeout, sentence)), telling: true, &actions)
        }
        endOverdueCalls(now, &actions)
        checkUnfinishedMessages(now, &actions)
        checkLiveness(now, &actions)
    }

    private mutating func endOverdueCalls(_ now: Moment, _ actions: inout [Action]) {
        let failure = Failure(.deadlineExceeded, "the deadline has passed")
        let overdue = outgoing.removeOverdueWaiting(now.continuous)
        for token in overdue { actions.append(.failed(token, failure)) }
        if !overdue.isEmpty { startCalls(now, &actions) }
        while let stream = outgoing.popDueDeadline(now.continuous) {
            if let token = outgoing[stream]?.token { abandon(token, failure, now, &actions) }
        }
        while let stream = incoming.popDueDeadline(now.continuous) {
            inbound.assembler.forget(stream: stream)
            if incoming.stop(stream, failure) { actions.append(.cancel(call: stream, failure)) }
        }
    }

    private mutating func checkUnfinishedMessages(_ now: Moment, _ actions: inout [Action]) {
        let limit = configuration.timeouts.readMidMessage
        guard let stalled = inbound.assembler.stalled, now.awake >= stalled.since.adding(limit.wholeNanoseconds) else { return }
        let sentence = "a message on stream \(stalled.stream) was begun and has not gone on for \(limit) (timeouts.readMidMessage)"
        end(CloseReason(by: .us, Failure(.readTimeout, sentence)), telling: true, &actions)
    }

    private mutating func checkLiveness(_ now: Moment, _ actions: inout [Action]) {
        guard phase == .open else { return }
        switch liveness.check(now, busy: !outgoing.isEmpty || !incoming.isEmpty || delivery?.isEmpty == false) {
        case .fine: break
        case .ping: control(.ping, payload: UInt64(0).littleEndianBytes)
        case .stale(let nanoseconds):
            let silence = Duration.wholeNanoseconds(nanoseconds)
            end(CloseReason(by: .us, Failure(.stale, "nothing was heard for \(silence), and a ping was not answered")), telling: true, &actions)
        case .idle:
            end(CloseReason(by: .us, Failure(.idle, "no message for \(configuration.timeouts.idle ?? .zero) (timeouts.idle)")), telling: true, &actions)
        }
    }

    package var wakeUp: WakeUp {
        guard phase != .closed else { return WakeUp() }
        var wakeUp = WakeUp(awake: phase == .open ? liveness.wakeUp : nil)
        if handshakeDeadline != .max { wakeUp.include(awake: handshakeDeadline) }
        wakeUp.include(awake: upgrade.answerDeadline)
        wakeUp.include(awake: inbound.assembler.stalled.map { $0.since.adding(configuration.timeouts.readMidMessage.wholeNanoseconds) })
        wakeUp.include(continuous: outgoing.earliestDeadline)
        wakeUp.include(continuous: incoming.earliestDeadline)
        return wakeUp
    }
}
