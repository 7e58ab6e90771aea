// What the other side sends, and how it is answered.

extension EnvelopeSession {
    mutating func take(_ message: EnvelopeMessage, of input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        switch message.type {
        case EnvelopeMessage.heartbeat:
            let payload = EnvelopeAcknowledgment.payload(of: message.id ?? takeID(), nil, configuration.time())
            return outbox.append(control: self.message(EnvelopeMessage.acknowledgment, payload))
        case EnvelopeMessage.acknowledgment:
            return takeAcknowledgment(try EnvelopeAcknowledgment(input.extracting(message.payload), configuration.json), now, &actions)
        default: break
        }
        heartbeats.noteMessage(now)
        if takeAnswer(message, now, &actions) || phase == .closed { return }
        guard role == .service || configuration.received.contains(message.type) else {
            return actions.append(.event(name: message.type, codec: .json, payload: .borrowed(message.payload), missed: 0))
        }
        // Not begun, not answered: whoever keeps it sends it again.
        guard phase == .open else { return }
        hand(message, now, &actions)
    }

    /// Hands a message to the program, unless it has come before.
    private mutating func hand(_ message: EnvelopeMessage, _ now: Moment, _ actions: inout [Action]) {
        let key = message.id.flatMap { EnvelopeID.number($0) }
        let known = EnvelopeIncoming.Message(id: message.id ?? takeID(), key: key, type: message.type, bytes: message.payload.count)
        switch key.map({ took($0) }) ?? .new {
        case .new: break
        case .inHand: return incoming.hold(known, now)
        case .answered(let error): return acknowledge(known, error)
        }
        let number = incoming.begin(known)
        if role == .service {
            actions.append(.request(IncomingRequest(call: number, method: message.type, codec: .json, payload: .borrowed(message.payload))))
        } else {
            let delivery = IncomingDelivery(
                id: UInt64(number), floor: 1, redelivered: false, lane: .normal, name: message.type, codec: .json, payload: .borrowed(message.payload))
            actions.append(.message(delivery))
        }
    }

    // MARK: What came before

    private mutating func took(_ id: Identity) -> EnvelopeMemory.Finding {
        if let shared = configuration.memory { return shared.took(id) }
        return memory.took(id)
    }

    private mutating func noteAnswered(_ id: Identity, _ error: String?) {
        if let shared = configuration.memory { return shared.answered(id, error) }
        memory.answered(id, error)
    }

    /// The connection ends. What a service has in hand goes on and is answered on a later one; a client's messages may wait for their turn, which they lose, so they are new when they come again.
    mutating func forgetInHand() {
        guard role == .client else { return }
        for key in incoming.keys {
            if let shared = configuration.memory { shared.forgot(key) } else { memory.forgot(key) }
        }
    }

    private func finding(_ id: Identity) -> EnvelopeMemory.Finding { configuration.memory?.finding(id) ?? memory.finding(id) }

    /// Answers repeated messages whose first arrival was answered meanwhile. One that was forgotten since was answered long ago.
    mutating func lookAgain(_ now: Moment) {
        guard let time = incoming.lookAgainAt, now.awake >= time else { return }
        for message in incoming.takeRepeated() {
            switch message.key.map({ finding($0) }) ?? .new {
            case .inHand: incoming.hold(message, now)
            case .answered(let error): acknowledge(message, error)
            case .new: acknowledge(message, nil)
            }
        }
    }

    // MARK: Answers

    /// An acknowledgement, where there is still somebody to be told.
    private mutating func acknowledge(_ message: EnvelopeIncoming.Message, _ error: String?) {
        guard phase != .closed else { return }
        outbox.append(self.message(EnvelopeMessage.acknowledgment, EnvelopeAcknowledgment.payload(of: message.id, error, configuration.time())))
    }

    /// The program is done with a message. Also when the connection was lost meanwhile: its sender asks again on another one.
    private mutating func finish(_ number: UInt32, _ error: String?, _ now: Moment) -> EnvelopeIncoming.Message? {
        guard let message = incoming.end(number) else { return nil }
        if let key = message.key { noteAnswered(key, error) }
        heartbeats.noteMessage(now)
        return message
    }

    /// Nothing is an acknowledgement, everything else must be a message.
    mutating func reply(_ number: UInt32, _ bytes: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        if bytes.isEmpty {
            if let message = finish(number, nil, now) { acknowledge(message, nil) }
            return endIfLeaving(&actions)
        }
        do throws(Violation) {
            let answer = try EnvelopeAnswer(bytes, configuration)
            if finish(number, nil, now) != nil, phase != .closed { outbox.append(message(answer.type, answer.payload)) }
            endIfLeaving(&actions)
        } catch {
            fail(number, error.failure, now, &actions)
        }
    }

    mutating func fail(_ number: UInt32, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        guard let type = incoming.type(of: number) else { return }
        let sentence = failure.envelopeSentence(of: type)
        if let message = finish(number, sentence, now) { acknowledge(message, sentence) }
        endIfLeaving(&actions)
    }

    /// The answer to what was handed over as a message.
    mutating func acknowledge(_ id: UInt64, _ code: FailureCode?, _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard let number = UInt32(exactly: id), incoming.type(of: number) != nil else { return .ended }
        if let code { fail(number, Failure(code, ""), now, &actions) } else { reply(number, [], now, &actions) }
        endIfSlowReader(&actions)
        return .taken(mayCarryOn: true)
    }
}
