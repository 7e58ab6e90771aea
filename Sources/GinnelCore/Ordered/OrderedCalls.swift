// Calls over a format that has no call numbers on the wire: the peer answers in order, so one is sent at a time and the others wait here.
//
// A call is on its way from the moment its request is handed out until its reply has come, also when the caller has lost interest: the late reply has
// to be swallowed in its place, or it would be taken for the next call's. A call that still waits can be forgotten at once.

struct OrderedCalls: Sendable {
    private struct Waiting: Sendable {
        let token: any OutgoingCall
        let request: [UInt8]
        let deadline: UInt64?
    }

    /// The call whose request has been handed out.
    struct Current: Sendable {
        fileprivate let number: UInt32
        fileprivate var deadline: UInt64?
        /// `nil` once the caller has had its outcome.
        fileprivate(set) var token: (any OutgoingCall)?
    }

    private(set) var current: Current?
    private var waiting: [UInt32: Waiting] = [:]
    /// The numbers of those that wait, oldest first, among numbers of some that no longer do. The first always waits.
    private var order = Queue<UInt32>()
    private var deadlines = DeadlineQueue()
    private var lastNumber: UInt32 = 0

    var waitingCount: Int { waiting.count }
    /// Whether somebody waits for an outcome.
    var isBusy: Bool { current?.token != nil || !waiting.isEmpty }
    /// Bytes of the request that may be sent now; `nil` when there is none.
    var nextRequestBytes: Int? { current == nil ? order.first.flatMap { waiting[$0]?.request.count } : nil }
    /// May be early: the time of a call that has ended.
    var earliestDeadline: UInt64? { deadlines.earliest }

    mutating func add(_ token: any OutgoingCall, request: [UInt8], deadline: UInt64?) {
        repeat { lastNumber &+= 1 } while lastNumber == 0 || waiting[lastNumber] != nil || current?.number == lastNumber
        token.callNumber = lastNumber
        waiting[lastNumber] = Waiting(token: token, request: request, deadline: deadline)
        order.append(lastNumber)
        if let deadline { deadlines.insert(deadline, call: lastNumber) }
    }

    /// Hands out the oldest request, unless a reply is still due.
    mutating func begin() -> [UInt8]? {
        guard current == nil, let number = order.popFirst(), let call = waiting.removeValue(forKey: number) else { return nil }
        current = Current(number: number, deadline: call.deadline, token: call.token)
        trim()
        return call.request
    }

    /// A reply has come: the call it belongs to, or `nil` when none is due.
    mutating func finish() -> Current? {
        guard let call = current else { return nil }
        current = nil
        settle(call.token, call.deadline)
        return call
    }

    /// The caller has lost interest; false when the call has ended or was never added.
    mutating func abandon(_ token: any OutgoingCall) -> Bool {
        let number = token.callNumber
        if let call = current, call.number == number, call.token === token {
            current?.token = nil
            current?.deadline = nil
            settle(token, call.deadline)
            return true
        }
        guard waiting[number]?.token === token, let call = waiting.removeValue(forKey: number) else { return false }
        trim()
        settle(token, call.deadline)
        return true
    }

    /// A call whose deadline has passed, abandoned thereby.
    mutating func abandonOverdue(_ now: UInt64) -> (any OutgoingCall)? {
        while let due = deadlines.popDue(now) {
            guard isLive(due), let token = current?.number == due.call ? current?.token : waiting[due.call]?.token else { continue }
            if abandon(token) { return token }
        }
        return nil
    }

    /// Forgets the calls that wait, oldest first.
    mutating func removeWaiting() -> [any OutgoingCall] {
        var tokens: [any OutgoingCall] = []
        order.forEach { if let call = waiting[$0] { tokens.append(call.token) } }
        for token in tokens { token.callNumber = 0 }
        waiting = [:]
        order = Queue()
        deadlines = DeadlineQueue()
        if let current, let deadline = current.deadline { deadlines.insert(deadline, call: current.number) }
        return tokens
    }

    private mutating func settle(_ token: (any OutgoingCall)?, _ deadline: UInt64?) {
        token?.callNumber = 0
        if deadline != nil { deadlines.noteEnded(isLive) }
    }

    private func isLive(_ entry: DeadlineQueue.Entry) -> Bool {
        let deadline = current?.number == entry.call ? current?.deadline : waiting[entry.call]?.deadline
        return deadline == entry.time
    }

    /// Keeps the queue in proportion to the calls that wait.
    private mutating func trim() {
        while let first = order.first, waiting[first] == nil { _ = order.popFirst() }
        if order.count > 2 * waiting.count + 64 { order.removeAll { [waiting] in waiting[$0] == nil } }
    }
}
