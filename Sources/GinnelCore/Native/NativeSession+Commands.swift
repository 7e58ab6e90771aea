// What the program wants: calls, replies, items, events, farewell.

extension NativeSession {
    @discardableResult
    package mutating func submit(_ command: Command, at now: Moment, _ actions: inout [Action]) -> Acceptance {
        switch command {
        case .call(let token, let request): call(token, request, now, &actions)
        case .abandon(let token, let failure): abandon(token, failure, now, &actions)
        case .sendItem(let token, let codec, let payload): return sendItem(token, codec, payload, now, &actions)
        case .grant(let token, let bytes): if token.callNumber != 0 { grant(token.callNumber, bytes) }
        case .reply(let call, let codec, let payload): reply(call, codec, payload, now, &actions)
        case .fail(let call, let failure): if incoming[call]?.isRunning == true { fail(call, failure, now, &actions) }
        case .item(let call, let codec, let payload): return item(call, codec, payload, now, &actions)
        case .accept(let call, let bytes): grant(call, bytes)
        case .event(let name, let codec, let payload, let lane): return event(name, codec, payload, lane, now, &actions)
        case .message(let message): return send(message, now, &actions)
        case .acknowledge(let id, let code): return acknowledge(id, code, &actions)
        case .ping(let value):
            guard phase == .open else { return .ended }
            control(.ping, payload: value.littleEndianBytes)
        case .farewell(let failure): sayFarewell(failure, &actions)
        case .upgrade(let answer): return upgrade(answer, now, &actions)
        case .close(let failure): end(CloseReason(by: .us, failure), telling: true, &actions)
        }
        endIfSlowReader(&actions)
        return .taken(mayCarryOn: true)
    }

    // MARK: Outgoing calls

    private mutating func call(_ token: any OutgoingCall, _ request: OutgoingRequest, _ now: Moment, _ actions: inout [Action]) {
        if let failure = refusal(of: request, token, now) {
            actions.append(.failed(token, failure))
            return
        }
        if phase == .open, outgoing.waitingCount == 0, mayStart(request) { return start(token, request, now, &actions) }
        guard outgoing.waitingCount < configuration.limits.waitingCalls else {
            actions.append(.failed(token, Failure(.resourceExhausted, "\(outgoing.waitingCount) calls wait already, the limit (waitingCalls)")))
            return
        }
        outgoing.wait(token, request)
        startCalls(now, &actions)  // a higher lane goes before those that wait for the window
    }

    /// Why a call cannot even wait.
    private func refusal(of request: OutgoingRequest, _ token: any OutgoingCall, _ now: Moment) -> Failure? {
        if token.isAbandoned { return Failure(.cancelled, "the caller had lost interest before the call began") }
        if phase == .closed { return Failure(.unavailable, "the connection is closed; the call was not begun") }
        if farewell.isSaid { return Failure(.unavailable, "the connection is ending; the call was not begun") }
        guard (1...255).contains(request.method.utf8.count) else {
            return Failure(.invalidRequest, "a method name of \(request.method.utf8.count) bytes, outside 1 to 255")
        }
        return refusalByTime(of: request, now) ?? (phase == .open ? refusalByPeer(of: request) : nil)
    }

    private func refusalByTime(of request: OutgoingRequest, _ now: Moment) -> Failure? {
        guard let deadline = request.deadline, deadline <= now.continuous else { return nil }
        return Failure(.deadlineExceeded, "the deadline had passed before the call began")
    }

    /// Why the peer would not take it; known once the handshake is done.
    private func refusalByPeer(of request: OutgoingRequest) -> Failure? {
        let bytes = size(of: request)
        guard bytes <= peerLimits.maximumMessage else {
            return Failure(.tooLarge, "a request of \(bytes) bytes, over the peer's limit of \(peerLimits.maximumMessage) (maximumMessage)")
        }
        if peerLimits.callsInFlight == 0 { return Failure(.unavailable, "the peer serves no calls") }
        guard agreement?.peerCodecs.contains(request.codec) != false else {
            return Failure(.unsupportedCodec, "the peer does not read codec \(request.codec.rawValue)")
        }
        return nil
    }

    private func size(of request: OutgoingRequest) -> Int {
        OutgoingMessage.Prefix.request(method: request.method, timeLeft: 0, trace: request.trace).byteCount + request.payload.count
    }

    private func mayStart(_ request: OutgoingRequest) -> Bool {
        outgoing.count < peerLimits.callsInFlight && outbound.requests.balance >= size(of: request)
    }

