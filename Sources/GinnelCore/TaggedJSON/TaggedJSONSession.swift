// The recorder format as a session machine (docs/formats/tagged-json.md): one side of one connection.
//
// A service takes one request, wants no further input until it is answered, and then the next. A client sends one request at a time. There is no
// handshake, no call number and no farewell on the wire, so a side that is displeased can only end the connection, and does: what was wrong
// stands in the `.close` action, for the log of this side. Messages that were begun and do not go on are judged by `Session`, around every machine.
//
// This file holds the state, input and output; calls are in +Client, requests and events in +Service, farewell and end in +Closing.

package struct TaggedJSONSession: Sendable {
    enum Phase: Sendable, Equatable {
        case open
        /// No new calls; closes, for this reason, when the call in flight has ended.
        case leaving(Failure)
        case closed
    }

    let role: Role
    let configuration: TaggedJSONConfiguration
    var phase = Phase.open
    var liveness = Liveness(idle: nil, now: Moment(awake: 0, continuous: 0))
    /// Client: calls that wait, and the one whose reply is due.
    var calls = OrderedCalls()
    /// Service: the request that is being answered.
    var answering: UInt32?
    var lastCall: UInt32 = 0
    /// Service: replies and events on their way out.
    var outbox = TaggedJSONOutbox()
    package private(set) var messagesProduced: UInt64 = 0

    package init(role: Role, _ configuration: TaggedJSONConfiguration = TaggedJSONConfiguration()) {
        self.role = role
        self.configuration = configuration
    }
}

extension TaggedJSONSession: SessionMachine {
    package mutating func start(at now: Moment, _ actions: inout [Action]) {
        liveness = Liveness(idle: configuration.timeouts.idle, now: now)
        var peer = AnnouncedLimits.defaults
        peer.maximumMessage = configuration.maximumMessage
        peer.callsInFlight = role == .client ? 1 : 0
        actions.append(.established(Establishment(service: "", instance: Identity(high: 0, low: 0), peerLimits: peer, program: "")))
    }

    package mutating func receive(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Int {
        guard phase != .closed else { return input.byteCount }
        var offset = 0
        do throws(Violation) {
            while wantsInput, let message = try TaggedJSONMessage.next(in: input, at: offset, configuration) {
                offset = message.text.upperBound
                liveness.noteMessage(now)
                switch role {
                case .client: try takeReply(message, &actions)
                case .service: try takeRequest(message, &actions)
                }
            }
        } catch {
            end(CloseReason(by: .us, error.failure), &actions)
        }
        return offset
    }

    package mutating func submit(_ command: Command, at now: Moment, _ actions: inout [Action]) -> Acceptance {
        switch (role, command) {
        case (.client, .call(let token, let request)): call(token, request, now, &actions)
        case (.client, .abandon(let token, let failure)): abandon(token, failure, &actions)
        case (.service, .reply(let call, _, let payload)): reply(call, payload, now, &actions)
        case (.service, .fail(let call, let failure)): fail(call, failure, now, &actions)
        case (.service, .event(_, _, let payload, _)): return event(payload, now, &actions)
        case (_, .farewell(let failure)): sayFarewell(failure, &actions)
        case (_, .close(let failure)): end(CloseReason(by: .us, failure), &actions)
        default: return cannotExpress(command, &actions)
        }
        return .taken(mayCarryOn: true)
    }

    /// Commands for which the format has no bytes in this role: calls fail, items are not taken, the rest is ignored.
    private func cannotExpress(_ command: Command, _ actions: inout [Action]) -> Acceptance {
        switch command {
        case .call(let token, _):
            actions.append(.failed(token, Failure(.unavailable, "the recorder format lets only the client call; the call was not begun")))
        case .sendItem, .item, .event, .message, .acknowledge, .ping, .upgrade: return .ended
        case .abandon(let token, _): token.isAbandoned = true
        case .reply, .fail, .grant, .accept, .farewell, .close: break
        }
        return .taken(mayCarryOn: false)
    }

    package mutating func timeOut(at now: Moment, _ actions: inout [Action]) {
        guard phase != .closed else { return }
        while let token = calls.abandonOverdue(now.continuous) {
            actions.append(.failed(token, Failure(.deadlineExceeded, "the deadline has passed")))
        }
        closeIfDone(&actions)
        guard phase != .closed, liveness.check(now, busy: calls.isBusy || answering != nil) == .idle else { return }
        end(CloseReason(by: .us, Failure(.idle, "no message for \(configuration.timeouts.idle ?? .zero) (timeouts.idle)")), &actions)
    }

    package var wakeUp: WakeUp {
        phase == .closed ? WakeUp() : WakeUp(awake: liveness.wakeUp, continuous: calls.earliestDeadline)
    }

    package var wantsInput: Bool {
        role == .client ? phase != .closed : phase == .open && answering == nil
    }

    package var hasOutput: Bool { !outbox.isEmpty || calls.nextRequestBytes != nil }

    package var outputBytes: Int {
        outbox.byteCount + requestBytes
    }

    package var heldBytes: Int { outbox.heldBytes + requestBytes }
    package var laneDepths: LaneDepths? { nil }

    /// Bytes of the request that is next.
    private var requestBytes: Int { calls.nextRequestBytes.map { TaggedJSONMessage.prefixSize + $0 } ?? 0 }

    package mutating func produce(into output: inout OutputBuffer, goal: Int) {
        while output.count < goal {
            if let request = calls.begin() {
                TaggedJSONMessage.write(request, to: &output)
            } else if !outbox.produce(into: &output) {
                return
            }
            messagesProduced += 1
        }
    }

    /// Nothing: the format ends in silence.
    package static func refusal(_ code: FailureCode) -> [UInt8] { [] }
}
