// The peer's calls: requests in, answers out; and one-way messages of ours.

extension HeaderedSession {
    mutating func takeRequest(_ header: HeaderedHeader, _ range: Range<Int>, of input: borrowing RawSpan, _ actions: inout [Action]) throws(Violation) {
        guard incoming.exchanges.number(of: header.id) == nil else {
            throw Violation(.protocolViolation, "\(header.type) with the id \(header.id), which is in flight")
        }
        let lane: Lane = header.flags.contains(.priority) ? .high : .normal
        if let failure = refusal(of: header) { return answer(header.id, failure, lane) }
        let method: HeaderedMethod
        if configuration.isJSON {
            do throws(JSONError) {
                method = try HeaderedMethod(header.type, input.extracting(range), configuration.json)
            } catch {
                let sentence = "\(header.type) whose payload of \(range.count) bytes is not a valid JSON object: \(error)"
                return answer(header.id, Failure(.invalidRequest, sentence), lane)
            }
        } else {
            method = HeaderedMethod(type: header.type, streams: header.type == .completionRequest && header.flags.contains(.streaming))
        }
        let number = nextCall()
        incoming.calls.begin(number, .init(lane: lane, deadline: nil, flow: .none, isRunning: true, stopped: nil))
        incoming.exchanges.begin(number, header.id, header.type)
        actions.append(.request(IncomingRequest(call: number, method: method.name, codec: configuration.codec, payload: .borrowed(range), lane: lane)))
    }

    /// Why a request is not even begun.
    private func refusal(of header: HeaderedHeader) -> Failure? {
        if farewell.isSaid { return Failure(.unavailable, "the connection is ending; the call was not begun") }
        let limit = configuration.limits.announced.callsInFlight
        guard incoming.calls.count < limit else {
            return Failure(.resourceExhausted, "\(incoming.calls.count) requests are in flight already, the limit (callsInFlight); this one was not begun")
        }
        return nil
    }

    private mutating func nextCall() -> UInt32 {
        repeat { incoming.lastCall &+= 1 } while incoming.lastCall == 0 || incoming.calls[incoming.lastCall] != nil
        return incoming.lastCall
    }

    mutating func takeCancel(_ id: UInt64, _ payload: borrowing RawSpan, _ actions: inout [Action]) throws(Violation) {
        let named = configuration.isJSON && payload.byteCount > 0 ? try HeaderedCancel.request(payload, configuration.json) : id
        guard let named, let number = incoming.exchanges.number(of: named) else { return }
        let failure = Failure(.cancelled, "the caller has cancelled the call")
        if incoming.calls.stop(number, failure) { actions.append(.cancel(call: number, failure)) }
    }

    // MARK: Answers

    mutating func reply(_ number: UInt32, _ codec: Codec, _ payload: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        guard let exchange = incoming.exchanges[number], let type = exchange.type.answer else { return }
        if let fault = fault(in: payload, codec) {
            let code: FailureCode = fault.code == .tooLarge ? .replyTooLarge : .invalidReply
            return fail(number, Failure(code, "a reply that cannot be sent: \(fault.sentence)"), now, &actions)
        }
        if let stopped = incoming.calls[number]?.stopped { return fail(number, stopped, now, &actions) }
        guard let call = endIncoming(number, now) else { return }
        if payload.isEmpty {
            let last = configuration.isJSON ? HeaderedChunk.payload(id: exchange.id, sequence: exchange.sequence ?? 0, item: nil) : []
            outbox.append(HeaderedMessage(type: .streamChunk, flags: Self.flags(call.lane), id: exchange.id, payload: last), call.lane)
        } else {
            outbox.append(HeaderedMessage(type: type, flags: Self.flags(call.lane), id: exchange.id, payload: payload), call.lane)
        }
        endIfLeaving(&actions)
    }

    mutating func fail(_ number: UInt32, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        guard let exchange = incoming.exchanges[number], let call = endIncoming(number, now) else { return }
        answer(exchange.id, call.stopped ?? failure, call.lane)
        endIfLeaving(&actions)
    }

