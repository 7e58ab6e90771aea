// Calls that this side makes: those that wait for the peer's permission, and those in flight.
//
// A call is in flight from the first chunk of its request until its final frame has arrived, also when the caller has lost interest: only then
// does the peer count it no more, and only then may its number be used again. An abandoned call is an entry without a token.

struct OutgoingCalls: Sendable {
    struct Call: Sendable {
        /// `nil` once the caller has had its outcome.
        var token: (any OutgoingCall)?
        var deadline: UInt64?
        var lane: Lane
        var flow: ItemFlow
    }

    struct Waiting: Sendable {
        let token: any OutgoingCall
        let request: OutgoingRequest
    }

    private var calls: [UInt32: Call] = [:]
    private var waiting = [Queue<Waiting>](repeating: Queue(), count: Lane.allCases.count)
    /// Those in `waiting` that still wait. One that is given up stays in its queue until it comes to the front or there are more of its kind than of the others, so that giving up
    /// very many calls costs no more than making them.
    private var stillWaiting: Set<ObjectIdentifier> = []
    private var givenUp = 0
    /// Where the search for the next free number begins; wraps.
    var nextStream: UInt32
    private let role: Role
    private var deadlines = DeadlineQueue()
    private var waitingDeadlines = DeadlineQueue()

    init(role: Role, firstStream: UInt32?) {
        self.role = role
        nextStream = firstStream ?? (role == .client ? 1 : 2)
    }

    var waitingCount: Int { stillWaiting.count }
    var count: Int { calls.count }
    var isEmpty: Bool { calls.isEmpty && waitingCount == 0 }
    /// Whether anybody waits for the end of a call. One that was abandoned is in flight, but nobody's.
    var hasCallers: Bool { callerCount > 0 || waitingCount > 0 }
    private var callerCount = 0

    subscript(stream: UInt32) -> Call? { calls[stream] }

    /// Whether `stream` is a number that this side gives out.
    func owns(_ stream: UInt32) -> Bool { (stream & 1 == 1) == (role == .client) }

    /// The earliest deadline, on the continuous clock; may belong to a call that has ended.
    var earliestDeadline: UInt64? {
        guard let first = deadlines.earliest, let second = waitingDeadlines.earliest else { return deadlines.earliest ?? waitingDeadlines.earliest }
        return min(first, second)
    }

    /// Deadlines that are kept, some of them of calls that have ended.
    var keptDeadlines: Int { deadlines.count + waitingDeadlines.count }

    // MARK: Waiting

    mutating func wait(_ token: any OutgoingCall, _ request: OutgoingRequest) {
        stillWaiting.insert(ObjectIdentifier(token))
        waiting[Int(request.lane.rawValue)].append(Waiting(token: token, request: request))
        if let deadline = request.deadline { waitingDeadlines.insert(deadline, call: 0) }
    }

    /// The call to start next: the oldest of the highest lane.
    var firstWaiting: Waiting? {
        guard waitingCount > 0 else { return nil }
        return waiting.lazy.compactMap(\.first).first
    }

    mutating func removeFirstWaiting() {
        guard let lane = waiting.firstIndex(where: { !$0.isEmpty }), let first = waiting[lane].popFirst() else { return }
        noteRemoved(first)
        dropGivenUp(from: lane)
    }

    /// Whether the call will send items once it has begun.
    func waitsToSendItems(_ token: any OutgoingCall) -> Bool {
        guard stillWaiting.contains(ObjectIdentifier(token)) else { return false }
        var found = false
        for queue in waiting { queue.forEach { if $0.token === token, $0.request.itemsFollow { found = true } } }
        return found
    }

    /// Takes a call out of those that wait; false when it is not among them.
    mutating func removeWaiting(_ token: any OutgoingCall) -> Bool {
        guard stillWaiting.remove(ObjectIdentifier(token)) != nil else { return false }
        givenUp += 1
        if givenUp > max(32, waitingCount) {
            for lane in waiting.indices { waiting[lane].removeAll { [stillWaiting] in !stillWaiting.contains(ObjectIdentifier($0.token)) } }
            givenUp = 0
        } else {
            for lane in waiting.indices { dropGivenUp(from: lane) }
        }
        forgetWaitingDeadline()
        return true
    }

    mutating func removeWaiting(where body: (Waiting) -> Bool) -> [any OutgoingCall] {
        guard waitingCount > 0 else { return [] }
        var removed: [Waiting] = []
        for lane in waiting.indices {
            waiting[lane].removeAll { [stillWaiting] call in
                guard stillWaiting.contains(ObjectIdentifier(call.token)) else { return true }
                guard body(call) else { return false }
                removed.append(call)
                return true
            }
        }
        givenUp = 0
        for call in removed { noteRemoved(call) }
        return removed.map(\.token)
    }

