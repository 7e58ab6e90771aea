import GinnelCore

/// One side of a tagged JSON session, with everything that its machine asks for written down in words.
struct TaggedJSONSide {
    private(set) var session: Session
    var now = Moment(awake: 0, continuous: 0)
    private var log: [String] = []
    /// Service: the number of the request that is being answered.
    private(set) var answering: UInt32?

    init(_ role: Role, timeouts: SessionTimeouts = .defaults, _ configure: (inout TaggedJSONConfiguration) -> Void = { _ in }) {
        var configuration = TaggedJSONConfiguration()
        configuration.timeouts = timeouts
        configure(&configuration)
        session = Session(OrderedSession(role: role, configuration), timeouts: timeouts)
        var actions: [Action] = []
        session.start(at: now, &actions)
        note(actions, in: [])
    }

    /// What happened since it was last asked for.
    mutating func taken() -> [String] {
        defer { log = [] }
        return log
    }

    mutating func receive(_ bytes: [UInt8]) {
        var actions: [Action] = []
        switch session.receive(bytes.span.bytes, at: now, &actions) {
        case .input: note(actions, in: bytes)
        case .carried(let carried, let start): note(actions, in: Array(carried[start...]))
        }
    }

    @discardableResult
    mutating func submit(_ command: Command) -> Acceptance {
        var actions: [Action] = []
        let acceptance = session.submit(command, at: now, &actions)
        note(actions, in: [])
        return acceptance
    }

    mutating func call(_ caller: Caller, _ text: String, deadline: UInt64? = nil) {
        submit(.call(caller, OutgoingRequest(method: "m", codec: .json, payload: Array(text.utf8), deadline: deadline)))
    }

    /// Answers the request that is waiting and goes on with the input that was kept.
    mutating func reply(_ text: String) {
        guard let call = answering else { return }
        answering = nil
        submit(.reply(call: call, codec: .json, payload: Array(text.utf8)))
        if session.hasCarriedInput { receive([]) }
    }

    mutating func fail(_ failure: Failure) {
        guard let call = answering else { return }
        answering = nil
        submit(.fail(call: call, failure))
        if session.hasCarriedInput { receive([]) }
    }

    mutating func inputEnded(_ failure: Failure? = nil) {
        var actions: [Action] = []
        session.inputEnded(failure, at: now, &actions)
        note(actions, in: [])
    }

    mutating func wait(_ span: Duration) {
        now = now.advanced(by: span)
        var actions: [Action] = []
        session.timeOut(at: now, &actions)
        note(actions, in: [])
    }

    mutating func output(goal: Int = .max) -> [UInt8] {
        var buffer = OutputBuffer()
        session.produce(into: &buffer, goal: goal)
        return buffer.withBytes { [UInt8]($0) }
    }

    private mutating func note(_ actions: [Action], in input: [UInt8]) {
        func text(_ payload: Payload) -> String { String(decoding: payload.copied(of: input.span.bytes), as: UTF8.self) }
        for action in actions {
            switch action {
            case .established(let peer): log.append("established \(peer.peerLimits.maximumMessage) \(peer.peerLimits.callsInFlight)")
            case .request(let request):
                answering = request.call
                log.append("request \(request.method) \(text(request.payload))")
            case .cancel(_, let failure): log.append("cancel \(failure)")
            case .replied(let caller, _, let payload): log.append("replied \(Caller.name(caller)) \(text(payload))")
            case .failed(let caller, let failure): log.append("failed \(Caller.name(caller)) \(failure)")
            case .event(let name, _, let payload, _): log.append("event \(name) \(text(payload))")
            case .close(let reason): log.append("\(reason)")
            default: log.append("unexpected \(action)")
            }
        }
    }
}

extension TaggedJSONSide {
    final class Caller: OutgoingCall, @unchecked Sendable {
        // Used by one test on one thread.
        let name: String
        var callNumber: UInt32 = 0
        var isAbandoned = false

        init(_ name: String) { self.name = name }

        func replied(codec: Codec, payload: borrowing RawSpan) {}
        func failed(_ failure: Failure) {}
        func received(item: borrowing RawSpan, codec: Codec) {}
        func mayCarryOn() {}

        static func name(_ call: any OutgoingCall) -> String { (call as? Caller)?.name ?? "?" }
    }
}

/// Length and text.
func taggedFrame(_ text: String) -> [UInt8] {
    let count = UInt32(text.utf8.count)
    return (0..<4).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } + Array(text.utf8)
}
