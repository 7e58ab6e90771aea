// Reading: on the loop's thread only.

internal import GinnelCore

extension Driver {
    /// What one connection may read in a turn before the others get theirs.
    private static let readBudget = 1 << 20

    package func isReady(_ readiness: Readiness) {
        let readiness = channel.noteReadiness(readiness)
        if !readiness.isDisjoint(with: [.writable, .hangup]) { continueWriting() }
        if readiness.contains(.gone) { peerIsGone = true }
        guard !readiness.isDisjoint(with: [.readable, .hangup]) else { return }
        readAll()
    }

    /// Reads while there is something, the machine wants it, and the budget lasts.
    private func readAll() {
        guard !isReading else { return }
        isReading = true
        defer { isReading = false }
        var budget = Self.readBudget
        while !inputHasEnded {
            // From a peer that is gone the rest is read to its end, wanted or not: it is no more than a socket holds, and the end is news.
            if hasUnreadInput, !feedCarried(), !peerIsGone { return }
            guard budget > 0 else { return loop.readAgain(self) }
            switch channel.read(into: loop.scratch.readBuffer) {
            case .bytes(let count, let drained):
                budget -= count
                traffic.noteRead(count)
                hasUnreadInput = !feed(UnsafeRawBufferPointer(rebasing: loop.scratch.readBuffer[..<count]).bytes)
                if drained, !hasUnreadInput { return }
            case .wouldBlock:
                return
            case .end:
                endInput(nil)
            case .failed(let error):
                endInput(Failure(.connectionLost, "\(error)"))
            case .violated(let sentence):
                inputHasEnded = true
                withSession(at: loop.now) { session, actions in session.submit(.close(Failure(.protocolViolation, sentence)), at: loop.now, &actions) }
            }
        }
    }

    /// Shows the machine again what it left when it wanted no more. False while it still does not want it.
    private func feedCarried() -> Bool {
        while true {
            let (wants, carries) = state.withLock { ($0.session.wantsInput, $0.session.hasCarriedInput) }
            guard wants else { return false }
            hasUnreadInput = false
            guard carries, !feed(RawSpan()) else { return true }
            hasUnreadInput = true
        }
    }

    /// The machine wants input again. Any thread.
    func resumeReading(onLoop: Bool) {
        guard onLoop else { return loop.post { [self] in isReady(.readable) } }
        if !isReading { loop.readAgain(self) }
    }

    /// Feeds the session and performs what it decides; whether it wants more.
    private func feed(_ input: borrowing RawSpan) -> Bool {
        var actions: [Action] = []
        swap(&actions, &loop.scratch.actions)
        let now = loop.now
        let (source, armAt, hasOutput, wantsMore) = state.withLock { state in
            let source = state.session.receive(input, at: now, &actions)
            return (source, Self.timeToArm(&state, now), state.session.machine.hasOutput, state.session.wantsInput)
        }
        switch source {
        case .input: for action in actions { perform(action, input: input) }
        case .carried(let bytes, let start): for action in actions { perform(action, input: bytes.span.bytes.extracting(start...)) }
        }
        actions.removeAll(keepingCapacity: true)
        swap(&actions, &loop.scratch.actions)
        if let armAt { arm(armAt, onLoop: true) }
        if hasOutput { requestFlush() }
        return wantsMore
    }

    private func endInput(_ failure: Failure?) {
        inputHasEnded = true
        withSession(at: loop.now) { session, actions in session.inputEnded(failure, at: loop.now, &actions) }
        // A session that was closed before only waited for its last bytes to leave; they have nowhere to go when the peer is gone.
        if let closed = state.withLock({ $0.session.closed }), failure != nil { finish(closed, aborting: true) }
    }

    /// Performs one action. On the loop, but for those of outgoing calls.
    func perform(_ action: Action, input: borrowing RawSpan) {
        switch action {
        case .replied(let call, let codec, let payload): payload.withBytes(of: input) { call.replied(codec: codec, payload: $0) }
        case .failed(let call, let failure): call.failed(failure)
        case .streamed(let call, let codec, let payload): payload.withBytes(of: input) { call.received(item: $0, codec: codec) }
        case .mayCarryOn(let call): call.mayCarryOn()
        case .upgrade(let step): perform(step)
        case .upgraded(let failure):
            if failure != nil { channel.upgrade?.dropLink() }
            delegate?.perform(action, input: input)
        case .close:
            delegate?.perform(action, input: input)
            sessionIsOver()
        default: delegate?.perform(action, input: input)
        }
    }
}
