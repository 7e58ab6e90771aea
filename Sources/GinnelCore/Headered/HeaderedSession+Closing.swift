// The end: farewells, ended channels, violations. Everything that ends a session passes through `finish`, once.

extension HeaderedSession {
    package mutating func inputEnded(_ failure: Failure?, unread: Int, at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        let isBusy = outgoing.calls.hasCallers || !incoming.calls.isEmpty
        let isCut = unread > 0
        if failure == nil, !isCut, !isBusy {
            let said = farewell.theirs ?? farewell.ours ?? Failure(.finished, "the peer ended the connection between two messages")
            return end(CloseReason(by: farewell.theirs == nil && farewell.ours != nil ? .us : .peer, said), telling: false, &actions)
        }
        let cut = wantsInput ? "in the middle of a message, after \(unread) of its bytes" : "while \(unread) bytes lay unread behind a stream that is not taken"
        let place = isCut ? cut : isBusy ? "before the answer" : "between two messages"
        let cause = failure.map { ": \($0.sentence)" } ?? ""
        let reason = Failure(.connectionLost, "the peer ended the connection \(place)\(cause)")
        end(CloseReason(by: failure == nil && !isCut ? .peer : .nobody, reason), telling: false, &actions)
    }

    mutating func sayFarewell(_ failure: Failure, _ actions: inout [Action]) {
        guard phase != .closed, farewell.ours == nil else { return }
        farewell.ours = failure
        outbox.append(control: HeaderedMessage(type: .disconnect, id: 0, payload: []))
        refuseWaiting("this side is leaving", &actions)
        endIfLeaving(&actions)
    }

    mutating func refuseWaiting(_ why: String, _ actions: inout [Action]) {
        for token in outgoing.calls.removeWaiting(where: { _ in true }) {
            actions.append(.failed(token, Failure(.unavailable, "\(why); the call was not begun")))
        }
    }

    /// Once either side has said Disconnect, the session ends with the last call.
    mutating func endIfLeaving(_ actions: inout [Action]) {
        guard farewell.isSaid, phase != .closed, !outgoing.calls.hasCallers, incoming.calls.isEmpty else { return }
        if let said = farewell.ours { return finish(CloseReason(by: .us, said), &actions) }
        if let said = farewell.theirs { finish(CloseReason(by: .peer, said), &actions) }
    }

    /// Ends at once. Nothing that waits leaves any more but the reason, so that a peer that reads slowly hears it soon.
    mutating func end(_ reason: CloseReason, telling: Bool, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        let unsent = outbox.dropAll()
        if telling { outbox.append(control: HeaderedMessage(type: .error, id: 0, payload: payload(of: reason.failure))) }
        for (token, number) in outgoing.calls.removeAll() {
            let begun = number != 0 && !unsent.contains(number)
            let failure =
                begun
                ? Failure(.connectionLost, "\(reason); whether the call was carried out is unknown")
                : Failure(.unavailable, "\(reason); the call was not begun")
            actions.append(.failed(token, failure))
        }
        outgoing.exchanges.removeAll()
        for call in incoming.calls.removeAll() {
            actions.append(.cancel(call: call, Failure(.connectionLost, "\(reason)")))
        }
        incoming.exchanges.removeAll()
        finish(reason, &actions)
    }

    private mutating func finish(_ reason: CloseReason, _ actions: inout [Action]) {
        phase = .closed
        actions.append(.close(reason))
    }
}
