// The service's half: one request at a time, its reply, and events.

extension OrderedSession {
    mutating func takeRequest(_ method: String, _ payload: Range<Int>, _ input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]) {
        lastCall = lastCall == .max ? 1 : lastCall + 1
        let deadline = format.handlerTimeout.map { now.continuous.adding($0.wholeNanoseconds) }
        let kept = format.keepsRequests ? input.extracting(payload).copied() : []
        answering = Answering(call: lastCall, request: kept, deadline: deadline)
        if format.holdsEvents { outbox.reserveReply() }
        actions.append(.request(IncomingRequest(call: lastCall, method: method, codec: format.codec, payload: .borrowed(payload), deadline: deadline)))
    }

    /// The handler's bytes go out as they are. What this format cannot carry ends the session, since the client waits for a reply that cannot come.
    mutating func reply(_ call: UInt32, _ payload: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        if finishAnswer(call) != nil { queue(reply: payload, now, &actions) }
    }

    mutating func fail(_ call: UInt32, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        guard let answer = finishAnswer(call) else { return }
        guard let payload = format.reply(failure, to: answer.request) else {
            let sentence = "a request failed, and \(format.name) has no words for that: \(failure.sentence)"
            return end(CloseReason(by: .us, Failure(failure.code, sentence)), &actions)
        }
        queue(reply: payload, now, &actions)
    }

    /// A handler that takes too long is told to stop, and the caller that it failed; what the handler says later is late.
    mutating func answerOverdue(_ now: Moment, _ actions: inout [Action]) {
        guard let answer = answering, let deadline = answer.deadline, now.continuous >= deadline else { return }
        let failure = Failure(.deadlineExceeded, "the request was not answered within \(format.handlerTimeout ?? .zero)")
        actions.append(.cancel(call: answer.call, failure))
        fail(answer.call, failure, now, &actions)
    }

    /// What `call` asked, if it was being answered; a second answer, or one after the end of the session, is late and ignored.
    private mutating func finishAnswer(_ call: UInt32) -> Answering? {
        guard let answer = answering, answer.call == call else { return nil }
        answering = nil
        return answer
    }

    private mutating func queue(reply payload: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        if let fault = format.fault(in: payload, sentAs: .reply) {
            let code: FailureCode = fault.code == .tooLarge ? .tooLarge : .invalidReply
            return end(CloseReason(by: .us, Failure(code, "a reply that cannot be sent: \(fault.sentence)")), &actions)
        }
        liveness.noteMessage(now)
        outbox.append(reply: payload)
        if !closeIfSlow(&actions) { closeIfDone(&actions) }
    }

    mutating func event(_ name: String, _ payload: [UInt8], _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard phase != .closed else { return .ended }
        if let fault = format.fault(in: payload, sentAs: .event(name: name)) {
            if fault.code == .tooLarge { return .tooLarge(limit: format.maximumMessage) }
            end(CloseReason(by: .us, Failure(.invalidReply, "an event that cannot be sent: \(fault.sentence)")), &actions)
            return .ended
        }
        liveness.noteMessage(now)
        outbox.append(event: payload)
        if limits.eventOverflow == .dropOldest {
            while outbox.eventBytes > limits.eventBytes { outbox.dropOldestEvent() }
        } else if outbox.eventBytes > limits.eventBytes {
            let sentence = "\(outbox.eventBytes) bytes of events wait for the peer, over the limit of \(limits.eventBytes) (eventBytes)"
            end(CloseReason(by: .us, Failure(.slowReader, sentence)), &actions)
            return .ended
        }
        return closeIfSlow(&actions) ? .ended : .taken(mayCarryOn: true)
    }

    private mutating func closeIfSlow(_ actions: inout [Action]) -> Bool {
        guard outbox.heldBytes > limits.bufferedBytes else { return false }
        let sentence = "\(outbox.heldBytes) bytes wait for the peer, over the limit of \(limits.bufferedBytes) (bufferedBytes)"
        end(CloseReason(by: .us, Failure(.slowReader, sentence)), &actions)
        return true
    }
}
