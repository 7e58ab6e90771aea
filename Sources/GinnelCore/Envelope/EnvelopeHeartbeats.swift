// Signs of life of an envelope session. A client sends a HEARTBEAT at every interval, as clients of this format always did, so that its service hears of it; either side asks with one when it has heard
// nothing for an interval, and gives the other up after a second one.

struct EnvelopeHeartbeats: Sendable {
    private var liveness: Liveness
    /// Client: the time between two, in nanoseconds, and when the next is due.
    private var pace: UInt64?
    private var next: UInt64 = .max
    /// The silence of the other side ends the session.
    private let drops: Bool
    private(set) var count: UInt64 = 0

    init(every interval: Duration? = nil, idle: Duration? = nil, isPaced: Bool = false, drops: Bool = true, now: Moment = Moment(awake: 0, continuous: 0)) {
        liveness = Liveness(idle: idle, now: now)
        liveness.heartbeat = interval?.wholeNanoseconds
        self.drops = drops
        if isPaced, let interval = liveness.heartbeat {
            pace = interval
            next = now.awake.adding(interval)
        }
    }

    var wakeUp: UInt64? {
        guard pace != nil else { return liveness.wakeUp }
        return min(next, liveness.wakeUp ?? .max)
    }

    mutating func noteHeard(_ now: Moment) { liveness.noteHeard(now) }
    mutating func noteMessage(_ now: Moment) { liveness.noteMessage(now) }
    mutating func noteSent() { count += 1 }

    /// What is to be done now; the silence of a peer that we do not read says nothing.
    mutating func check(_ now: Moment, busy: Bool, reading: Bool) -> Liveness.Verdict {
        var verdict = liveness.check(now, busy: busy)
        if case .stale = verdict, !reading || !drops {
            liveness.noteHeard(now)
            verdict = .fine
        }
        if let pace, verdict == .ping || now.awake >= next {
            next = now.awake.adding(pace)
            if verdict == .fine { verdict = .ping }
        }
        return verdict
    }
}
