// The one driver: pumps bytes between a channel and a session, for every transport and every wire format.
//
// Invariants
//  1. The peer is verified before the first byte of it is read (`Driver.open` is the only way to get a driver, and a stream over shared memory was verified when it was opened).
//  2. One thread, the loop's, feeds inbound bytes and performs what follows, in order. Other threads only queue outbound messages and end their own calls; what else
//     their commands cause is handed to the loop.
//  3. The order of outgoing bytes is decided under the lock. One flusher at a time carries it out, on the thread that holds `isFlushing`; after 256 KiB it hands over
//     to the loop, so that no caller pays for another's bulk.
//  4. Reading never stops because writing is blocked. It stops only while the machine wants no input, and never for longer.
//  5. Nothing is performed, and nobody resumed, while the lock is held.
//  6. What a write could not deliver is no reason to lose what the peer said before: input is read to its end.
//
// On the loop, writes are gathered and leave at the end of the turn with one system call. From other threads they leave at once when nothing waits. `Batching` holds both back for longer.

package import GinnelCore

/// `@unchecked Sendable`: `state` is locked; `staging` belongs to whoever holds `state.isFlushing`; the rest is loop only or constant.
package final class Driver: @unchecked Sendable {
    struct State {
        var session: Session
        var isFlushing = false
        /// Somebody wanted to flush while another did.
        var flushAgain = false
        /// The channel said `wouldBlock`; its event will go on.
        var isBlocked = false
        /// What commands of other threads have decided and the loop has to perform, in order.
        var deferred: [Action] = []
        /// When the loop is to call, on the awake clock.
        var armed: UInt64?
        /// Senders that wait until what they sent has left.
        var roomWaiters: [CheckedContinuation<Void, Never>] = []
        /// When the channel is cut off that takes its last bytes too slowly, on the awake clock; set when the session is over.
        var abortAt: UInt64?
        /// Nothing can be written any more.
        var outputHasEnded = false
        /// What `account` was told to be held.
        var reported = 0
        /// Messages that came since something was last taken from the session.
        var gathered = 0
        /// Until when they are held back, on the awake clock.
        var heldUntil: UInt64?
    }

    package let loop: EventLoop
    package let peer: PeerIdentity
    let channel: any Channel
    let state: Guarded<State>
    package let traffic = Traffic()
    /// Frames that the channel did not take at once.
    @exclusivity(unchecked) var staging = OutputBuffer()

    /// Told how much more, or less, is held for the peer, while the channel does not take it: each time that it has changed by `reportStep`, and when nothing is held any more. Set before
    /// `start`; called on any thread, never under the lock.
    package var account: (@Sendable (Int) -> Void)?
    private static let reportStep = 16 * 1024

    /// Whether messages are held back for others. Set before `start`.
    package var batching = Batching.none { didSet { holdTime = batching.time } }
    private(set) var holdTime: UInt64 = 0

    // Loop only, as on the loop itself.
    @exclusivity(unchecked) var delegate: (any SessionDelegate)?
    @exclusivity(unchecked) var token: UInt64 = 0
    @exclusivity(unchecked) var isInFlushList = false
    /// Input lies ready that the machine did not want.
    @exclusivity(unchecked) var hasUnreadInput = false
    @exclusivity(unchecked) var isReading = false
    /// It takes no answer any more.
    @exclusivity(unchecked) var peerIsGone = false
    /// The peer's side has ended; nothing more to read.
    @exclusivity(unchecked) var inputHasEnded = false

    /// How long the last bytes may take to leave once the session is over, in nanoseconds.
    private let drainTime: UInt64

    private init(_ channel: any Channel, _ session: Session, peer: PeerIdentity, loop: EventLoop, timeouts: SessionTimeouts) {
        self.channel = channel
        drainTime = timeouts.write.wholeNanoseconds
        self.peer = peer
        self.loop = loop
        state = Guarded(State(session: session))
    }

    /// How a driver is made: on the loop, for a channel whose peer `policy` accepts.
    ///
    /// A refused peer reads `refusal` and nothing else; its channel is closed when this throws. `machine` makes the session's for a peer that is not refused.
    package static func open(
        _ channel: any Channel, timeouts: SessionTimeouts, verification: PeerVerification, refusal: [UInt8], loop: EventLoop, machine: (PeerIdentity) -> any SessionMachine
    ) throws -> Driver {
        do {
            let peer = try verification.verify(channel)
            return Driver(channel, Session(machine(peer), timeouts: timeouts), peer: peer, loop: loop, timeouts: timeouts)
        } catch {
            sendRefusal(refusal, to: channel)
            channel.close(drain: .seconds(1))
            throw error
        }
    }

    /// The same for a stream over shared memory: the session begins on its rings.
    package static func open(_ stream: OpenedStream, machine: any SessionMachine, timeouts: SessionTimeouts, loop: EventLoop) -> Driver {
        Driver(stream.channel, Session(machine, timeouts: timeouts), peer: stream.peer, loop: loop, timeouts: timeouts)
    }

    /// Says a few last bytes, as far as they fit, to a peer that gets nothing else.
    package static func sendRefusal(_ bytes: [UInt8], to channel: any Channel) {
        guard !bytes.isEmpty else { return }
        _ = bytes.withUnsafeBytes { channel.write($0) }
    }

    /// Begins to read and write. On the loop, once.
    package func start(_ delegate: any SessionDelegate) {
        self.delegate = delegate
        token = loop.add(self)
        do {
            try channel.attach(to: loop, token: token)
        } catch {
            let failure = Failure(.connectionLost, "\(error)")
            // Calls that were made already, and those that will be, must find that the session has ended.
            withSession(at: loop.now) { session, actions in session.inputEnded(failure, at: loop.now, &actions) }
            return finish(CloseReason(by: .us, failure), aborting: true)
        }
        withSession(at: loop.now) { session, actions in session.start(at: loop.now, &actions) }
        requestFlush()
        isReady(.readable)
    }

    // MARK: From any thread

    /// Carries out a command of the program. Bytes leave at the end of the loop's turn, or at once from other threads.
    @discardableResult
    package func submit(_ command: Command) -> Acceptance {
        let onLoop = loop.isCurrent
        let now = onLoop && !command.needsExactTime ? loop.now : Moment.now
        var actions: [Action] = []
        let (acceptance, hasOutput, armAt, resumes, reports, defers) = state.withLock { state in
            let wanted = state.session.wantsInput
            let acceptance = state.session.submit(command, at: now, &actions)
            let resumes = !wanted && state.session.wantsInput
            if holdTime > 0, case .taken = acceptance, command.isMessage { state.gathered += 1 }
            let defers = !onLoop && !actions.allSatisfy(\.concernsOutgoingCall)
            if defers { state.deferred += actions }
            return (acceptance, state.session.machine.hasOutput, Self.timeToArm(&state, now), resumes, state.isBlocked, defers)
        }
        if defers {
            loop.post { [self] in performDeferred() }
        } else {
            for action in actions { perform(action, input: RawSpan()) }
        }
        if let armAt { arm(armAt, onLoop: onLoop) }
        if resumes { resumeReading(onLoop: onLoop) }
        if hasOutput { onLoop ? requestFlush() : writeOut() }
        if reports { reportHeld() }
        return acceptance
    }

    /// Tells the account what is held, if that has changed by a good deal.
    func reportHeld() {
        guard let account else { return }
        let change = state.withLock { state in
            let held = state.outputHasEnded || state.session.closed != nil ? 0 : state.session.machine.heldBytes
            let change = held - state.reported
            guard abs(change) >= Self.reportStep || held == 0 else { return 0 }
            state.reported = held
            return change
        }
        if change != 0 { account(change) }
    }

    /// Returns when everything that was sent so far has left, or the connection has ended. For senders of what has no credit of its own.
    package func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let (isFree, isHeld) = state.withLock { state in
                guard !state.outputHasEnded, state.isFlushing || state.isBlocked || state.session.machine.hasOutput else { return (true, false) }
                state.roomWaiters.append(continuation)
                return (false, state.heldUntil != nil)
            }
            if isFree { continuation.resume() }
            if isHeld { loop.isCurrent ? requestFlush() : writeOut() }
        }
    }

    /// Whether the peer is in this process.
    package var isInProcess: Bool { channel is InProcessChannel }

    /// Bytes that wait for the peer.
    package var outputBytes: Int { state.withLock { $0.session.machine.outputBytes } }

    /// The same by lane; `nil` where the format has none.
    package var laneDepths: LaneDepths? { state.withLock { $0.session.machine.laneDepths } }

    /// Performs what commands of other threads have decided, in that order. On the loop: when it gets to it, but before the end.
    func performDeferred() {
        let actions = state.withLock { state in
            defer { state.deferred = [] }
            return state.deferred
        }
        for action in actions { perform(action, input: RawSpan()) }
    }

    // MARK: Time

    /// The session is over: what still waits leaves within the time for writing, all of it together.
    func sessionIsOver() {
        let armAt = state.withLock { state in
            state.abortAt = loop.now.awake.adding(drainTime)
            return Self.timeToArm(&state, loop.now)
        }
        if let armAt { arm(armAt, onLoop: true) }
        requestFlush()
    }

    /// The session's next time-out, if it comes before the one that is armed.
    static func timeToArm(_ state: inout State, _ now: Moment) -> UInt64? {
        // A deadline on the clock that goes on while the machine sleeps is looked at now and then, since the poller's clock stands still.
        var wakeUp = state.session.wakeUp
        wakeUp.include(awake: state.abortAt)
        wakeUp.include(awake: state.heldUntil)
        guard let delay = wakeUp.delay(from: now).map({ min($0, 30_000_000_000) }) else { return nil }
        let time = now.awake.adding(delay)
        if let armed = state.armed, armed <= time { return nil }
        state.armed = time
        return time
    }

    func arm(_ time: UInt64, onLoop: Bool) {
        if onLoop {
            if token != 0 { loop.arm(token, at: time) }
        } else {
            // By the time the loop gets to it an earlier time may have been armed.
            loop.post { [self] in if token != 0, let armed = state.withLock({ $0.armed }) { loop.arm(token, at: armed) } }
        }
    }

    /// Runs `body` under the lock and performs what it decided. On the loop. Actions must not borrow.
    func withSession(at now: Moment, _ body: (inout Session, inout [Action]) -> Void) {
        var actions: [Action] = []
        let (armAt, resumes) = state.withLock { state in
            let wanted = state.session.wantsInput
            body(&state.session, &actions)
            return (Self.timeToArm(&state, now), !wanted && state.session.wantsInput)
        }
        for action in actions { perform(action, input: RawSpan()) }
        if let armAt { arm(armAt, onLoop: true) }
        if resumes { resumeReading(onLoop: true) }
    }
}

