// One end of a connection in a test: a session, its clock, what it asked for and what it sent.
//
// It does what a driver does, in one thread and with every byte in sight. Alone it stands against bytes that a test wrote by hand; two of them make
// a `MachinePair`.

package import GinnelCore

package struct MachineEnd {
    package private(set) var session: Session
    /// What time it is for this end. Move it, then call `timeOut`.
    package var now = Moment(awake: 1_000_000_000, continuous: 7_000_000_000)
    /// What the machine asked for, oldest first.
    package private(set) var actions: [RecordedAction] = []
    /// Bytes that were produced and that nobody has taken yet.
    package private(set) var sent: [UInt8] = []
    /// A time-out that was due again at once, again and again: a driver would burn a processor on it.
    package private(set) var isSpinning = false

    package init(_ machine: any SessionMachine, timeouts: SessionTimeouts = .defaults) {
        session = Session(machine, timeouts: timeouts)
    }

    package init(_ role: Role, _ configuration: NativeConfiguration) {
        self.init(NativeSession(role: role, configuration), timeouts: configuration.timeouts)
    }

    // MARK: What a driver does

    package mutating func start() {
        var asked: [Action] = []
        session.start(at: now, &asked)
        perform(asked, .input, of: [])
    }

    package mutating func receive(_ bytes: [UInt8]) {
        var asked: [Action] = []
        let source = session.receive(bytes.span.bytes, at: now, &asked)
        perform(asked, source, of: bytes)
    }

    package mutating func inputEnded(_ failure: Failure? = nil) {
        var asked: [Action] = []
        session.inputEnded(failure, at: now, &asked)
        perform(asked, .input, of: [])
    }

    @discardableResult
    package mutating func submit(_ command: Command) -> Acceptance {
        var asked: [Action] = []
        let acceptance = session.submit(command, at: now, &asked)
        perform(asked, .input, of: [])
        return acceptance
    }

    /// Lets the machine look at the clock as long as it wants to.
    package mutating func timeOut() {
        var rounds = 0
        repeat {
            var asked: [Action] = []
            session.timeOut(at: now, &asked)
            perform(asked, .input, of: [])
            rounds += 1
        } while rounds < 10 && session.closed == nil && session.wakeUp.isDue(at: now)
        if rounds == 10 { isSpinning = true }
    }

    private mutating func perform(_ asked: [Action], _ source: Session.Source, of input: [UInt8]) {
        let bytes = if case .carried(let carried, let start) = source { Array(carried[start...]) } else { input }
        for action in asked {
            actions.append(RecordedAction(action, input: bytes.span.bytes))
            action.perform(input: bytes.span.bytes)
        }
    }

    /// The channel takes nothing.
    package mutating func noteOutputBlocked() { session.noteOutputBlocked(at: now) }

    /// The channel took something.
    package mutating func noteOutputMoved() { session.noteOutputMoved() }

    // MARK: Output

    /// What a driver takes from the machine at once, and writes before it takes more.
    package struct Portion: Equatable, Sendable {
        package var bytes: [UInt8]
        package var boundary: OutputBuffer.Boundary?
    }

    /// Takes one portion of about `goal` bytes, past what was produced before; `nil` when nothing waits.
    package mutating func takePortion(goal: Int = .max) -> Portion? {
        var output = OutputBuffer()
        session.produce(into: &output, goal: goal)
        return output.isEmpty ? nil : Portion(bytes: output.withBytes { [UInt8]($0) }, boundary: output.boundary)
    }

    /// Takes bytes from the machine until `goal` are there or nothing waits; with a goal of 1, one frame or all control frames.
    package mutating func produce(goal: Int = .max) {
        var left = goal
        while left > 0, let portion = takePortion(goal: left) {
            sent += portion.bytes
            left = goal == .max ? .max : left - portion.bytes.count
        }
    }

    /// Removes and returns up to `count` bytes that were produced.
    package mutating func takeSent(_ count: Int = .max) -> [UInt8] {
        let taken = Array(sent.prefix(count))
        sent.removeFirst(taken.count)
        return taken
    }

    /// Produces everything and takes it.
    package mutating func takeAll() -> [UInt8] {
        produce()
        return takeSent()
    }

    // MARK: What a test asks

    /// Forgets the actions so far and returns them.
    @discardableResult
    package mutating func takeActions() -> [RecordedAction] {
        defer { actions = [] }
        return actions
    }

    package var requests: [RecordedRequest] {
        actions.compactMap { if case .request(let request) = $0 { request } else { nil } }
    }

    /// The last request that arrived; 0 stands for none.
    package var lastCall: UInt32 { requests.last?.call ?? 0 }

    package var closed: CloseReason? { session.closed }

    /// Calls `method` and returns the token that records what becomes of it.
    @discardableResult
    package mutating func call(
        _ method: String = "m", _ payload: [UInt8] = [], codec: Codec = .raw, within limit: Duration? = nil, lane: Lane = .normal,
        itemsFollow: Bool = false, trace: TraceContext? = nil
    ) -> RecordedCall {
        let token = RecordedCall(method)
        let deadline = limit.map { now.advanced(by: $0).continuous }
        submit(
            .call(
                token,
                OutgoingRequest(
                    method: method, codec: codec, payload: payload, deadline: deadline, lane: lane, itemsFollow: itemsFollow, trace: trace)))
        return token
    }
}
