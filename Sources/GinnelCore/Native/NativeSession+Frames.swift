// What complete messages and control frames mean.

extension NativeSession {
    // MARK: Messages

    /// Accounts for a message at its first frame. False: nobody waits for it, let it pass.
    mutating func admit(_ kind: FrameKind, _ header: FrameHeader, total: Int) throws(Violation) -> Bool {
        let stream = header.stream
        switch kind {
        case .request:
            try admitRequest(header, total: total)
            return true
        case .response, .failure:
            return outgoing.owns(stream) && outgoing[stream]?.token != nil
        case .item where outgoing.owns(stream):
            guard outgoing[stream]?.token != nil else { return false }
            return try outgoing.updateFlow(stream) { flow throws(Violation) in try flow.charge(total, stream: stream) } != nil
        case .item:
            guard let call = incoming[stream], call.stopped == nil else { return false }
            return try incoming.updateFlow(stream) { flow throws(Violation) in try flow.charge(total, stream: stream) } != nil
        case .message:
            return try admitMessage(total: total)
        default:
            return true
        }
    }

    private mutating func admitRequest(_ header: FrameHeader, total: Int) throws(Violation) {
        let stream = header.stream
        guard stream != 0, !outgoing.owns(stream) else { throw Violation(.protocolViolation, "a request on stream \(stream), which is ours to give out") }
        guard incoming[stream] == nil else { throw Violation(.protocolViolation, "a request on stream \(stream), which is in flight") }
        // The caller counts until the final frame has arrived, so those that have not left count here.
        guard incoming.count + outbound.lanes.finalFrames < announced.callsInFlight else {
            throw Violation(.flowControl, "a request beyond the \(announced.callsInFlight) calls in flight that were announced (callsInFlight)")
        }
        inbound.requests.charge(total)
        guard inbound.requests.balance >= 0 else {
            throw Violation(.flowControl, "a request of \(total) bytes beyond the window of \(announced.requestWindow) (requestWindow)")
        }
        let flow = ItemFlow(
            peerWindow: peerLimits.itemWindow, ownWindow: announced.itemWindow, sends: true, receives: header.flags.contains(.itemsFollow))
        incoming.begin(stream, .init(lane: Lane(rawValue: header.lane) ?? .normal, flow: flow, isRunning: false))
    }

