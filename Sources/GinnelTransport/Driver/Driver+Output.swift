// Writing: one flusher at a time, on the loop or on the thread of whoever had something to say.

internal import GinnelCore

extension Driver {
    /// Frames are taken from the session in portions of about this size, so that what is urgent overtakes what was not yet taken.
    private static let portion = 64 * 1024
    /// What one connection may write in a turn of the loop before the others get theirs, and its own peer's next words are read.
    private static let writeBudget = 1 << 20
    /// After this much another thread leaves the rest to the loop.
    private static let handover = 256 * 1024
    /// A connection that has nothing to write keeps no more memory than this for writing.
    private static let idleCapacity = 4096

    /// What to do after a look at the state under the lock.
    private enum Step {
        /// Write what is staged.
        case write
        /// Look again.
        case again
        /// This flusher has nothing more to do.
        case stop
        /// What waits is held back for more; the loop is to come at this time, if it does not anyway.
        case hold(UInt64?)
        /// Everything has left and the session is over.
        case finish(CloseReason, aborting: Bool)
        /// The rest is the loop's.
        case handOver
    }

    /// Writes what waits, unless somebody else is about it or the channel is full.
    func writeOut() {
        let onLoop = loop.isCurrent
        let first = state.withLock { state -> Step in
            if state.outputHasEnded { return state.session.closed.map { .finish($0, aborting: true) } ?? .stop }
            if state.isFlushing {
                state.flushAgain = true
                return .stop
            }
            guard !state.isBlocked else { return .stop }
            if heldBack(&state) != nil { return .hold(Self.timeToArm(&state, .now)) }
            state.isFlushing = true
            // The loop's own buffer is large and warm; what the channel does not take stays with the connection, buffer and all.
            if onLoop, staging.isEmpty { swap(&staging, &loop.scratch.output) }
            if staging.isEmpty { produce(&state) }
            return staging.isEmpty ? .again : .write
        }
        var left = onLoop ? Self.writeBudget : Self.handover
        var step = first
        while true {
            switch step {
            case .again: step = nextStep(&left)
            case .write: step = writeStaging(&left)
            case .stop:
                reportHeld()
                return resumeSenders()
            case .hold(let time):
                if let time { arm(time, onLoop: onLoop) }
                return
            case .finish(let reason, let aborting): return finishOnLoop(reason, aborting: aborting)
            case .handOver:
                reportHeld()
                return onLoop ? requestFlush() : loop.post { [self] in requestFlush() }
            }
        }
    }

    /// Takes the next portion from the session, or lets go. Holds `isFlushing`.
    private func nextStep(_ left: inout Int) -> Step {
        state.withLock { state in
            if state.outputHasEnded {
                letGo(&state)
                return state.session.closed.map { .finish($0, aborting: true) } ?? .stop
            }
            if staging.isEmpty {
                state.session.noteOutputMoved()
                produce(&state)
            }
            if !staging.isEmpty {
                if left > 0 { return .write }
                letGo(&state)
                return .handOver
            }
            state.flushAgain = false
            letGo(&state)
            return state.session.closed.map { .finish($0, aborting: false) } ?? .stop
        }
    }

    /// Stages the next portion. Holds `isFlushing`, under the lock.
    private func produce(_ state: inout State) {
        state.gathered = 0
        state.heldUntil = nil
        state.session.produce(into: &staging, goal: Self.portion)
        traffic.noteMessages(state.session.machine.messagesProduced)
    }

