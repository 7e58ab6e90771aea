// The headered format as a session machine (docs/formats/headered.md): one side of one connection.
//
// Both sides may ask. What arrives is sorted by the type of its message: requests begin an incoming call, answers end one of ours, one-way messages are
// events, and the rest is about the connection. Numbers of calls are the program's and 32 bits wide, ids of messages the wire's and 64; `HeaderedExchanges` knows
// which belongs to which. A call that its caller has given up is forgotten at once: ids are given out in order, so an answer to a lower one is late, and
// one to a higher one was never asked for.
//
// This file holds the state, input and output; our calls are in +Calls, the peer's in +Requests, what concerns the connection in +Connection, the end in +Closing.

package struct HeaderedSession: Sendable {
    enum Phase: Sendable, Equatable {
        /// Client: the Handshake has been sent, and calls wait for its ack.
        case greeting(id: UInt64)
        case open
        case closed
    }

    /// Who has said Disconnect, and why the session will end.
    struct Farewell: Sendable {
        var ours: Failure?
        var theirs: Failure?
        var isSaid: Bool { ours != nil || theirs != nil }
    }

    /// Calls in flight, and their ids.
    struct Outgoing: Sendable {
        var calls: OutgoingCalls
        var exchanges = HeaderedExchanges()
    }

    struct Incoming: Sendable {
        var calls = IncomingCalls()
        var exchanges = HeaderedExchanges()
        var lastCall: UInt32 = 0
    }

    let role: Role
    let configuration: HeaderedConfiguration
    var phase = Phase.open
    var farewell = Farewell()
    var outgoing: Outgoing
    var incoming = Incoming()
    var outbox = HeaderedOutbox()
    var heartbeats = HeaderedHeartbeats()
    /// The next message of ours that needs an id has this one.
    var nextID: UInt64 = 1
    /// On the awake clock.
    var handshakeDeadline: UInt64 = .max

    package init(role: Role, _ configuration: HeaderedConfiguration = HeaderedConfiguration()) {
        self.role = role
        self.configuration = configuration
        outgoing = Outgoing(calls: OutgoingCalls(role: role, firstStream: nil))
    }

    mutating func takeID() -> UInt64 {
        defer { nextID += 1 }
        return nextID
    }

    /// What a peer for whom too much waits is closed for.
    mutating func endIfSlowReader(_ actions: inout [Action]) {
        guard phase != .closed else { return }
        let limits = configuration.limits
        let excess: String
        if outbox.controlBytes > limits.controlBytes {
            excess = "\(outbox.controlBytes) bytes of answers to its heartbeats and the like wait for the peer, over the limit of \(limits.controlBytes) (controlBytes)"
        } else if outbox.heldBytes > limits.bufferedBytes {
            excess = "\(outbox.heldBytes) bytes wait for the peer, over the limit of \(limits.bufferedBytes) (bufferedBytes)"
        } else {
            return
        }
        end(CloseReason(by: .us, Failure(.slowReader, excess)), telling: true, &actions)
    }
}

extension HeaderedSession: SessionMachine {
    package mutating func start(at now: Moment, _ actions: inout [Action]) {
        let beats = role == .client && configuration.isJSON
        heartbeats = HeaderedHeartbeats(every: beats ? configuration.timeouts.heartbeat : nil, idle: configuration.timeouts.idle, now: now)
        if role == .client, configuration.greets {
            let id = takeID()
            phase = .greeting(id: id)
            handshakeDeadline = now.awake.adding(configuration.timeouts.handshake.wholeNanoseconds)
            outbox.append(control: HeaderedMessage(type: .handshake, id: id, payload: []))
        } else {
            establish(&actions)
        }
    }

    package mutating func receive(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Int {
        guard phase != .closed else { return input.byteCount }
        if input.byteCount > 0 { heartbeats.noteHeard(now) }
        var offset = 0
        do throws(Violation) {
            while wantsInput, let header = try HeaderedHeader(input, at: offset, maximumPayload: configuration.maximumPayload) {
                let start = offset + HeaderedHeader.size
                guard input.byteCount - start >= header.length else { break }
                try header.checkIntact(in: input, at: offset)
                offset = start + header.length
                try take(header, start..<offset, of: input, now, &actions)
                endIfSlowReader(&actions)
            }
        } catch {
            end(CloseReason(by: .us, error.failure), telling: true, &actions)
        }
        return offset
    }

    private mutating func take(
        _ header: HeaderedHeader, _ range: Range<Int>, of input: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]
    ) throws(Violation) {
        let payload = input.extracting(range)
        switch header.type {
        case .heartbeat: return try takeHeartbeat(header.id, payload, &actions)
        case .ack: return
        default: heartbeats.noteMessage(now)
        }
        switch header.type {
        case .handshake, .handshakeAck, .disconnect: try takeConnectionMessage(header, now, &actions)
        case .cancel: try takeCancel(header.id, payload, &actions)
        case .error: try takeError(header.id, payload, now, &actions)
        case .streamChunk: try takeChunk(header, range, of: input, now, &actions)
        case let type where type.answer != nil: try takeRequest(header, range, of: input, &actions)
        case let type:
            if let event = type.event {
                actions.append(.event(name: event, codec: configuration.codec, payload: .borrowed(range), missed: 0))
            } else {
                try takeAnswer(header, range, now, &actions)
            }
        }
    }

    package mutating func submit(_ command: Command, at now: Moment, _ actions: inout [Action]) -> Acceptance {
        switch command {
        case .call(let token, let request): call(token, request, now, &actions)
        case .abandon(let token, let failure): abandon(token, failure, now, &actions)
        case .sendItem, .message, .acknowledge, .upgrade: return .ended
        case .grant(let token, let bytes): outgoing.exchanges.noteTaken(bytes, of: token.callNumber)
        case .reply(let call, let codec, let payload): reply(call, codec, payload, now, &actions)
        case .fail(let call, let failure): fail(call, failure, now, &actions)
        case .item(let call, let codec, let payload): return item(call, codec, payload, now, &actions)
        case .accept: break
        case .event(let name, let codec, let payload, let lane): return event(name, codec, payload, lane, now, &actions)
        case .ping(let value): return ping(value, &actions)
        case .farewell(let failure): sayFarewell(failure, &actions)
        case .close(let failure): end(CloseReason(by: .us, failure), telling: true, &actions)
        }
        endIfSlowReader(&actions)
        return .taken(mayCarryOn: true)
    }

    /// False while more items lie about than the program may leave untaken: the format has no credit by which one stream could be stopped alone.
    package var wantsInput: Bool { phase != .closed && outgoing.exchanges.untaken < configuration.limits.announced.itemWindow }

    package var hasOutput: Bool { !outbox.isEmpty }
    package var outputBytes: Int { outbox.byteCount }
    package var heldBytes: Int { outbox.heldBytes }
    /// Its lanes take turns by messages, and nothing is known of their bytes.
    package var laneDepths: LaneDepths? { nil }
    package var messagesProduced: UInt64 { outbox.messagesProduced }

    package mutating func produce(into output: inout OutputBuffer, goal: Int) {
        while output.count < goal, outbox.produce(into: &output) {}
    }

    /// An Error about the connection.
    package static func refusal(_ code: FailureCode) -> [UInt8] {
        let payload = Failure(code, "").headeredPayload(atMost: .max)
        var output = OutputBuffer()
        HeaderedMessage(type: .error, id: 0, payload: payload).write(to: &output)
        return output.withBytes { [UInt8]($0) }
    }
}
