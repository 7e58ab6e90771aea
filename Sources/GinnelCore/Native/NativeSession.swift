// The native protocol as a session machine (docs/protocol.md): one side of one connection.
//
// This file holds the state and its phases; what arrives is in NativeSession+Input, what the program wants in +Commands, time in +Time,
// the end in +Closing. Each concern that can stand alone does: Greeting (handshake), OutgoingCalls and IncomingCalls (who is in flight),
// SendWindow and ReceiveWindow (credit), DeliveryFlow (messages that are acknowledged), MessageAssembler (chunks in), OutputLanes (chunks and order out), Liveness (heartbeats).
//
//     preamble ──► greeting ──► open ──► closed
//                         └ proving ┘   └ farewell: no new calls, closed when the last one ends
//
// The peer's violations surface as a thrown `Violation` and are turned into one GOODBYE and one `.close` in a single place.

package struct NativeSession: Sendable {
    enum Phase: Sendable, Equatable {
        /// Waiting for the peer's first eight bytes.
        case preamble
        /// Waiting for HELLO (service) or WELCOME and REJECT (client).
        case greeting
        /// Keys are agreed on; waiting for the record that proves the peer's.
        case proving
        case open
        case closed
    }

    /// What the two sides have said about leaving.
    struct Farewell: Sendable {
        var ours: Failure?
        var theirs: Failure?
        var isSaid: Bool { ours != nil || theirs != nil }
    }

    /// What arrives.
    struct Inbound: Sendable {
        var assembler = MessageAssembler()
        var names = NameCache()
        var requests: ReceiveWindow
    }

    /// What leaves.
    struct Outbound: Sendable {
        var lanes = OutputLanes()
        var requests = SendWindow(0)
        /// Whether frames carry checksums.
        var sealed = false
    }

    let role: Role
    let configuration: NativeConfiguration
    var phase = Phase.preamble
    var farewell = Farewell()
    var agreement: NativeAgreement?
    var outgoing: OutgoingCalls
    var incoming = IncomingCalls()
    var inbound: Inbound
    var outbound = Outbound()
    var liveness: Liveness
    var upgrade = Upgrade()
    /// Messages that are delivered; `nil` where that is not in force.
    var delivery: DeliveryFlow?
    var encryption = Encryption()
    /// On the awake clock.
    var handshakeDeadline: UInt64 = .max

    package init(role: Role, _ configuration: NativeConfiguration) {
        var configuration = configuration
        configuration.limits.announced = configuration.limits.announced.inRange
        self.role = role
        self.configuration = configuration
        outgoing = OutgoingCalls(role: role, firstStream: configuration.firstStream)
        inbound = Inbound(
            requests: ReceiveWindow(
                configuration.limits.announced.requestWindow, reserve: configuration.limits.announced.maximumMessage))
        liveness = Liveness(idle: nil, now: Moment(awake: 0, continuous: 0))
    }
}

extension NativeSession: SessionMachine {
    package mutating func start(at now: Moment, _ actions: inout [Action]) {
        liveness = Liveness(idle: configuration.timeouts.idle, now: now)
        handshakeDeadline = now.awake.adding(configuration.timeouts.handshake.wholeNanoseconds)
        guard role == .client else { return }
        do throws(Violation) {
            encryption.hello = try greeting().encoded
        } catch {
            return end(CloseReason(by: .us, error.failure), telling: false, &actions)
        }
        outbound.lanes.appendControl(raw: Preamble.bytes)
        control(.hello, payload: encryption.hello)
    }

    package var wantsInput: Bool { phase != .closed }
    package var hasOutput: Bool { !outbound.lanes.isEmpty || answerBytes > 0 || encryption.writer?.hasOutput == true }
    package var outputBytes: Int { outbound.lanes.byteCount + answerBytes }
    package var heldBytes: Int { outbound.lanes.heldBytes + answerBytes }
    package var messagesProduced: UInt64 { outbound.lanes.messagesProduced }

    package var laneDepths: LaneDepths? {
        var depths = outbound.lanes.depths
        depths.controlBytes += answerBytes
        return depths
    }

    package mutating func produce(into output: inout OutputBuffer, goal: Int) {
        sealAnswers()
        if encryption.writer != nil { return produceSealed(into: &output, goal: goal) }
        while output.count < goal, output.boundary == nil, outbound.lanes.produceFrame(into: &output, sealed: outbound.sealed) {}
    }

    package static func refusal(_ code: FailureCode) -> [UInt8] {
        let body = Failure(code, "").body(atMost: Failure.maximumControlBody)
        var output = OutputBuffer()
        output.append(Preamble.bytes)
        FrameHeader(length: body.count, kind: .reject).write(to: &output)
        output.append(body)
        return output.withBytes { [UInt8]($0) }
    }

    /// Queues a control frame.
    mutating func control(_ kind: FrameKind, stream: UInt32 = 0, payload: [UInt8]) {
        outbound.lanes.appendControl(kind, stream: stream, payload: payload, sealed: outbound.sealed)
    }

    /// Queues a word about shared memory.
    mutating func tell(_ message: RingMessage) {
        outbound.lanes.appendControl(.upgrade, handles: UInt8(clamping: message.handles.count), payload: message.encoded, sealed: outbound.sealed)
    }

    /// Queues a message.
    mutating func queue(_ message: OutgoingMessage, _ actions: inout [Action]) {
        outbound.lanes.append(compressed(message))
        endIfSlowReader(&actions)
    }

    /// A peer for whom too much waits is closed, be it messages or answers to its own pings.
    mutating func endIfSlowReader(_ actions: inout [Action]) {
        guard phase == .open, let excess else { return }
        end(CloseReason(by: .us, Failure(.slowReader, excess)), telling: true, &actions)
    }

    /// What is over its limit among that which waits for the peer.
    private var excess: String? {
        let limits = configuration.limits
        let controlBytes = outbound.lanes.controlBytes + answerBytes
        if controlBytes > limits.controlBytes {
            return "\(controlBytes) bytes of control frames wait for the peer, over the limit of \(limits.controlBytes) (controlBytes)"
        }
        if outbound.lanes.heldBytes > limits.bufferedBytes {
            return "\(outbound.lanes.heldBytes) bytes wait for the peer, over the limit of \(limits.bufferedBytes) (bufferedBytes)"
        }
        return nil
    }

    var announced: AnnouncedLimits { configuration.limits.announced }
    var peerLimits: AnnouncedLimits { agreement?.peerLimits ?? .defaults }
}
