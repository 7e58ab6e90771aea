// The service's half: one request at a time, its reply, and events.

extension TaggedJSONSession {
    mutating func takeRequest(_ message: TaggedJSONMessage, _ actions: inout [Action]) throws(Violation) {
        guard let method = message.type else {
            throw Violation(.protocolViolation, "a request of \(message.text.count) bytes without a string member \"type\"")
        }
        lastCall = lastCall == .max ? 1 : lastCall + 1
        answering = lastCall
        if configuration.holdsEvents { outbox.reserveReply() }
        actions.append(.request(IncomingRequest(call: lastCall, method: method, codec: .json, payload: .borrowed(message.text))))
    }

    /// The handler's bytes go out as they are. What this format cannot carry ends the session, since the client waits for a reply that cannot come.
    mutating func reply(_ call: UInt32, _ text: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        guard finishAnswer(call) else { return }
        if let fault = TaggedJSONMessage.fault(in: text, needsType: false, configuration) {
            let code: FailureCode = fault.code == .tooLarge ? .tooLarge : .invalidReply
            return end(CloseReason(by: .us, Failure(code, "a reply that cannot be sent: \(fault.sentence)")), &actions)
        }
        queue(reply: text, now, &actions)
    }

    mutating func fail(_ call: UInt32, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        guard finishAnswer(call) else { return }
        let sentence = failure.sentence.isEmpty ? "\(failure.code)" : failure.sentence
        queue(reply: TaggedJSONMessage.error(configuration.errorPrefix + sentence, configuration), now, &actions)
    }

    /// Whether `call` was being answered; a second answer, or one after the end of the session, is late and ignored.
    private mutating func finishAnswer(_ call: UInt32) -> Bool {
        guard answering == call else { return false }
        answering = nil
        return true
    }

    private mutating func queue(reply text: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        liveness.noteMessage(now)
        outbox.append(reply: text)
        if !closeIfSlow(&actions) { closeIfDone(&actions) }
    }

    mutating func event(_ text: [UInt8], _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard phase != .closed else { return .ended }
        if let fault = TaggedJSONMessage.fault(in: text, needsType: true, configuration) {
            if fault.code == .tooLarge { return .tooLarge(limit: configuration.maximumMessage) }
            end(CloseReason(by: .us, Failure(.invalidReply, "an event that cannot be sent: \(fault.sentence)")), &actions)
            return .ended
        }
        liveness.noteMessage(now)
        outbox.append(event: text)
        let limit = configuration.limits.eventBytes
        if configuration.limits.eventOverflow == .dropOldest {
            while outbox.eventBytes > limit { outbox.dropOldestEvent() }
        } else if outbox.eventBytes > limit {
            let sentence = "\(outbox.eventBytes) bytes of events wait for the peer, over the limit of \(limit) (eventBytes)"
            end(CloseReason(by: .us, Failure(.slowReader, sentence)), &actions)
            return .ended
        }
        return closeIfSlow(&actions) ? .ended : .taken(mayCarryOn: true)
    }

    private mutating func closeIfSlow(_ actions: inout [Action]) -> Bool {
        let limit = configuration.limits.bufferedBytes
        guard outbox.heldBytes > limit else { return false }
        let sentence = "\(outbox.heldBytes) bytes wait for the peer, over the limit of \(limit) (bufferedBytes)"
        end(CloseReason(by: .us, Failure(.slowReader, sentence)), &actions)
        return true
    }
}