    private mutating func start(_ token: any OutgoingCall, _ request: OutgoingRequest, _ now: Moment, _ actions: inout [Action]) {
        liveness.noteMessage(now)
        let flow = ItemFlow(peerWindow: peerLimits.itemWindow, ownWindow: announced.itemWindow, sends: request.itemsFollow, receives: true)
        let stream = outgoing.begin(.init(token: token, deadline: request.deadline, lane: request.lane, flow: flow))
        token.callNumber = stream
        outbound.requests.spend(size(of: request))
        let timeLeft = request.deadline.map { $0 > now.continuous ? $0 - now.continuous : 0 } ?? .max
        var message = OutgoingMessage(
            .request, codec: request.codec, lane: request.lane, stream: stream, prefix: .request(method: request.method, timeLeft: timeLeft, trace: request.trace),
            payload: request.payload)
        if request.itemsFollow { message.flags.insert(.itemsFollow) }
        queue(message, &actions)
        if request.itemsFollow, phase == .open { actions.append(.mayCarryOn(token)) }
    }

    /// Starts calls that waited, as far as the peer's permission goes.
    mutating func startCalls(_ now: Moment, _ actions: inout [Action]) {
        guard phase == .open, outgoing.waitingCount > 0 else { return }
        while let next = outgoing.firstWaiting {
            if let failure = refusalByTime(of: next.request, now) ?? refusalByPeer(of: next.request) {
                outgoing.removeFirstWaiting()
                actions.append(.failed(next.token, failure))
                continue
            }
            guard mayStart(next.request) else { return }
            outgoing.removeFirstWaiting()
            start(next.token, next.request, now, &actions)
        }
    }

    /// A call's number is free again: the next may start, or the session may end.
    mutating func afterCallEnded(_ now: Moment, _ actions: inout [Action]) {
        startCalls(now, &actions)
        endIfLeaving(&actions)
    }

    mutating func abandon(_ token: any OutgoingCall, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        let stream = token.callNumber
        guard stream != 0 else {
            token.isAbandoned = true
            if outgoing.removeWaiting(token) {
                actions.append(.failed(token, failure))
                startCalls(now, &actions)
            }
            return
        }
        guard let waiter = outgoing.takeToken(stream) else { return }
        actions.append(.failed(waiter, failure))
        inbound.assembler.forget(stream: stream)
        let dropped = outbound.lanes.drop(stream: stream)
        if dropped.requestUnsent {
            _ = outgoing.end(stream)
            outbound.requests.refund(dropped.requestBytes)
            afterCallEnded(now, &actions)
        } else {
            control(.cancel, stream: stream, payload: failure.code.rawValue.littleEndianBytes)
            // Nobody waits for its end any more; a session that only waited for that is over.
            endIfLeaving(&actions)
        }
    }

    // MARK: Items and credit

    private mutating func sendItem(
        _ token: any OutgoingCall, _ codec: Codec, _ payload: [UInt8]?, _ now: Moment, _ actions: inout [Action]
    ) -> Acceptance {
        let stream = token.callNumber
        guard stream != 0 else { return outgoing.waitsToSendItems(token) ? .noCredit : .ended }
        guard let call = outgoing[stream], !call.flow.sendEnded else { return .ended }
        guard let payload else {
            _ = try? outgoing.updateFlow(stream) { flow in flow.sendEnded = true }
            queue(OutgoingMessage(.end, lane: call.lane, stream: stream), &actions)
            return .taken(mayCarryOn: false)
        }
        guard payload.count <= peerLimits.maximumMessage else { return .tooLarge(limit: peerLimits.maximumMessage) }
        let mayCarryOn = try? outgoing.updateFlow(stream) { flow in flow.spend(payload.count) }
        return queueItem(mayCarryOn ?? nil, codec, payload, call.lane, stream, now, &actions)
    }

    private mutating func item(
        _ stream: UInt32, _ codec: Codec, _ payload: [UInt8], _ now: Moment, _ actions: inout [Action]
    ) -> Acceptance {
        guard let call = incoming[stream], call.isRunning, call.stopped == nil else { return .ended }
        guard payload.count <= peerLimits.maximumMessage else { return .tooLarge(limit: peerLimits.maximumMessage) }
        let mayCarryOn = try? incoming.updateFlow(stream) { flow in flow.spend(payload.count) }
        return queueItem(mayCarryOn ?? nil, codec, payload, call.lane, stream, now, &actions)
    }

    private mutating func queueItem(
        _ spent: ItemFlow.Spent?, _ codec: Codec, _ payload: [UInt8], _ lane: Lane, _ stream: UInt32, _ now: Moment, _ actions: inout [Action]
    ) -> Acceptance {
        guard let spent, spent != .nothing else { return .noCredit }
        liveness.noteMessage(now)
        queue(OutgoingMessage(.item, codec: codec, lane: lane, stream: stream, payload: payload), &actions)
        return .taken(mayCarryOn: spent == .moreLeft)
    }

