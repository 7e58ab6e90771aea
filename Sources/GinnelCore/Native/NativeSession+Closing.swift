// The end: farewells, broken channels, violations. Everything that ends a session passes through `end`, once.

extension NativeSession {
    package mutating func inputEnded(_ failure: Failure?, unread: Int, at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        if let reader = encryption.reader, !reader.hasEnded { return endCutOff(failure, unread: unread, &actions) }
        if let said = farewell.theirs { return end(CloseReason(by: .peer, said), telling: false, &actions) }
        if let said = farewell.ours, isAtRest { return end(CloseReason(by: .us, said), telling: false, &actions) }
        let place = unread > 0 ? "in the middle of a frame, after \(unread) of its bytes" : phase == .open ? "without a farewell" : "during the handshake"
        let cause = failure.map { ": \($0.sentence)" } ?? ""
        end(CloseReason(by: .nobody, Failure(.connectionLost, "the peer ended the connection \(place)\(cause)")), telling: false, &actions)
    }

    /// A sealed stream has ended without its final record: nobody can tell what else would have come.
    private mutating func endCutOff(_ failure: Failure?, unread: Int, _ actions: inout [Action]) {
        let place = unread > 0 ? "in the middle of a record, after \(unread) of its bytes" : phase == .open ? "before its final record" : "before the peer had proven its keys"
        let cause = failure.map { ": \($0.sentence)" } ?? ""
        end(CloseReason(by: .nobody, Failure(.connectionLost, "the sealed stream was cut off \(place)\(cause)")), telling: false, &actions)
    }

    mutating func sayFarewell(_ failure: Failure, _ actions: inout [Action]) {
        guard phase != .closed, farewell.ours == nil else { return }
        guard phase == .open else { return refuse(failure, &actions) }
        farewell.ours = failure
        tell(failure)
        refuseWaiting("this side is leaving", &actions)
        endIfLeaving(&actions)
    }

    /// Nobody waits for a call or a message any more.
    private var isAtRest: Bool { !outgoing.hasCallers && incoming.isEmpty && delivery?.isEmpty != false }

    /// The side that said GOODBYE closes when the last call has ended that somebody waits for, and the last message under way is acknowledged.
    mutating func endIfLeaving(_ actions: inout [Action]) {
        guard let said = farewell.ours, phase == .open, isAtRest else { return }
        let body = Failure(.allAnswered, "").body(atMost: Failure.maximumControlBody)
        outbound.lanes.appendLast(.goodbye, payload: body, sealed: outbound.sealed)
        finish(CloseReason(by: .us, said), &actions)
    }

    mutating func refuseWaiting(_ why: String, _ actions: inout [Action]) {
        for token in outgoing.removeWaiting(where: { _ in true }) {
            actions.append(.failed(token, Failure(.unavailable, "\(why); the call was not begun")))
        }
    }

    /// Ends at once. Of what waits to be sent only the handshake still leaves, and then the farewell, so that a peer that reads slowly hears it soon.
    ///
    /// - Parameter allAnswered: the peer has answered what it had read: calls without an answer were not begun.
    mutating func end(_ reason: CloseReason, telling: Bool, allAnswered: Bool = false, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        let unsent = outbound.lanes.dropAll()
        if telling { tell(reason.failure) }
        for (token, stream) in outgoing.removeAll() {
            let begun = stream != 0 && !unsent.contains(stream) && !allAnswered
            let failure =
                begun
                ? Failure(.connectionLost, "\(reason); whether the call was carried out is unknown")
                : Failure(.unavailable, "\(reason); the call was not begun")
            actions.append(.failed(token, failure))
        }
        for call in incoming.removeAll() {
            actions.append(.cancel(call: call, Failure(.connectionLost, "\(reason)")))
        }
        inbound.assembler.removeAll()
        delivery = nil
        finish(reason, &actions)
    }

    /// Says GOODBYE, or REJECT before the handshake is done. For that a client has no word and says nothing.
    private mutating func tell(_ failure: Failure) {
        let body = failure.body(atMost: Failure.maximumControlBody)
        if phase == .open || phase == .proving {
            control(.goodbye, payload: body)
        } else if role == .service {
            outbound.lanes.appendControl(raw: Preamble.bytes)
            control(.reject, payload: body)
        }
    }

    private mutating func finish(_ reason: CloseReason, _ actions: inout [Action]) {
        phase = .closed
        if reason.by != .nobody { encryption.writer?.finish() }
        actions.append(.close(reason))
    }
}
