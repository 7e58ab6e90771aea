// The client's half: calls and their replies, in order.

extension OrderedSession {
    mutating func call(_ token: any OutgoingCall, _ request: OutgoingRequest, _ now: Moment, _ actions: inout [Action]) {
        if let failure = refusal(of: request, token, now) {
            actions.append(.failed(token, failure))
            return
        }
        liveness.noteMessage(now)
        calls.add(token, request: request.payload, deadline: request.deadline)
    }

    private func refusal(of request: OutgoingRequest, _ token: any OutgoingCall, _ now: Moment) -> Failure? {
        if token.isAbandoned { return Failure(.cancelled, "the caller had lost interest before the call began") }
        switch phase {
        case .open: break
        case .leaving: return Failure(.unavailable, "the connection is ending; the call was not begun")
        case .closed: return Failure(.unavailable, "the connection is closed; the call was not begun")
        }
        if request.itemsFollow { return Failure(.invalidRequest, "\(format.name) cannot send items") }
        if let fault = format.fault(in: request.payload, sentAs: .request(method: request.method)) {
            return Failure(fault.code, "a request of \(request.method) was not sent: \(fault.sentence)")
        }
        if let deadline = request.deadline, deadline <= now.continuous {
            return Failure(.deadlineExceeded, "the deadline had passed before the call began")
        }
        guard calls.waitingCount < limits.waitingCalls else {
            return Failure(.resourceExhausted, "\(calls.waitingCount) calls wait already, the limit (waitingCalls)")
        }
        return nil
    }

    mutating func abandon(_ token: any OutgoingCall, _ failure: Failure, _ actions: inout [Action]) {
        guard calls.abandon(token) else {
            token.isAbandoned = true
            return
        }
        actions.append(.failed(token, failure))
        closeIfDone(&actions)
    }

    /// The call in flight has its reply, or the `failure` that the reply tells of.
    mutating func takeReply(_ failure: Failure?, _ payload: Range<Int>, _ actions: inout [Action]) throws(Violation) {
        guard let call = calls.finish() else {
            throw Violation(.protocolViolation, "a reply of \(payload.count) bytes that no call was waiting for")
        }
        if let token = call.token {
            if let failure {
                actions.append(.failed(token, failure))
            } else {
                actions.append(.replied(token, codec: format.codec, payload: .borrowed(payload)))
            }
        }
        closeIfDone(&actions)
    }
}