    private mutating func endIncoming(_ number: UInt32, _ now: Moment) -> IncomingCalls.Call? {
        guard let call = incoming.calls.end(number) else { return nil }
        incoming.exchanges.end(number)
        heartbeats.noteMessage(now)
        return call
    }

    /// Queues an Error for a request.
    private mutating func answer(_ id: UInt64, _ failure: Failure, _ lane: Lane) {
        outbox.append(HeaderedMessage(type: .error, flags: Self.flags(lane), id: id, payload: payload(of: failure)), lane)
    }

    /// An Error's payload. Where payloads are opaque only the program can make one.
    func payload(of failure: Failure) -> [UInt8] {
        guard configuration.isJSON else { return failure.details.count <= configuration.maximumPayload ? failure.details : [] }
        return failure.headeredPayload(atMost: configuration.maximumPayload)
    }

    /// One piece of a streamed answer. It waits with its handler while a good deal has not left.
    mutating func item(_ number: UInt32, _ codec: Codec, _ item: [UInt8], _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard let exchange = incoming.exchanges[number], let call = incoming.calls[number], call.stopped == nil else { return .ended }
        let limit = configuration.maximumPayload - (configuration.isJSON ? HeaderedChunk.overhead : 0)
        guard item.count <= limit else { return .tooLarge(limit: limit) }
        if let fault = fault(in: item, codec) ?? faultOfItem(item) {
            fail(number, Failure(.invalidReply, "an item that cannot be sent: \(fault.sentence)"), now, &actions)
            return .ended
        }
        guard outbox.itemBytes < configuration.limits.announced.itemWindow else { return .noRoom }
        heartbeats.noteMessage(now)
        let sequence = exchange.sequence ?? 0
        let payload = configuration.isJSON ? HeaderedChunk.payload(id: exchange.id, sequence: sequence, item: item) : item
        incoming.exchanges.setNextSequence(sequence &+ 1, of: number)
        outbox.append(HeaderedMessage(type: .streamChunk, flags: Self.flags(call.lane).union(.streaming), id: exchange.id, payload: payload), call.lane)
        endIfSlowReader(&actions)
        return phase == .closed ? .ended : .taken(mayCarryOn: true)
    }

    /// An item becomes part of a JSON object, so it must be a JSON value. One level of depth is the object's.
    private func faultOfItem(_ item: [UInt8]) -> Failure? {
        guard configuration.isJSON else { return nil }
        do throws(JSONError) {
            var limits = configuration.json
            limits.depth = max(0, limits.depth - 1)
            try JSON.validate(item.span.bytes, limits: limits)
            return nil
        } catch {
            return Failure(.invalidReply, "not valid JSON: \(error)")
        }
    }

    // MARK: One-way messages

    mutating func event(_ name: String, _ codec: Codec, _ payload: [UInt8], _ lane: Lane, _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard phase == .open, let type = HeaderedType(event: name) else { return .ended }
        if let fault = fault(in: payload, codec) { return fault.code == .tooLarge ? .tooLarge(limit: configuration.maximumPayload) : .ended }
        heartbeats.noteMessage(now)
        outbox.append(event: HeaderedMessage(type: type, flags: Self.flags(lane), id: takeID(), payload: payload), lane)
        let limit = configuration.limits.eventBytes
        if outbox.eventBytes > limit, configuration.limits.eventOverflow == .close {
            let sentence = "\(outbox.eventBytes) bytes of one-way messages wait for the peer, over the limit of \(limit) (eventBytes)"
            end(CloseReason(by: .us, Failure(.slowReader, sentence)), telling: true, &actions)
            return .ended
        }
        while outbox.eventBytes > limit { outbox.dropOldestEvent() }
        endIfSlowReader(&actions)
        return phase == .closed ? .ended : .taken(mayCarryOn: outbox.eventBytes * 2 <= limit)
    }
}
