// The end: farewells, ended channels, violations. Everything that ends a session passes through `end`, once.

extension OrderedSession {
    package mutating func inputEnded(_ failure: Failure?, unread: Int, at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        let isBusy = calls.current?.token != nil || answering != nil
        let isCut = unread > 0 && wantsInput
        let place = isCut ? "in the middle of a message, after \(unread) of its bytes" : isBusy ? "before the reply" : "between two messages"
        let cause = failure.map { ": \($0.sentence)" } ?? ""
        let sentence = "the peer ended the connection \(place)\(cause)"
        if failure == nil, !isCut, !isBusy { return end(CloseReason(by: .peer, Failure(.finished, sentence)), &actions) }
        end(CloseReason(by: failure == nil && !isCut ? .peer : .nobody, Failure(.connectionLost, sentence)), &actions)
    }

    mutating func sayFarewell(_ failure: Failure, _ actions: inout [Action]) {
        guard phase == .open else { return }
        phase = .leaving(failure)
        for token in calls.removeWaiting() {
            actions.append(.failed(token, Failure(.unavailable, "this side is leaving; the call was not begun")))
        }
        closeIfDone(&actions)
    }

    /// A side that is leaving closes when nobody waits for an outcome any more.
    mutating func closeIfDone(_ actions: inout [Action]) {
        guard case .leaving(let said) = phase, !calls.isBusy, answering == nil else { return }
        end(CloseReason(by: .us, said), &actions)
    }

    /// Ends the session. Replies that wait still leave, as far as the peer takes them; requests that wait do not.
    mutating func end(_ reason: CloseReason, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        phase = .closed
        if let token = calls.finish()?.token {
            actions.append(.failed(token, Failure(.connectionLost, "\(reason); whether the call was carried out is unknown")))
        }
        for token in calls.removeWaiting() {
            actions.append(.failed(token, Failure(.unavailable, "\(reason); the call was not begun")))
        }
        if let answer = answering { actions.append(.cancel(call: answer.call, Failure(.connectionLost, "\(reason)"))) }
        answering = nil
        actions.append(.close(reason))
    }
}
