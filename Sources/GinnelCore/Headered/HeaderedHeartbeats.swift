// Signs of life of a headered session. The client asks, the service answers; but a service of another make may never do so, and is only given up when it has answered
// before.

struct HeaderedHeartbeats: Sendable {
    private var liveness: Liveness
    /// Heartbeats that were sent and not answered: what the program asked with each, or `nil` where the session asked itself.
    private var asked: [UInt64: UInt64?] = [:]
    private var isAnswered = false

    init(every interval: Duration? = nil, idle: Duration? = nil, now: Moment = Moment(awake: 0, continuous: 0)) {
        liveness = Liveness(idle: idle, now: now)
        liveness.heartbeat = interval?.wholeNanoseconds
    }

    var wakeUp: UInt64? { liveness.wakeUp }

    mutating func noteHeard(_ now: Moment) { liveness.noteHeard(now) }
    mutating func noteMessage(_ now: Moment) { liveness.noteMessage(now) }

    mutating func noteAsked(_ id: UInt64, _ value: UInt64?) {
        // One of our own is enough to wait for; those of a service that never answers would only gather.
        if value == nil { asked = asked.filter { $0.value != nil } }
        asked[id] = .some(value)
    }

    /// A Heartbeat has come: the program's question that it answers, if it does.
    mutating func noteAnswer(_ id: UInt64) -> UInt64? {
        guard let value = asked.removeValue(forKey: id) else { return nil }
        isAnswered = true
        return value
    }

    /// What is to be done now; the silence of a peer that we do not read, or that never answered, says nothing.
    mutating func check(_ now: Moment, busy: Bool, reading: Bool) -> Liveness.Verdict {
        let verdict = liveness.check(now, busy: busy)
        guard case .stale = verdict, !reading || !isAnswered else { return verdict }
        liveness.noteHeard(now)
        return .fine
    }
}
