// Calls that the peer makes: from the first chunk of a request until the final frame is queued.

struct IncomingCalls: Sendable {
    struct Call: Sendable {
        var lane: Lane
        var deadline: UInt64?
        var flow: ItemFlow
        /// The request has arrived whole and its handler was told.
        var isRunning: Bool
        /// Set when the handler was asked to stop: its reply gives way to this.
        var stopped: Failure?
    }

    private var calls: [UInt32: Call] = [:]
    private var deadlines = DeadlineQueue()

    var count: Int { calls.count }
    var isEmpty: Bool { calls.isEmpty }

    /// The earliest deadline, on the continuous clock; may belong to a call that has ended.
    var earliestDeadline: UInt64? { deadlines.earliest }

    subscript(stream: UInt32) -> Call? { calls[stream] }

    mutating func begin(_ stream: UInt32, _ call: Call) { calls[stream] = call }

    /// The request is complete.
    mutating func run(_ stream: UInt32, deadline: UInt64?) {
        guard let index = calls.index(forKey: stream) else { return }
        calls.values[index].isRunning = true
        calls.values[index].deadline = deadline
        if let deadline { deadlines.insert(deadline, call: stream) }
    }

    /// Notes why the handler is to stop; false when it had been told already.
    mutating func stop(_ stream: UInt32, _ failure: Failure) -> Bool {
        guard let index = calls.index(forKey: stream), calls.values[index].stopped == nil else { return false }
        calls.values[index].stopped = failure
        return true
    }

    mutating func end(_ stream: UInt32) -> Call? {
        guard let call = calls.removeValue(forKey: stream) else { return nil }
        if call.deadline != nil { deadlines.noteEnded { [calls] in calls[$0.call]?.deadline == $0.time } }
        return call
    }

    mutating func popDueDeadline(_ now: UInt64) -> UInt32? {
        while let entry = deadlines.popDue(now) {
            if let call = calls[entry.call], call.deadline == entry.time, call.stopped == nil { return entry.call }
        }
        return nil
    }

    mutating func updateFlow<Result>(_ stream: UInt32, _ body: (inout ItemFlow) throws(Violation) -> Result) throws(Violation) -> Result? {
        guard let index = calls.index(forKey: stream) else { return nil }
        return try body(&calls.values[index].flow)
    }

    /// Empties the table; the streams whose handlers run and have not been told to stop.
    mutating func removeAll() -> [UInt32] {
        let running = calls.filter { $0.value.isRunning && $0.value.stopped == nil }.keys.sorted()
        calls = [:]
        deadlines = DeadlineQueue()
        return running
    }
}
