// Bytes from the peer: preamble, frames, chunks. What a complete frame means is in NativeSession+Frames.

extension NativeSession {
    package mutating func receive(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Int {
        guard phase != .closed else { return input.byteCount }
        liveness.noteHeard(now)
        var offset = 0
        do throws(Violation) {
            if phase == .preamble {
                guard try readPreamble(input, &actions) else { return 0 }
                offset = Preamble.size
            }
            if encryption.reader == nil { try takeFrames(input, &offset, now, &actions) }
            if encryption.reader != nil { try takeRecords(input, &offset, now, &actions) }
            if upgrade.inputIsSwitching { offset = try switchInput(input, offset, &actions) }
        } catch {
            end(CloseReason(by: .us, error.failure), telling: true, &actions)
        }
        return offset
    }

    /// Takes as many frames as there are, and moves `offset` behind each. Stops where sealed records follow.
    mutating func takeFrames(_ input: borrowing RawSpan, _ offset: inout Int, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        while phase != .closed, phase != .proving, !upgrade.inputIsSwitching, input.byteCount - offset >= FrameHeader.size {
            let header = FrameHeader(input, at: offset)
            let kind = try check(header)
            guard input.byteCount - offset - FrameHeader.size >= header.length else { break }
            if outbound.sealed, !header.isIntact(in: input, at: offset) {
                throw Violation(.checksumMismatch, "a frame of kind \(header.kind) on stream \(header.stream) does not match its checksum")
            }
            let payload = offset + FrameHeader.size..<offset + FrameHeader.size + header.length
            if let kind { try take(kind, header, payload, of: input, now, &actions) }
            offset = payload.upperBound
            endIfSlowReader(&actions)
        }
    }

    /// True when the preamble was read; false while it is incomplete or the session has ended over it.
    private mutating func readPreamble(_ input: borrowing RawSpan, _ actions: inout [Action]) throws(Violation) -> Bool {
        switch Preamble.check(input) {
        case .incomplete: return false
        case .matches:
            phase = .greeting
            return true
        case .stranger:
            end(CloseReason(by: .us, Failure(.protocolViolation, "the first bytes are not those of ginnel/\(Preamble.majorVersion)")), telling: false, &actions)
            return false
        case .otherVersion(let major):
            let failure = Failure(.versionUnsupported, "major version \(major) is not \(Preamble.majorVersion)")
            phase = .greeting
            refuse(failure, &actions)
            return false
        }
    }

    /// What can be refused by its header alone, before any memory is taken for it. The kind, or `nil` for one to skip.
    private func check(_ header: FrameHeader) throws(Violation) -> FrameKind? {
        let limit = phase == .greeting ? Fields.maximumBytes : FrameHeader.maximumPayload
        guard header.length <= limit else {
            throw Violation(.frameTooLarge, "a frame of \(header.length) bytes, over the limit of \(limit)")
        }
        guard header.handles == 0 || header.kind == FrameKind.upgrade.rawValue else {
            throw Violation(.protocolViolation, "\(header.handles) handles on a frame of kind \(header.kind), which has none in version 1.0")
        }
        guard let kind = FrameKind(rawValue: header.kind) else {
            guard header.kind >= FrameKind.firstExtension, phase == .open else {
                throw Violation(.protocolViolation, "unknown frame kind \(header.kind)")
            }
            return nil
        }
        let greets = kind == .hello || kind == .welcome || kind == .reject
        guard greets == (phase == .greeting) || (kind == .goodbye && phase == .greeting) else {
            throw Violation(.protocolViolation, "\(kind) \(phase == .greeting ? "during" : "after") the handshake")
        }
        guard !kind.needsDelivery || delivery != nil else { throw Violation(.protocolViolation, "\(kind) without delivery, which is not in force (feature bit 2)") }
        if header.flags.contains(.compressed), !kind.isCompressible || agreement?.features.contains(.compression) != true {
            throw Violation(.protocolViolation, "the flag for compressed messages on \(kind)")
        }
        guard kind.isChunkable || header.flags.isDisjoint(with: [.more, .continued]) else {
            throw Violation(.protocolViolation, "\(kind) in chunks")
        }
        guard Lane(rawValue: header.lane) != nil else { throw Violation(.protocolViolation, "unknown lane \(header.lane)") }
        guard kind != .message || header.lane != Lane.control.rawValue else { throw Violation(.protocolViolation, "a message in the lane of control frames") }
        guard kind == .credit || (header.stream == 0) == kind.belongsToConnection else {
            throw Violation(.protocolViolation, "\(kind) on stream \(header.stream)")
        }
        return kind
    }

    private mutating func take(
        _ kind: FrameKind, _ header: FrameHeader, _ range: Range<Int>, of input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]
    ) throws(Violation) {
        let payload = input.extracting(range)
        guard kind.isChunkable else {
            if kind == .upgrade { return try takeUpgrade(payload, handles: Int(header.handles), &actions) }
            return try takeControl(kind, header.stream, payload, now, &actions)
        }
        liveness.noteMessage(now)
        if header.flags.contains(.continued) {
            try takeContinuation(kind, header, payload, input, now, &actions)
            return
        }
        guard !inbound.assembler.contains(MessageAssembler.key(header)) else {
            throw Violation(.protocolViolation, "\(kind) on stream \(header.stream) in the middle of another message")
        }
        let isWhole = !header.flags.contains(.more)
        let total = isWhole ? header.length : try MessageAssembler.announcedLength(payload)
        guard total <= announced.maximumMessage else {
            throw Violation(.tooLarge, "\(kind) of \(total) bytes, over the limit of \(announced.maximumMessage) (maximumMessage)")
        }
        let charge = header.flags.contains(.compressed) ? try expandedLength(header, payload, total: total) : total
        guard try admit(kind, header, total: charge) else {
            if isWhole { finishUnwanted(kind, header.stream, now, &actions) }
            return
        }
        if isWhole {
            try deliver(kind, header, .borrowed(range), of: input, now, &actions)
        } else {
            try inbound.assembler.begin(header, total: total, charge: charge, at: now, payload)
        }
    }

    private mutating func takeContinuation(
        _ kind: FrameKind, _ header: FrameHeader, _ payload: borrowing RawSpan, _ input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]
    ) throws(Violation) {
        if inbound.assembler.contains(MessageAssembler.key(header)) {
            guard let message = try inbound.assembler.add(header, at: now, payload) else { return }
            return try deliver(kind, message.first, .owned(message.bytes), of: input, now, &actions)
        }
        guard header.stream != 0, !isLive(header.stream) else {
            throw Violation(.protocolViolation, "a continued chunk on stream \(header.stream), which has no open message")
        }
        if !header.flags.contains(.more) { finishUnwanted(kind, header.stream, now, &actions) }
    }

    /// Whether somebody on this side still waits for frames of the stream.
    private func isLive(_ stream: UInt32) -> Bool {
        outgoing.owns(stream) ? outgoing[stream]?.token != nil : incoming[stream].map { $0.stopped == nil } ?? false
    }

    /// A message that nobody waits for has passed. A final frame frees the number of an abandoned call.
    private mutating func finishUnwanted(_ kind: FrameKind, _ stream: UInt32, _ now: Moment, _ actions: inout [Action]) {
        guard kind.isFinal, outgoing.owns(stream), outgoing.end(stream) == nil else { return }
        afterCallEnded(now, &actions)
    }
}