    mutating func deliver(
        _ kind: FrameKind, _ header: FrameHeader, _ payload: Payload, of input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]
    ) throws(Violation) {
        let stream = header.stream
        let codec = header.flags.codec
        let payload = header.flags.contains(.compressed) ? try expand(kind, payload, of: input) : payload
        switch kind {
        case .request:
            try deliverRequest(header, payload, of: input, now, &actions)
        case .response:
            if let token = endOutgoing(stream) { actions.append(.replied(token, codec: codec, payload: payload)) }
            afterCallEnded(now, &actions)
        case .failure:
            let failure = try payload.withBytes(of: input) { bytes throws(Violation) in try Failure(body: bytes) }
            if let token = endOutgoing(stream) { actions.append(.failed(token, failure)) }
            afterCallEnded(now, &actions)
        case .item where outgoing.owns(stream):
            if let token = outgoing[stream]?.token { actions.append(.streamed(token, codec: codec, payload: payload)) }
        case .item:
            actions.append(.item(call: stream, codec: codec, payload: payload))
        case .event:
            try deliverEvent(codec, payload, of: input, &actions)
        case .message:
            try deliverMessage(header, payload, of: input, &actions)
        default:
            break
        }
    }

    /// A final frame has come: the number is free, and items that wait to be sent have lost their reader.
    private mutating func endOutgoing(_ stream: UInt32) -> (any OutgoingCall)? {
        if outgoing[stream]?.flow.sends == true {
            outbound.requests.refund(outbound.lanes.drop(stream: stream).requestBytes)
        }
        return outgoing.end(stream)
    }

    private mutating func deliverRequest(
        _ header: FrameHeader, _ payload: Payload, of input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]
    ) throws(Violation) {
        let stream = header.stream
        if let credit = inbound.requests.release(payload.count) { control(.credit, payload: UInt32(credit).littleEndianBytes) }
        let head = try payload.withBytes(of: input) { bytes throws(Violation) in try RequestHead(bytes, &inbound.names) }
        let deadline = head.timeLeft == .max ? nil : now.continuous.adding(head.timeLeft)
        incoming.run(stream, deadline: deadline)

        if let refusal = refusal(of: head, codec: header.flags.codec) {
            submit(.fail(call: stream, refusal), at: now, &actions)
            return
        }
        actions.append(
            .request(
                IncomingRequest(
                    call: stream, method: head.method ?? "", codec: header.flags.codec, payload: payload.dropping(head.byteCount), deadline: deadline,
                    lane: Lane(rawValue: header.lane) ?? .normal, itemsFollow: header.flags.contains(.itemsFollow), trace: head.trace)))
    }

    /// Why a well-formed request does not reach its handler.
    private func refusal(of head: RequestHead, codec: Codec) -> Failure? {
        // After the peer's farewell alone it is one that the farewell overtook on its way, and the peer waits for its end.
        if farewell.ours != nil { return Failure(.unavailable, "this side is shutting down and has not begun the call") }
        if head.method == nil { return Failure(.invalidRequest, "the method name is not UTF-8") }
        if head.timeLeft == 0 { return Failure(.deadlineExceeded, "the deadline had passed when the request was sent") }
        guard configuration.codecs.contains(codec) else { return Failure(.unsupportedCodec, "codec \(codec.rawValue) is not known here") }
        return nil
    }

    private mutating func deliverEvent(
        _ codec: Codec, _ payload: Payload, of input: borrowing RawSpan, _ actions: inout [Action]
    ) throws(Violation) {
        let (missed, name, head) = try payload.withBytes(of: input) { bytes throws(Violation) -> (UInt32, String?, Int) in
            guard bytes.byteCount >= 6 else { throw Violation(.protocolViolation, "an event of \(bytes.byteCount) bytes, shorter than its head") }
            let length = Int(bytes.u16(at: 4))
            guard (1...255).contains(length), bytes.byteCount - 6 >= length else {
                throw Violation(.protocolViolation, "an event's name claims \(length) bytes where \(bytes.byteCount - 6) are left and 1 to 255 are allowed")
            }
            return (bytes.u32(at: 0), inbound.names.name(bytes.extracting(6..<6 + length)), 6 + length)
        }
        guard let name else { throw Violation(.protocolViolation, "an event's name is not UTF-8") }
        actions.append(.event(name: name, codec: codec, payload: payload.dropping(head), missed: missed))
    }

    // MARK: Control frames

    mutating func takeControl(
        _ kind: FrameKind, _ stream: UInt32, _ payload: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]
    ) throws(Violation) {
        switch kind {
        case .hello where role == .service: try greet(payload, now, &actions)
        case .welcome where role == .client: try accept(payload, now, &actions)
        case .reject where role == .client: end(CloseReason(by: .peer, try Failure(body: payload)), telling: false, &actions)
        case .end: try takeEnd(stream, &actions)
        case .credit:
            try expect(4, payload, kind)
            try takeCredit(stream, payload.u32(at: 0), now, &actions)
        case .cancel:
            try expect(4, payload, kind)
            stopIncoming(stream, cancelledBy: FailureCode(rawValue: payload.u32(at: 0)), now, &actions)
        case .acknowledge: try takeAcknowledgements(payload, &actions)
        case .ping:
            try expect(8, payload, kind)
            control(.pong, payload: payload.copied())
        case .pong:
            try expect(8, payload, kind)
            actions.append(.pong(payload.u64(at: 0)))
        case .goodbye: takeGoodbye(try Failure(body: payload), &actions)
        default: throw Violation(.protocolViolation, "\(kind) from the \(role.other)")
        }
    }

    private func expect(_ count: Int, _ payload: borrowing RawSpan, _ kind: FrameKind) throws(Violation) {
        guard payload.byteCount == count else { throw Violation(.protocolViolation, "\(kind) of \(payload.byteCount) bytes where \(count) are due") }
    }

    private mutating func takeEnd(_ stream: UInt32, _ actions: inout [Action]) throws(Violation) {
        guard !outgoing.owns(stream) else { throw Violation(.protocolViolation, "an end of items on stream \(stream) from the callee") }
        guard let call = incoming[stream], call.stopped == nil else { return }
        guard !inbound.assembler.contains(stream: stream) else {
            throw Violation(.protocolViolation, "an end of items on stream \(stream) in the middle of a message")
        }
        guard !call.flow.receiveEnded else { throw Violation(.protocolViolation, "a second end of items on stream \(stream)") }
        _ = try incoming.updateFlow(stream) { flow in flow.receiveEnded = true }
        actions.append(.item(call: stream, codec: .raw, payload: nil))
    }

    private mutating func takeCredit(_ stream: UInt32, _ bytes: UInt32, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        if stream == 0 {
            try outbound.requests.add(Int(bytes))
            return startCalls(now, &actions)
        }
        let mayCarryOn = { (flow: inout ItemFlow) throws(Violation) -> Bool in
            try flow.send.add(Int(bytes))
            guard flow.waitsForCredit, flow.send.balance > 0 else { return false }
            flow.waitsForCredit = false
            return true
        }
        if outgoing.owns(stream) {
            guard try outgoing.updateFlow(stream, mayCarryOn) == true, let token = outgoing[stream]?.token else { return }
            actions.append(.mayCarryOn(token))
        } else if try incoming.updateFlow(stream, mayCarryOn) == true {
            actions.append(.carryOn(call: stream))
        }
    }

    private mutating func takeGoodbye(_ failure: Failure, _ actions: inout [Action]) {
        if failure.code == .allAnswered, let said = farewell.theirs {
            return end(CloseReason(by: .peer, said), telling: false, allAnswered: true, &actions)
        }
        guard failure.code == .shuttingDown || failure.code == .finished, phase == .open else {
            return end(CloseReason(by: .peer, failure), telling: false, &actions)
        }
        farewell.theirs = failure
        refuseWaiting("the peer is leaving and begins no new call", &actions)
        actions.append(.farewell(failure))
    }
}

