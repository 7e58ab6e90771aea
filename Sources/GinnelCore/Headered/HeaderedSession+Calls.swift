// Calls of ours: requests out, and what answers them.

extension HeaderedSession {
    mutating func call(_ token: any OutgoingCall, _ request: OutgoingRequest, _ now: Moment, _ actions: inout [Action]) {
        if let failure = refusal(of: request, token, now) {
            actions.append(.failed(token, failure))
            return
        }
        guard outgoing.calls.waitingCount < configuration.limits.waitingCalls else {
            let sentence = "\(outgoing.calls.waitingCount) calls wait already, the limit (waitingCalls)"
            return actions.append(.failed(token, Failure(.resourceExhausted, sentence)))
        }
        outgoing.calls.wait(token, request)
        startCalls(now, &actions)
    }

    private func refusal(of request: OutgoingRequest, _ token: any OutgoingCall, _ now: Moment) -> Failure? {
        if token.isAbandoned { return Failure(.cancelled, "the caller had lost interest before the call began") }
        if phase == .closed { return Failure(.unavailable, "the connection is closed; the call was not begun") }
        if farewell.isSaid { return Failure(.unavailable, "the connection is ending; the call was not begun") }
        if let deadline = request.deadline, deadline <= now.continuous {
            return Failure(.deadlineExceeded, "the deadline had passed before the call began")
        }
        guard let method = HeaderedMethod.named(request.method) else {
            return Failure(.unknownMethod, "the headered format has no type of message for the method \"\(request.method)\"")
        }
        if request.itemsFollow { return Failure(.invalidRequest, "the headered format cannot send items with a request") }
        return fault(in: request.payload, request.codec).map { Failure($0.code, "a request of \(request.method) was not sent: \($0.sentence)") }
            ?? mismatch(method, request)
    }

    /// What is wrong with a payload that our program wants sent; `nil` when nothing is.
    func fault(in payload: [UInt8], _ codec: Codec) -> Failure? {
        guard payload.count <= configuration.maximumPayload else {
            return Failure(.tooLarge, "\(payload.count) bytes, over the limit of \(configuration.maximumPayload) (maximumPayload)")
        }
        guard !configuration.isJSON || codec == .json || codec == .raw else {
            return Failure(.unsupportedCodec, "codec \(codec.rawValue), where payloads are JSON")
        }
        return nil
    }

    /// A completion says itself whether it is to come as a stream; that must be what the method says.
    private func mismatch(_ method: HeaderedMethod, _ request: OutgoingRequest) -> Failure? {
        guard configuration.isJSON, method.type == .completionRequest else { return nil }
        do throws(JSONError) {
            let called = try HeaderedMethod(method.type, request.payload.span.bytes, configuration.json)
            return called == method ? nil : Failure(.invalidRequest, "a request of \(method.name) was not sent: its member `stream` makes it one of \(called.name)")
        } catch {
            return Failure(.invalidRequest, "a request of \(method.name) was not sent: not a valid JSON object: \(error)")
        }
    }

    /// Begins calls that wait, oldest of the highest lane first, as long as not too many are in flight.
    mutating func startCalls(_ now: Moment, _ actions: inout [Action]) {
        guard phase == .open, !farewell.isSaid else { return }
        while outgoing.calls.count < configuration.limits.announced.callsInFlight, let next = outgoing.calls.firstWaiting {
            outgoing.calls.removeFirstWaiting()
            start(next.token, next.request, now, &actions)
        }
    }

    private mutating func start(_ token: any OutgoingCall, _ request: OutgoingRequest, _ now: Moment, _ actions: inout [Action]) {
        guard let method = HeaderedMethod.named(request.method) else { return }
        guard let id = id(for: request.payload) else {
            let sentence = "a request of \(request.method) was not sent: its payload has no message id, or one that is in flight"
            return actions.append(.failed(token, Failure(.invalidRequest, sentence)))
        }
        heartbeats.noteMessage(now)
        let number = outgoing.calls.begin(.init(token: token, deadline: request.deadline, lane: request.lane, flow: .none))
        token.callNumber = number
        outgoing.exchanges.begin(number, id, method.type)
        var message = HeaderedMessage(type: method.type, flags: Self.flags(request.lane), id: id, payload: request.payload, call: number)
        if method.streams { message.flags.insert(.streaming) }
        outbox.append(message, request.lane)
    }

    static func flags(_ lane: Lane) -> HeaderedFlags { lane == .high || lane == .control ? .priority : [] }

    /// The id of a request: the next number, or what the payload says of itself.
    private mutating func id(for payload: [UInt8]) -> UInt64? {
        guard case .opaque(let messageID?) = configuration.payloads else { return takeID() }
        guard let id = messageID(payload.span.bytes), outgoing.exchanges.number(of: id) == nil else { return nil }
        return id
    }

