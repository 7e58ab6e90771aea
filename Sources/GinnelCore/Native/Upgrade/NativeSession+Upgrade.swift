// The exchange of UPGRADE frames. The machine decides; segments and descriptors are the driver's.

extension NativeSession {
    /// Both sides have agreed on a connection that may go on over shared memory.
    mutating func beginUpgrade(_ actions: inout [Action]) {
        guard let options = configuration.sharedMemory else { return }
        guard agreement?.features.contains(.sharedMemory) == true else { return actions.append(.upgrade(.drop)) }
        upgrade.phase = role == .service ? .preparing : .expecting
        if role == .service { actions.append(.upgrade(.make(options.geometry))) }
    }

    /// The driver has done what it was asked for, or could not.
    @discardableResult
    mutating func upgrade(_ answer: UpgradeAnswer, _ now: Moment, _ actions: inout [Action]) -> Acceptance {
        // An offer that could not be sent fails too.
        let isOfferThatFailed = if case .failed = answer { role == .service && upgrade.phase == .offered } else { false }
        guard phase == .open, upgrade.phase == .preparing || isOfferThatFailed else { return .ended }
        switch answer {
        case .made(let handles):
            upgrade.phase = .offered
            upgrade.answerDeadline = now.awake.adding(configuration.timeouts.handshake.wholeNanoseconds)
            upgrade.bellsRingThroughSocket = handles.count == 1
            tell(RingMessage(.offer, handles: handles, value: UInt32(clamping: configuration.sharedMemory?.geometry.capacity ?? 0)))
        case .taken:
            tell(RingMessage(.accept))
            switchOutput()
        case .failed(let failure):
            if role == .client { tell(RingMessage(.refuse, value: failure.code.rawValue)) }
            stayOnSocket(failure, &actions)
        }
        return .taken(mayCarryOn: true)
    }

    /// An UPGRADE frame has come.
    mutating func takeUpgrade(_ payload: borrowing RawSpan, handles: Int, _ actions: inout [Action]) throws(Violation) {
        let message: RingMessage
        do throws(RingViolation) {
            message = try RingMessage(payload)
        } catch {
            throw Violation(.protocolViolation, error.sentence)
        }
        guard message.handles.count == handles else {
            throw Violation(.protocolViolation, "a frame with \(handles) handles says that there are \(message.handles.count)")
        }
        switch (message.verb, role, upgrade.phase) {
        case (.offer, .client, .expecting):
            takeOffer(message, &actions)
        case (.accept, .service, .offered):
            switchOutput()
        case (.refuse, .service, .offered):
            stayOnSocket(Failure(FailureCode(rawValue: message.value), "the peer refused to use shared memory"), &actions)
        case (.switch, _, .accepted) where !upgrade.inputHasSwitched:
            upgrade.inputHasSwitched = true
            upgrade.inputIsSwitching = true
        default:
            throw Violation(.protocolViolation, "\(message.verb) of shared memory from the \(role.other), out of turn")
        }
    }

    private mutating func takeOffer(_ offer: RingMessage, _ actions: inout [Action]) {
        upgrade.phase = .preparing
        upgrade.bellsRingThroughSocket = offer.handles.count == 1
        do throws(OfferRefusal) {
            let geometry = try offer.offeredGeometry(upTo: configuration.sharedMemory?.maximumRingBytes ?? 0)
            actions.append(.upgrade(.take(geometry, handles: offer.handles)))
        } catch {
            actions.append(.upgrade(.refuse(handles: offer.handles)))
            tell(RingMessage(.refuse, value: error.failure.code.rawValue))
            stayOnSocket(error.failure, &actions)
        }
    }

    private mutating func switchOutput() {
        upgrade.phase = .accepted
        upgrade.answerDeadline = nil
        tell(RingMessage(.switch))
    }

    private mutating func stayOnSocket(_ failure: Failure, _ actions: inout [Action]) {
        upgrade.phase = .settled
        upgrade.answerDeadline = nil
        actions.append(.upgraded(failure))
    }

    /// The peer's last frame on the socket has been taken, up to `offset` of the input. Behind it there may be nothing but doorbells. Returns what has been used up: all.
    mutating func switchInput(_ input: borrowing RawSpan, _ offset: Int, _ actions: inout [Action]) throws(Violation) -> Int {
        upgrade.inputIsSwitching = false
        for index in offset..<input.byteCount where !upgrade.bellsRingThroughSocket || input.byte(at: index) != 0 {
            throw Violation(.protocolViolation, "\(input.byteCount - index) bytes on the socket after its last frame")
        }
        actions.append(.upgrade(.readFromRing))
        actions.append(.upgraded(nil))
        return input.byteCount
    }
}
