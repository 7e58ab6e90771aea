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
        let finding = key.map { took($0) } ?? .new
        if case .answered(let answer) = finding { return send(answer, to: known) }
        if finding == .inHand { return incoming.hold(known, now) }
        if let failure = configuration.requests?.begin(known.bytes) {
            forget(key)
            return end(CloseReason(by: .us, failure), &actions)
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

    private mutating func noteAnswered(_ id: Identity, _ answer: EnvelopeMemory.Answer) {
        if let shared = configuration.memory { return shared.answered(id, answer) }
        memory.answered(id, answer)
    }

    /// It was not dealt with, and is new when it comes again.
    private mutating func forget(_ key: Identity?) {
        guard let key else { return }
        if let shared = configuration.memory { shared.forgot(key) } else { memory.forgot(key) }
    }

    /// The connection ends. What a service has in hand goes on and is answered on a later one; a client's messages may wait for their turn, which they lose, so they are new when they come again.
    mutating func forgetInHand() {
        guard role == .client else { return }
        for key in incoming.keys { forget(key) }
    }

    private func finding(_ id: Identity) -> EnvelopeMemory.Finding { configuration.memory?.finding(id) ?? memory.finding(id) }

    /// Answers repeated messages whose first arrival was answered meanwhile. One that was forgotten since was answered long ago.
    mutating func lookAgain(_ now: Moment) {
        let repeated = incoming.takeRepeated(now)
        guard !repeated.isEmpty else { return }
        var waiting: [EnvelopeIncoming.Message] = []
        for message in repeated {
            switch message.key.map({ finding($0) }) ?? .new {
            case .inHand: waiting.append(message)
            case .answered(let answer): send(answer, to: message)
            case .new: send(.acknowledged, to: message)
            }
        }
        incoming.putBack(waiting, now)
    }

    // MARK: Answers

    /// Where there is still somebody to be told.
    private mutating func send(_ answer: EnvelopeMemory.Answer, to message: EnvelopeIncoming.Message) {
        guard phase != .closed else { return }
        switch answer {
        case .acknowledged: acknowledge(message, nil)
        case .failed(let sentence): acknowledge(message, sentence)
        case .message(let text): outbox.append(text)
        }
    }

    private mutating func acknowledge(_ message: EnvelopeIncoming.Message, _ error: String?) {
        outbox.append(self.message(EnvelopeMessage.acknowledgment, EnvelopeAcknowledgment.payload(of: message.id, error, configuration.time())))
    }

    /// The program is done with a message, and this is its answer. Also when the connection was lost meanwhile: its sender asks again on another one.
    private mutating func finish(_ number: UInt32, _ answer: EnvelopeMemory.Answer, _ now: Moment) {
        guard let message = incoming.end(number) else { return }
        configuration.requests?.end(message.bytes)
        if let key = message.key { noteAnswered(key, answer) }
        heartbeats.noteMessage(now)
        send(answer, to: message)
    }

    /// Nothing is an acknowledgement, everything else must be a message.
    mutating func reply(_ number: UInt32, _ bytes: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        guard incoming.type(of: number) != nil else { return endIfLeaving(&actions) }
        do throws(Violation) {
            let answer = bytes.isEmpty ? nil : try EnvelopeAnswer(bytes, configuration)
            finish(number, answer.map { .message(message($0.type, $0.payload)) } ?? .acknowledged, now)
            endIfLeaving(&actions)
        } catch {
            fail(number, error.failure, now, &actions)
        }
    }

    mutating func fail(_ number: UInt32, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        guard let type = incoming.type(of: number) else { return }
        finish(number, .failed(failure.envelopeSentence(of: type)), now)
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
