// One channel's session: a wire format's machine and what every format needs around it.
//
// Keeps the unfinished message at the end of what arrived, and judges the two stalls that no machine sees: a message that was begun and does not go on, and
// a peer that takes nothing. Pure, like the machine inside. The driver owns one of these behind its lock.

package struct Session: Sendable {
    package private(set) var machine: any SessionMachine
    private let timeouts: SessionTimeouts
    /// Nothing has arrived yet.
    private var isNew = true
    /// The beginning of a message whose rest has not arrived.
    private var carry: [UInt8] = []
    /// Bytes of it that the machine has taken; they go when they are the greater part, so that many messages that came at once are not copied once for each.
    private var taken = 0
    /// Since when, on the awake clock, that beginning lies there.
    private var begunAt: UInt64?
    /// Since when the channel has taken nothing although bytes wait.
    private var blockedAt: UInt64?
    /// The reason, once the machine has closed the session.
    package private(set) var closed: CloseReason?

    package init(_ machine: any SessionMachine, timeouts: SessionTimeouts) {
        self.machine = machine
        self.timeouts = timeouts
    }

    /// Where the payloads of borrowed actions lie.
    package enum Source: Sendable {
        /// In the input of this call.
        case input
        /// In these bytes, from this one on.
        case carried([UInt8], from: Int)
    }

    package mutating func start(at now: Moment, _ actions: inout [Action]) {
        machine.start(at: now, &actions)
        noteClose(actions)
    }

    /// Feeds what arrived; `input` may be empty when the machine wants input again after a pause.
    package mutating func receive(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Source {
        guard closed == nil else { return .input }
        if isNew, input.byteCount > 0 {
            isNew = false
            if beginsStream(input, at: now, &actions) { return .input }
        }
        let consumed: Int
        var source = Source.input
        if carry.isEmpty {
            consumed = machine.receive(input, at: now, &actions)
            if consumed < input.byteCount { carry = input.extracting(consumed...).copied() }
        } else {
            if input.byteCount > 0 {
                if taken * 2 > carry.count { dropTaken() }
                input.withUnsafeBytes { carry.append(contentsOf: $0) }
            }
            let lent = carry
            consumed = machine.receive(lent.span.bytes.extracting(taken...), at: now, &actions)
            if consumed > 0 {
                source = .carried(lent, from: taken)
                taken += consumed
                if taken == carry.count { dropTaken() }
            }
        }
        noteProgress(consumed > 0, now)
        noteClose(actions)
        return source
    }

    private mutating func dropTaken() {
        carry = Array(carry[taken...])
        taken = 0
    }

    /// Bytes that the machine has not taken.
    private var left: Int { carry.count - taken }

    /// Whether the peer begins a stream over shared memory, which no format does: this side is told so rather than that some length or magic is wrong.
    private mutating func beginsStream(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Bool {
        let preamble = RingMessage.preamble
        guard input.byteCount >= preamble.count, input.extracting(first: preamble.count).copied() == preamble else { return false }
        let sentence = "the service begins over shared memory (docs/shared-memory.md, a bare stream); so must its client, with transports: [.sharedMemory]"
        submit(.close(Failure(.protocolViolation, sentence)), at: now, &actions)
        return true
    }

    private mutating func noteProgress(_ progressed: Bool, _ now: Moment) {
        if carry.isEmpty || !machine.wantsInput {
            begunAt = nil
        } else if progressed || begunAt == nil {
            begunAt = now.awake
        }
    }

    /// The peer ended its side, or the channel broke.
    package mutating func inputEnded(_ failure: Failure?, at now: Moment, _ actions: inout [Action]) {
        guard closed == nil else { return }
        machine.inputEnded(failure, unread: left, at: now, &actions)
        noteClose(actions)
    }

    @discardableResult
    package mutating func submit(_ command: Command, at now: Moment, _ actions: inout [Action]) -> Acceptance {
        let acceptance = machine.submit(command, at: now, &actions)
        noteClose(actions)
        return acceptance
    }

    package mutating func produce(into output: inout OutputBuffer, goal: Int) {
        machine.produce(into: &output, goal: goal)
    }

    /// The channel took bytes, or nothing waits.
    package mutating func noteOutputMoved() { blockedAt = nil }

    /// The channel takes nothing for now.
    package mutating func noteOutputBlocked(at now: Moment) { if blockedAt == nil { blockedAt = now.awake } }

    package mutating func timeOut(at now: Moment, _ actions: inout [Action]) {
        guard closed == nil else { return }
        machine.timeOut(at: now, &actions)
        noteClose(actions)
        if closed == nil, let begunAt, now.awake >= begunAt.adding(timeouts.readMidMessage.wholeNanoseconds) {
            submit(.close(Failure(.readTimeout, "a message was begun and not completed within \(timeouts.readMidMessage) (timeouts.readMidMessage)")), at: now, &actions)
        }
        if closed == nil, outputIsOverdue(now) {
            submit(.close(Failure(.slowReader, "the peer took nothing for \(timeouts.write) (timeouts.write)")), at: now, &actions)
        }
    }

    /// Whether bytes have waited for the peer longer than it may take; also says so after the close.
    package func outputIsOverdue(_ now: Moment) -> Bool {
        blockedAt.map { now.awake >= $0.adding(timeouts.write.wholeNanoseconds) } ?? false
    }

    package var wakeUp: WakeUp {
        var wakeUp = closed == nil ? machine.wakeUp : WakeUp()
        if closed == nil { wakeUp.include(awake: begunAt.map { $0.adding(timeouts.readMidMessage.wholeNanoseconds) }) }
        wakeUp.include(awake: blockedAt.map { $0.adding(timeouts.write.wholeNanoseconds) })
        return wakeUp
    }

    package var wantsInput: Bool { closed == nil && machine.wantsInput }
    /// Input that was read and waits for the machine.
    package var hasCarriedInput: Bool { !carry.isEmpty }

    private mutating func noteClose(_ actions: [Action]) {
        guard closed == nil, case .close(let reason)? = actions.last else { return }
        closed = reason
        // Handlers may keep a session for long that nobody feeds any more.
        carry = []
        taken = 0
    }
}
