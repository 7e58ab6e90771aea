// Messages of ours and what answers them: calls of the program, messages of its outbox, one-way messages.

extension EnvelopeSession {
    // MARK: Calls

    mutating func call(_ token: any OutgoingCall, _ request: OutgoingRequest, _ now: Moment, _ actions: inout [Action]) {
        if let failure = refusal(of: request, token, now) {
            actions.append(.failed(token, failure))
            return
        }
        outgoing.wait(token, request)
        startCalls(now, &actions)
    }

    private func refusal(of request: OutgoingRequest, _ token: any OutgoingCall, _ now: Moment) -> Failure? {
        if token.isAbandoned { return Failure(.cancelled, "the caller had lost interest before the call began") }
        switch phase {
        case .open: break
        case .leaving: return Failure(.unavailable, "the connection is ending; the call was not begun")
        case .closed: return Failure(.unavailable, "the connection is closed; the call was not begun")
        }
        if let deadline = request.deadline, deadline <= now.continuous {
            return Failure(.deadlineExceeded, "the deadline had passed before the call began")
        }
        if request.itemsFollow { return Failure(.invalidRequest, "the envelope format cannot send items") }
        if let fault = EnvelopeMessage.fault(request.method, request.payload, configuration) {
            return Failure(fault.code, "a request of \(request.method) was not sent: \(fault.sentence)")
        }
        guard outgoing.waitingCount < configuration.limits.waitingCalls else {
            return Failure(.resourceExhausted, "\(outgoing.waitingCount) calls wait already, the limit (waitingCalls)")
        }
        return nil
    }

    /// Begins calls that wait, oldest of the highest lane first, as long as not too many are in flight and the next need not wait for an answer to an earlier one.
    mutating func startCalls(_ now: Moment, _ actions: inout [Action]) {
        guard phase == .open else { return }
        while outgoing.count < max(configuration.limits.announced.callsInFlight, 1), let next = outgoing.firstWaiting,
            expectations.admits(configuration.answers[next.request.method])
        {
            outgoing.removeFirstWaiting()
            heartbeats.noteMessage(now)
            let number = outgoing.begin(.init(token: next.token, deadline: next.request.deadline, lane: next.request.lane, flow: .none))
            next.token.callNumber = number
            let id = takeID()
            expectations.begin(.call(number), id, answeredBy: configuration.answers[next.request.method])
            outbox.append(EnvelopeMessage.text(id: id, type: next.request.method, configuration.time(), next.request.payload), call: number)
        }
        endIfSlowReader(&actions)
    }

    /// Ends a call whose caller has lost interest. One that may be answered by a message of its own keeps its place until it is, unless its request has not left.
    mutating func abandon(_ token: any OutgoingCall, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        let number = token.callNumber
        guard number != 0 else {
            token.isAbandoned = true
            if outgoing.removeWaiting(token) { actions.append(.failed(token, failure)) }
            return goOn(now, &actions)
        }
        guard outgoing[number]?.token === token else { return }
        actions.append(.failed(token, failure))
        let isUnsent = outbox.dropRequest(of: number)
        if !isUnsent, expectations.isOpen(number) {
            _ = outgoing.takeToken(number)
            expectations.giveUp(number)
        } else {
            _ = outgoing.end(number)
            if let id = expectations.id(of: number) { _ = expectations.end(id) }
        }
        goOn(now, &actions)
    }

    /// After something has ended that others may have waited for.
    mutating func goOn(_ now: Moment, _ actions: inout [Action]) {
        startCalls(now, &actions)
        if phase == .open, expectations.takeWaiting() { actions.append(.messagesMayCarryOn) }
        endIfLeaving(&actions)
    }

    // MARK: The outbox

