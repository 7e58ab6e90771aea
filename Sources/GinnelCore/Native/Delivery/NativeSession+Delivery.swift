// Messages that are acknowledged: sending them, taking them, answering them (docs/protocol.md §9).
//
// The session keeps nothing that outlives it. A message for which there is no window stays with its sender; what the peer has sent twice is told apart above.

extension NativeSession {
    /// Bytes of acknowledgements that are not in a frame yet. They are gathered until the next frames are asked for.
    var answerBytes: Int { delivery?.incoming.answerBytes ?? 0 }

    // MARK: What the program wants

    mutating func send(_ delivery: OutgoingDelivery, _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        guard phase == .open, !farewell.isSaid, let longest = self.delivery?.outgoing.longest, self.delivery?.outgoing.mayFollow(delivery.id, delivery.lane) == true,
            delivery.lane != .control, delivery.floor >= 1, delivery.floor <= delivery.id, (1...255).contains(delivery.name.utf8.count)
        else { return .ended }
        let message = OutgoingMessage(
            .message, codec: delivery.codec, lane: delivery.lane, stream: 0,
            prefix: .message(id: delivery.id, floor: delivery.floor, name: delivery.name, redelivered: delivery.redelivered), payload: delivery.payload)
        guard message.byteCount <= longest else { return .tooLarge(limit: longest) }
        guard self.delivery?.outgoing.begin(delivery.id, delivery.lane, bytes: message.byteCount) == true else { return .noCredit }
        liveness.noteMessage(now)
        queue(message, &actions)
        return .taken(mayCarryOn: true)
    }

    mutating func acknowledge(_ id: UInt64, _ code: FailureCode?, _ actions: inout [Action]) -> Acceptance {
        guard phase == .open, delivery?.incoming.end(Acknowledgement(id: id, refusal: code)) == true else { return .ended }
        endIfSlowReader(&actions)
        endIfLeaving(&actions)
        return .taken(mayCarryOn: true)
    }

    /// Puts the acknowledgements that have gathered into frames.
    mutating func sealAnswers() {
        guard answerBytes > 0, let answers = delivery?.incoming.takeAnswers() else { return }
        for start in stride(from: 0, to: answers.count, by: Acknowledgement.mostInFrame) {
            control(.acknowledge, payload: answers[start..<min(start + Acknowledgement.mostInFrame, answers.count)].flatMap(\.encoded))
        }
    }

    // MARK: What arrives

    /// A message begins.
    mutating func admitMessage(total: Int) throws(Violation) -> Bool {
        try delivery?.incoming.charge(total)
        return true
    }

    /// It is complete. One that has crossed this side's farewell is not answered, and its sender keeps it for another connection.
    mutating func deliverMessage(_ header: FrameHeader, _ payload: Payload, of input: borrowing RawSpan, _ actions: inout [Action]) throws(Violation) {
        let head = try payload.withBytes(of: input) { bytes throws(Violation) in try MessageHead(bytes, &inbound.names) }
        guard farewell.ours == nil else { return }
        try delivery?.incoming.begin(head.id, header.lane, bytes: payload.count)
        actions.append(
            .message(
                IncomingDelivery(
                    id: head.id, floor: head.floor, redelivered: head.redelivered, lane: Lane(rawValue: header.lane) ?? .normal, name: head.name, codec: header.flags.codec,
                    payload: payload.dropping(head.byteCount))))
    }

    mutating func takeAcknowledgements(_ payload: borrowing RawSpan, _ actions: inout [Action]) throws(Violation) {
        let list = try Acknowledgement.all(in: payload)
        for answer in list { try delivery?.outgoing.end(answer.id) }
        actions.append(.acknowledged(list))
        if !farewell.isSaid, delivery?.outgoing.foundRoom() == true { actions.append(.messagesMayCarryOn) }
        endIfLeaving(&actions)
    }
}