    private mutating func noteRemoved(_ call: Waiting) {
        stillWaiting.remove(ObjectIdentifier(call.token))
        if call.request.deadline != nil { forgetWaitingDeadline() }
    }

    /// Whoever stands first in a queue still waits.
    private mutating func dropGivenUp(from lane: Int) {
        while givenUp > 0, let first = waiting[lane].first, !stillWaiting.contains(ObjectIdentifier(first.token)) {
            _ = waiting[lane].popFirst()
            givenUp -= 1
        }
    }

    /// Calls that wait have no number by which to know their deadline, so the list is made anew from those that still wait.
    private mutating func forgetWaitingDeadline() {
        waitingDeadlines.noteEnded(rebuiltBy: { [waiting, stillWaiting] _ in
            var entries: [DeadlineQueue.Entry] = []
            for queue in waiting {
                queue.forEach {
                    guard let time = $0.request.deadline, stillWaiting.contains(ObjectIdentifier($0.token)) else { return }
                    entries.append(.init(time: time, call: 0))
                }
            }
            return entries
        })
    }

    /// Takes the calls out whose deadline has passed while they waited.
    mutating func removeOverdueWaiting(_ now: UInt64) -> [any OutgoingCall] {
        guard let earliest = waitingDeadlines.earliest, earliest <= now else { return [] }
        while waitingDeadlines.popDue(now) != nil {}
        return removeWaiting { $0.request.deadline.map { $0 <= now } ?? false }
    }

    // MARK: In flight

    /// Gives a call its number and notes it as in flight.
    mutating func begin(_ call: Call) -> UInt32 {
        while nextStream == 0 || calls[nextStream] != nil { nextStream &+= 2 }
        let stream = nextStream
        nextStream &+= 2
        calls[stream] = call
        if call.token != nil { callerCount += 1 }
        if let deadline = call.deadline { deadlines.insert(deadline, call: stream) }
        return stream
    }

    /// The caller is given its outcome: takes the token, once.
    mutating func takeToken(_ stream: UInt32) -> (any OutgoingCall)? {
        guard let index = calls.index(forKey: stream), let token = calls.values[index].token else { return nil }
        calls.values[index].token = nil
        callerCount -= 1
        let hadDeadline = calls.values[index].deadline != nil
        calls.values[index].deadline = nil
        token.callNumber = 0
        if hadDeadline { forgetDeadline() }
        return token
    }

    /// The call's final frame has arrived, or it never left: its number is free. Returns the token when the caller still waits.
    mutating func end(_ stream: UInt32) -> (any OutgoingCall)? {
        guard let call = calls.removeValue(forKey: stream) else { return nil }
        if let token = call.token {
            token.callNumber = 0
            callerCount -= 1
        }
        if call.deadline != nil { forgetDeadline() }
        return call.token
    }

    mutating func popDueDeadline(_ now: UInt64) -> UInt32? {
        while let entry = deadlines.popDue(now) {
            if calls[entry.call]?.deadline == entry.time { return entry.call }
        }
        return nil
    }

    private mutating func forgetDeadline() {
        deadlines.noteEnded { [calls] in calls[$0.call]?.deadline == $0.time }
    }

    /// Changes the flow of a call in place; `nil` when it is not in flight.
    mutating func updateFlow<Result>(_ stream: UInt32, _ body: (inout ItemFlow) throws(Violation) -> Result) throws(Violation) -> Result? {
        guard let index = calls.index(forKey: stream) else { return nil }
        return try body(&calls.values[index].flow)
    }

    /// Empties the table; every token that still waits for its outcome, with its stream (0 for those that had not begun).
    mutating func removeAll() -> [(token: any OutgoingCall, stream: UInt32)] {
        var tokens: [(token: any OutgoingCall, stream: UInt32)] = []
        for (stream, call) in calls.sorted(by: { $0.key < $1.key }) {
            guard let token = call.token else { continue }
            token.callNumber = 0
            tokens.append((token, stream))
        }
        for queue in waiting { queue.forEach { if stillWaiting.contains(ObjectIdentifier($0.token)) { tokens.append(($0.token, 0)) } } }
        calls = [:]
        callerCount = 0
        waiting = [Queue<Waiting>](repeating: Queue(), count: Lane.allCases.count)
        stillWaiting = []
        givenUp = 0
        deadlines = DeadlineQueue()
        waitingDeadlines = DeadlineQueue()
        return tokens
    }
}