    /// Offers what is staged. Holds `isFlushing`.
    private func writeStaging(_ left: inout Int) -> Step {
        switch staging.withBytes({ write($0) }) {
        case .took(let count):
            staging.removeFirst(count)
            traffic.noteWritten(count)
            passBoundary()
            left -= count
            if staging.isEmpty { return .again }
            state.withLock { $0.session.noteOutputMoved() }
            return .write
        case .wouldBlock:
            return blocked()
        case .violated(let sentence):
            let step = writingHasFailed()
            loop.post { [self] in
                withSession(at: loop.now) { session, actions in session.submit(.close(Failure(.protocolViolation, sentence)), at: loop.now, &actions) }
            }
            return step
        case .failed(let error) where staging.boundary == .carriesHandles:
            // The descriptors could not be sent, and so not a byte of the offer: the socket is as good as before.
            staging = OutputBuffer()
            loop.post { [self] in submit(.upgrade(.failed(Failure(.resourceExhausted, "the offer could not be sent: \(error)")))) }
            return .again
        case .failed:
            return writingHasFailed()
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        guard staging.boundary == .carriesHandles, let upgrade = channel.upgrade else { return channel.write(bytes) }
        return upgrade.writeOffer(bytes)
    }

    /// Bytes have left: descriptors with the first of them, and behind the last on the socket the way changes.
    private func passBoundary() {
        switch staging.boundary {
        case .carriesHandles: staging.boundary = nil
        case .lastOnSocket where staging.isEmpty:
            channel.upgrade?.writeToRing()
            staging.boundary = nil
        case .lastOnSocket, nil: break
        }
    }

    private func writingHasFailed() -> Step {
        // The peer is gone for writing; what it said before is still to be read, and the end of input will end the session.
        let closed = state.withLock { state in
            state.outputHasEnded = true
            staging = OutputBuffer()
            letGo(&state)
            return state.session.closed
        }
        if let closed { return .finish(closed, aborting: true) }
        resumeReading(onLoop: loop.isCurrent)
        return .stop
    }

    /// The channel is full: its event will go on, unless it came before we had noted that we wait.
    private func blocked() -> Step {
        let now = Moment.now
        let onLoop = loop.isCurrent
        let (step, armAt) = state.withLock { state -> (Step, UInt64?) in
            state.session.noteOutputBlocked(at: now)
            if state.flushAgain {
                state.flushAgain = false
                return (.again, nil)
            }
            state.isBlocked = true
            letGo(&state)
            return (.stop, Self.timeToArm(&state, now))
        }
        if let armAt { arm(armAt, onLoop: onLoop) }
        return step
    }

    /// Gives up `isFlushing`, and with it `staging`. Under the lock, so that the next flusher finds everything in its place.
    private func letGo(_ state: inout State) {
        state.isFlushing = false
        guard staging.isEmpty else { return }
        if !state.isBlocked { state.session.noteOutputMoved() }
        if loop.isCurrent, staging.capacity > loop.scratch.output.capacity {
            swap(&staging, &loop.scratch.output)
        }
        staging.trim(to: Self.idleCapacity)
    }

    /// The channel says that it takes bytes again. On the loop.
    func continueWriting() {
        let wasBlocked = state.withLock { state in
            if state.isFlushing { state.flushAgain = true }
            defer { state.isBlocked = false }
            return state.isBlocked
        }
        if wasBlocked { requestFlush() }
    }

    /// Everything has left, or nothing will: those who waited for it go on.
    private func resumeSenders() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard !state.roomWaiters.isEmpty, state.outputHasEnded || !(state.isFlushing || state.isBlocked || state.session.machine.hasOutput) else { return [] }
            defer { state.roomWaiters = [] }
            return state.roomWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: The end

    private func finishOnLoop(_ reason: CloseReason, aborting: Bool) {
        if loop.isCurrent { finish(reason, aborting: aborting) } else { loop.post { [self] in finish(reason, aborting: aborting) } }
    }

    /// Ends the channel and tells the delegate, once. On the loop.
    func finish(_ reason: CloseReason, aborting: Bool) {
        // The session may have ended by what another thread said; whom that stops is told while there is somebody to tell.
        performDeferred()
        guard let delegate = self.delegate.take() else { return }
        state.withLock { $0.outputHasEnded = true }
        reportHeld()
        loop.remove(token)
        token = 0
        endChannel(aborting)
        resumeSenders()
        delegate.ended(reason)
    }

    /// A flusher on another thread sees `outputHasEnded` at its next step; the channel must outlive its current one.
    private func endChannel(_ aborting: Bool) {
        if state.withLock({ $0.isFlushing }) { return loop.post { [self] in endChannel(aborting) } }
        if aborting { channel.abort() } else { channel.close(drain: .seconds(5)) }
    }
}