/// What stands before a request's payload (docs/protocol.md §5).
struct RequestHead {
    /// Nanoseconds; all ones when there is no deadline.
    let timeLeft: UInt64
    /// `nil` when it is not UTF-8.
    let method: String?
    let trace: TraceContext?
    let byteCount: Int

    init(_ bytes: borrowing RawSpan, _ names: inout NameCache) throws(Violation) {
        guard bytes.byteCount >= 12 else { throw Violation(.protocolViolation, "a request of \(bytes.byteCount) bytes, shorter than its head of 12") }
        timeLeft = bytes.u64(at: 0)
        let nameLength = Int(bytes.u16(at: 8))
        let fieldsLength = Int(bytes.u16(at: 10))
        guard (1...255).contains(nameLength), fieldsLength <= Fields.maximumBytes, bytes.byteCount - 12 >= nameLength + fieldsLength else {
            throw Violation(.protocolViolation, "a request of \(bytes.byteCount) bytes claims a method name of \(nameLength) (1 to 255) and fields of \(fieldsLength)")
        }
        method = names.name(bytes.extracting(12..<12 + nameLength))
        byteCount = 12 + nameLength + fieldsLength
        trace = fieldsLength > 0 ? TraceContext(try Fields(bytes.extracting(12 + nameLength..<byteCount))) : nil
    }
}

extension Payload {
    /// The same without its first `count` bytes.
    func dropping(_ count: Int) -> Payload {
        switch self {
        case .borrowed(let range): .borrowed(range.lowerBound + count..<range.upperBound)
        case .owned(let bytes, let head): .owned(bytes, dropping: head + count)
        }
    }
}