    /// Ends a call whose caller has lost interest. The peer is told to stop, unless the request has not left.
    mutating func abandon(_ token: any OutgoingCall, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        let number = token.callNumber
        guard number != 0 else {
            token.isAbandoned = true
            if outgoing.calls.removeWaiting(token) { actions.append(.failed(token, failure)) }
            return endIfLeaving(&actions)
        }
        guard let waiter = outgoing.calls.end(number), let exchange = outgoing.exchanges.end(number) else { return }
        actions.append(.failed(waiter, failure))
        if !outbox.dropRequest(of: number) {
            let payload = configuration.isJSON ? HeaderedCancel.payload(id: exchange.id) : []
            outbox.append(control: HeaderedMessage(type: .cancel, id: exchange.id, payload: payload))
        }
        afterCallEnded(now, &actions)
    }

    private mutating func afterCallEnded(_ now: Moment, _ actions: inout [Action]) {
        startCalls(now, &actions)
        endIfLeaving(&actions)
    }

    // MARK: Answers

    /// The call that an answer is for; `nil` when it comes late. Throws when nobody can have asked.
    private func call(answeredBy header: HeaderedHeader) throws(Violation) -> UInt32? {
        if let number = outgoing.exchanges.number(of: header.id) { return number }
        if case .opaque(_?) = configuration.payloads { return nil }
        guard header.id < nextID, header.id > 0 else {
            throw Violation(.protocolViolation, "\(header.type) with the unknown id \(header.id): nothing with that id was asked")
        }
        return nil
    }

    /// The call has its answer.
    private mutating func finish(_ number: UInt32) -> (any OutgoingCall)? {
        outgoing.exchanges.end(number)
        return outgoing.calls.end(number)
    }

    mutating func takeAnswer(_ header: HeaderedHeader, _ range: Range<Int>, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        guard let number = try call(answeredBy: header), let exchange = outgoing.exchanges[number] else { return }
        guard exchange.type.answer == header.type else {
            throw Violation(.protocolViolation, "\(header.type) in answer to \(exchange.type), id \(header.id)")
        }
        if let token = finish(number) { actions.append(.replied(token, codec: configuration.codec, payload: .borrowed(range))) }
        afterCallEnded(now, &actions)
    }

    mutating func takeChunk(
        _ header: HeaderedHeader, _ range: Range<Int>, of input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]
    ) throws(Violation) {
        var content = range
        var isFinal = !header.flags.contains(.streaming)
        let number = try call(answeredBy: header)
        if configuration.isJSON {
            let chunk = try HeaderedChunk(input.extracting(range), configuration.json)
            if let number { try follow(chunk, number, header.id) }
            content = range.lowerBound + chunk.content.lowerBound..<range.lowerBound + chunk.content.upperBound
            isFinal = chunk.isFinal
        }
        guard let number, let token = outgoing.calls[number]?.token else { return }
        if !content.isEmpty || !isFinal {
            outgoing.exchanges.noteItem(content.count, of: number)
            actions.append(.streamed(token, codec: configuration.codec, payload: .borrowed(content)))
        }
        guard isFinal else { return }
        _ = finish(number)
        actions.append(.replied(token, codec: configuration.codec, payload: .empty))
        afterCallEnded(now, &actions)
    }

    private mutating func follow(_ chunk: HeaderedChunk, _ number: UInt32, _ id: UInt64) throws(Violation) {
        if let expected = outgoing.exchanges[number]?.sequence, chunk.sequence != expected {
            throw Violation(.protocolViolation, "chunk \(chunk.sequence) of the answer to id \(id) where \(expected) is due")
        }
        outgoing.exchanges.setNextSequence(chunk.sequence &+ 1, of: number)
    }

    mutating func takeError(_ id: UInt64, _ payload: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        let failure: Failure
        if configuration.isJSON {
            failure = try Failure(headered: payload, configuration.json)
        } else {
            failure = Failure(.headeredError, "the peer answered with an error", details: payload.copied())
        }
        if id == 0, outgoing.exchanges.number(of: 0) == nil { return end(CloseReason(by: .peer, failure), telling: false, &actions) }
        guard let number = try call(answeredBy: HeaderedHeader(.error, length: payload.byteCount, id: id)) else { return }
        if let token = finish(number) { actions.append(.failed(token, failure)) }
        afterCallEnded(now, &actions)
    }
}

extension ItemFlow {
    /// Of calls in a format that has no credit.
    static let none = ItemFlow(peerWindow: 0, ownWindow: 0, sends: false, receives: false)
}

extension FailureCode {
    /// What a caller makes of an Error that it cannot read, since payloads are opaque.
    package static let headeredError = FailureCode(rawValue: 1000)
}
