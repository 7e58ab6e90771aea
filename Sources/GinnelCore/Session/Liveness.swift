// Whether the peer is alive: heartbeats and idle time, on the clock that stops while the machine sleeps (docs/protocol.md §10).

struct Liveness: Sendable {
    enum Verdict: Sendable, Equatable {
        case fine
        case ping
        case stale(after: UInt64)
        case idle
    }

    /// Nanoseconds; `nil` for none.
    var heartbeat: UInt64?
    private let idle: UInt64?
    private var heard: UInt64
    private var message: UInt64
    /// When the peer was asked for a sign of life that has not come. A side that was itself held up for long (a frozen container, a debugger) has not asked, and so
    /// knows nothing against its peer.
    private var pinged: UInt64?

    init(idle: Duration?, now: Moment) {
        self.idle = idle?.wholeNanoseconds
        heard = now.awake
        message = now.awake
    }

    mutating func noteHeard(_ now: Moment) {
        heard = now.awake
        pinged = nil
    }

    mutating func noteMessage(_ now: Moment) { message = now.awake }

    /// `busy`: calls are in flight, so the session is not idle.
    mutating func check(_ now: Moment, busy: Bool) -> Verdict {
        if let heartbeat, now.awake >= heard.adding(heartbeat) {
            guard let pinged else {
                self.pinged = now.awake
                return .ping
            }
            if now.awake >= pinged.adding(heartbeat) { return .stale(after: now.awake - heard) }
        }
        if let idle, now.awake >= message.adding(idle) {
            if !busy { return .idle }
            message = now.awake
        }
        return .fine
    }

    var wakeUp: UInt64? {
        let beat = heartbeat.map { (pinged ?? heard).adding($0) }
        let rest = idle.map { message.adding($0) }
        guard let beat, let rest else { return beat ?? rest }
        return min(beat, rest)
    }
}
