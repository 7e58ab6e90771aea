// Who may have a stream at one listener: how many there are and whose, of all of them and of those that are not accepted yet. Pure; the listener acts on it.
//
// What waits is counted twice, since it is few: without a share of its own there, a user whose clients connect and say nothing would keep everybody else out.

internal import GinnelCore

struct StreamPlaces: Sendable {
    /// All streams, until they end.
    private var all: Admission
    /// Those that are being opened, or are open and not accepted yet.
    private var waiting: Admission

    /// `isShared`: several users may come, and none of them may take every place. Of what may wait, one of them has half.
    init(_ limits: ConnectionLimits, waiting: Int, isShared: Bool) {
        var (limits, waitingLimits) = (limits, limits)
        waitingLimits.maximum = waiting
        waitingLimits.perUser = isShared ? max(1, waiting / 2) : waiting
        if !isShared { limits.perUser = limits.maximum }
        all = Admission(limits)
        self.waiting = Admission(waitingLimits)
    }

    /// Nobody else can be let in until one is accepted, or ends.
    var isFull: Bool { waiting.connections >= waiting.limits.maximum }

    /// One client was accepted. When the next may be: now (`nil`), or at a time of the awake clock.
    mutating func pace(_ now: UInt64) -> UInt64? { all.pace(now) }

    /// A place for a client of whom nothing is known.
    mutating func reserve() -> Failure? {
        if let failure = all.reserve() { return failure }
        guard waiting.reserve() != nil else { return nil }
        all.leave(nil)
        return Failure(.tooManyConnections, "\(waiting.connections) clients wait for their streams to be opened and accepted, the limit")
    }

    /// The client's user is known. Whoever is not let in keeps his place as nobody's.
    mutating func enter(_ user: UInt32?) -> Failure? {
        if let failure = all.enter(user) { return failure }
        guard waiting.enter(user) != nil else { return nil }
        all.leave(user)
        _ = all.reserve()
        return Failure(
            .tooManyConnections,
            "\(waiting.limits.perUser) clients of user \(user ?? 0) wait for their streams to be opened and accepted, the limit where other users may connect too")
    }

    /// The stream was accepted, or is not going to be.
    mutating func leaveWaiting(_ user: UInt32?) { waiting.leave(user) }

    /// The stream has ended, or does not begin. `user` as given to `enter` when it was let in.
    mutating func leave(_ user: UInt32?) { all.leave(user) }
}