    /// A message of the outbox. One that can never be sent is told as refused.
    mutating func deliver(_ delivery: OutgoingDelivery, _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard phase == .open, role == .client else { return .ended }
        if let fault = EnvelopeMessage.fault(delivery.name, delivery.payload, configuration) {
            if fault.code == .tooLarge { return .tooLarge(limit: EnvelopeMessage.longestPayload(configuration)) }
            actions.append(.acknowledged([Acknowledgement(id: delivery.id, refusal: fault.code)]))
            return .taken(mayCarryOn: true)
        }
        let bytes = delivery.payload.count
        let hasRoom = expectations.deliveries == 0 || expectations.deliveryBytes + bytes <= configuration.limits.announced.deliveryWindow
        guard expectations.deliveries < EnvelopeConfiguration.messagesUnderway, hasRoom, expectations.admits(configuration.answers[delivery.name]) else {
            expectations.noteWaiting()
            return .noCredit
        }
        heartbeats.noteMessage(now)
        let id = EnvelopeID.text(configuration.deliveryIDs, delivery.id)
        expectations.begin(.delivery(delivery.id, bytes: bytes), id, answeredBy: configuration.answers[delivery.name])
        outbox.append(EnvelopeMessage.text(id: id, type: delivery.name, configuration.time(), delivery.payload))
        endIfSlowReader(&actions)
        return phase == .closed ? .ended : .taken(mayCarryOn: true)
    }

    // MARK: Answers

    /// An acknowledgement. One that nobody waits for is late, or about a message that was one-way.
    mutating func takeAcknowledgment(_ acknowledgment: EnvelopeAcknowledgment, _ now: Moment, _ actions: inout [Action]) {
        // Ids of ours have one length. What else a peer makes up is not even looked for: it could be long, and hashing it very much longer.
        guard acknowledgment.original.utf8.count == EnvelopeID.length, let kind = expectations.end(acknowledgment.original) else { return }
        let failure = acknowledgment.error.map { Failure(envelope: $0) }
        switch kind {
        case .call(let number):
            guard let token = outgoing.end(number) else { break }
            actions.append(failure.map { .failed(token, $0) } ?? .replied(token, codec: .json, payload: .empty))
        case .delivery(let number, _): actions.append(.acknowledged([Acknowledgement(id: number, refusal: failure?.code)]))
        case .ping(let value): actions.append(.pong(value))
        }
        goOn(now, &actions)
    }

    /// Whether this message is the answer to a call of ours. It answers a message of the outbox too, whose sender only hears that it was taken; then it is also something else.
    mutating func takeAnswer(_ message: EnvelopeMessage, _ now: Moment, _ actions: inout [Action]) -> Bool {
        guard let kind = expectations.end(answeredBy: message.type) else { return false }
        var isTaken = false
        if case .call(let number) = kind, let token = outgoing.end(number) {
            actions.append(.replied(token, codec: .json, payload: .borrowed(message.text)))
            isTaken = true
        }
        if case .delivery(let number, _) = kind { actions.append(.acknowledged([Acknowledgement(id: number)])) }
        goOn(now, &actions)
        return isTaken
    }

    // MARK: One-way messages

    mutating func event(_ name: String, _ payload: [UInt8], _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard phase != .closed else { return .ended }
        if let fault = EnvelopeMessage.fault(name, payload, configuration) {
            return fault.code == .tooLarge ? .tooLarge(limit: EnvelopeMessage.longestPayload(configuration)) : .ended
        }
        heartbeats.noteMessage(now)
        outbox.append(event: message(name, payload))
        let limit = configuration.limits.eventBytes
        if outbox.eventBytes > limit, configuration.limits.eventOverflow == .close {
            let sentence = "\(outbox.eventBytes) bytes of one-way messages wait for the peer, over the limit of \(limit) (eventBytes)"
            end(CloseReason(by: .us, Failure(.slowReader, sentence)), &actions)
            return .ended
        }
        while outbox.eventBytes > limit { outbox.dropOldestEvent() }
        endIfSlowReader(&actions)
        return phase == .closed ? .ended : .taken(mayCarryOn: outbox.eventBytes * 2 <= limit)
    }
}