    /// The program has consumed an item: gives the peer its credit back, in large pieces.
    private mutating func grant(_ stream: UInt32, _ bytes: Int) {
        let release = { (flow: inout ItemFlow) -> Int? in flow.receive.release(ItemFlow.cost(of: bytes)) }
        let credit = outgoing.owns(stream) ? try? outgoing.updateFlow(stream, release) : try? incoming.updateFlow(stream, release)
        if case let amount?? = credit { control(.credit, stream: stream, payload: UInt32(clamping: amount).littleEndianBytes) }
    }

    // MARK: Replies

    private mutating func reply(_ stream: UInt32, _ codec: Codec, _ payload: [UInt8], _ now: Moment, _ actions: inout [Action]) {
        guard incoming[stream]?.isRunning == true else { return }
        guard payload.count <= peerLimits.maximumMessage else {
            let sentence = "a reply of \(payload.count) bytes, over the caller's limit of \(peerLimits.maximumMessage) (maximumMessage)"
            return fail(stream, Failure(.replyTooLarge, sentence), now, &actions)
        }
        guard let call = endIncoming(stream) else { return }
        liveness.noteMessage(now)
        if let stopped = call.stopped {
            queueFailure(stopped, stream, call.lane, &actions)
        } else {
            queue(OutgoingMessage(.response, codec: codec, lane: call.lane, stream: stream, payload: payload), &actions)
        }
        endIfLeaving(&actions)
    }

    mutating func fail(_ stream: UInt32, _ failure: Failure, _ now: Moment, _ actions: inout [Action]) {
        guard let call = endIncoming(stream) else { return }
        liveness.noteMessage(now)
        queueFailure(call.stopped ?? failure, stream, call.lane, &actions)
        endIfLeaving(&actions)
    }

    /// The call has its final frame: what is left of a half-received item is dropped as it comes.
    private mutating func endIncoming(_ stream: UInt32) -> IncomingCalls.Call? {
        inbound.assembler.forget(stream: stream)
        return incoming.end(stream)
    }

    private mutating func queueFailure(_ failure: Failure, _ stream: UInt32, _ lane: Lane, _ actions: inout [Action]) {
        queue(OutgoingMessage(.failure, lane: lane, stream: stream, payload: failure.body(atMost: peerLimits.maximumMessage)), &actions)
    }

    /// The caller has lost interest.
    mutating func stopIncoming(_ stream: UInt32, cancelledBy code: FailureCode, _ now: Moment, _ actions: inout [Action]) {
        guard !outgoing.owns(stream), let call = incoming[stream] else { return }
        _ = outbound.lanes.drop(stream: stream)
        let forgotten = inbound.assembler.forget(stream: stream)
        let failure = Failure(code == .deadlineExceeded ? .deadlineExceeded : .cancelled, "the caller cancelled")
        guard call.isRunning else {
            if let charge = forgotten?.charge, let credit = inbound.requests.release(charge) {
                control(.credit, payload: UInt32(credit).littleEndianBytes)
            }
            return fail(stream, failure, now, &actions)
        }
        if incoming.stop(stream, failure) { actions.append(.cancel(call: stream, failure)) }
    }

    // MARK: Events

    private mutating func event(
        _ name: String, _ codec: Codec, _ payload: [UInt8], _ lane: Lane, _ now: Moment, _ actions: inout [Action]
    ) -> Acceptance {
        guard phase == .open, (1...255).contains(name.utf8.count) else { return .ended }
        let message = OutgoingMessage(.event, codec: codec, lane: lane, stream: 0, prefix: .event(name: name), payload: payload)
        guard message.byteCount <= peerLimits.maximumMessage else { return .tooLarge(limit: peerLimits.maximumMessage) }
        liveness.noteMessage(now)
        queue(message, &actions)
        let limit = configuration.limits.eventBytes
        while phase == .open, outbound.lanes.eventBytes > limit {
            if configuration.limits.eventOverflow == .dropOldest, outbound.lanes.dropOldestEvent() { continue }
            if configuration.limits.eventOverflow == .dropOldest { break }
            end(
                CloseReason(by: .us, Failure(.slowReader, "\(outbound.lanes.eventBytes) bytes of events wait for the peer, over the limit of \(limit) (eventBytes)")),
                telling: true, &actions)
        }
        return .taken(mayCarryOn: outbound.lanes.eventBytes * 8 < limit)
    }
}

extension ItemFlow {
    enum Spent: Sendable { case nothing, lastCredit, moreLeft }

    /// Charges an item that is about to leave, if there is credit; else notes that the program waits.
    mutating func spend(_ payload: Int) -> Spent {
        guard send.balance > 0 else {
            waitsForCredit = true
            return .nothing
        }
        send.spend(Self.cost(of: payload))
        waitsForCredit = send.balance <= 0
        return waitsForCredit ? .lastCredit : .moreLeft
    }
}