extension Driver: LoopMember {
    package func timeHasCome(_ now: Moment) {
        // A loop that comes late takes no peer for dead whose bytes lie there, on channels too whose event has not come round yet.
        isReady(.readable)
        state.withLock { state in
            state.armed = nil
            // Over for good, also when the channel does not take what was held just now.
            guard let until = state.heldUntil, now.awake >= until else { return }
            state.heldUntil = nil
            state.gathered = batching.messages
        }
        withSession(at: now) { session, actions in session.timeOut(at: now, &actions) }
        requestFlush()
        let overdue = state.withLock { state in
            state.session.outputIsOverdue(now) || state.abortAt.map { now.awake >= $0 } == true ? state.session.closed : nil
        }
        if let overdue { finish(overdue, aborting: true) }
    }

    package func flush() {
        isInFlushList = false
        writeOut()
    }

    /// Asks for a flush at the end of this turn. On the loop.
    func requestFlush() {
        guard !isInFlushList else { return }
        isInFlushList = true
        loop.flushAtEndOfTurn(self)
    }
}

extension Command {
    /// Whether the time of the beginning of the loop's turn is not good enough: what is left of a deadline must not grow by what the turn has taken so far.
    var needsExactTime: Bool { if case .call(_, let request) = self { request.deadline != nil } else { false } }
}

extension Action {
    /// Whether any thread may perform it: it only tells a token of ours what became of its call.
    var concernsOutgoingCall: Bool {
        switch self {
        case .replied, .failed, .streamed, .mayCarryOn: true
        default: false
        }
    }
}
