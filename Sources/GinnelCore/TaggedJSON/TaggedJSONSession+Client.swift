// The client's half: calls, their replies in order, and messages that are events.

extension TaggedJSONSession {
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
        if request.itemsFollow { return Failure(.invalidRequest, "the recorder format cannot send items") }
        if let fault = TaggedJSONMessage.fault(in: request.payload, needsType: true, configuration) {
            return Failure(fault.code, "a request of \(request.method) was not sent: \(fault.sentence)")
        }
        if let deadline = request.deadline, deadline <= now.continuous {
            return Failure(.deadlineExceeded, "the deadline had passed before the call began")
        }
        guard calls.waitingCount < configuration.limits.waitingCalls else {
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

    mutating func takeReply(_ message: TaggedJSONMessage, _ actions: inout [Action]) throws(Violation) {
        if let type = message.type, configuration.pushTypes.contains(type) {
            actions.append(.event(name: type, codec: .json, payload: .borrowed(message.text), missed: 0))
            return
        }
        guard let call = calls.finish() else {
            throw Violation(.protocolViolation, "a reply of \(message.text.count) bytes that no call was waiting for")
        }
        if let token = call.token {
            if message.type == "error" {
                let sentence = message.sentence ?? "the service gave no reason"
                actions.append(.failed(token, Failure(.taggedJSONError, sentence)))
            } else {
                actions.append(.replied(token, codec: .json, payload: .borrowed(message.text)))
            }
        }
        closeIfDone(&actions)
    }
}
