// What an inbox knows of one sender: per lane how far its messages were handed on, what waits or is in hand, and what was refused.
//
// A lane's mark moves when a message is handed on, not when it arrives. So what waits may be forgotten with the last connection it came on: its sender has no answer for it
// and sends it again, and memory is bounded by the windows of the connections there are.

struct InboxSender: Sendable {
    /// What arrived before and is not answered.
    struct Held: Sendable {
        var message: InboxMessage
        /// Where the answer is owed.
        var connections: [UInt64]
        var isInHand = false
    }

    private struct LaneState: Sendable {
        /// The highest id that was handed on.
        var mark: UInt64 = 0
        /// The highest id that waits, or the mark.
        var last: UInt64 = 0
        var waiting = Queue<UInt64>()
        var isBusy = false
        /// It stands in the line of those who may go on.
        var isInLine = false
    }

    enum Verdict: Sendable, Equatable {
        /// It was dealt with before.
        case answer(FailureCode?)
        /// It is answered when the first one is.
        case isHeld
        /// It is new, and waits.
        case waits
    }

    /// None until something has come: most senders never send anything.
    private var lanes: [LaneState] = []
    private(set) var held: [UInt64: Held] = [:]
    private(set) var refusals: [UInt64: FailureCode] = [:]
    private var refusalOrder = Queue<UInt64>()
    private var floor: UInt64 = 0
    /// The user whom it belongs to.
    let owner: String
    /// Bytes of what is held, as they count against the limits.
    private(set) var cost = 0
    /// How many connections it has.
    var connections = 0
    /// When it lost its last connection or had its last answer, on the awake clock.
    var seenAt: UInt64 = 0

    init(of owner: String) { self.owner = owner }

    /// Nothing would be lost with it but the memory of what came.
    var mayBeForgotten: Bool { connections == 0 && held.isEmpty }
    /// Nothing at all would be lost with it.
    var isNew: Bool { lanes.allSatisfy { $0.last == 0 } }

    /// A message has come on a connection. What an id below the last one of its lane means: it was handed on, or its sender has given it up since; either way it is over.
    mutating func verdict(on message: InboxMessage, floor: UInt64, from connection: UInt64) -> Verdict {
        raise(floor)
        if held[message.id] != nil {
            held[message.id]?.connections.append(connection)
            return .isHeld
        }
        let lane = Int(message.lane.rawValue)
        if lanes.isEmpty { lanes = Array(repeating: LaneState(), count: Lane.allCases.count) }
        guard message.id > lanes[lane].last else { return .answer(refusals[message.id]) }
        held[message.id] = Held(message: message, connections: [connection])
        cost += message.cost
        lanes[lane].last = message.id
        lanes[lane].waiting.append(message.id)
        return .waits
    }

    /// Whether a message with this id would be held.
    func isNew(_ id: UInt64, _ lane: Lane) -> Bool { lanes.isEmpty || held[id] == nil && id > lanes[Int(lane.rawValue)].last }

    /// The sender has the results of all ids below.
    private mutating func raise(_ floor: UInt64) {
        guard floor > self.floor else { return }
        self.floor = floor
        refusalOrder.removeAll { $0 < floor }
        refusals = refusals.filter { $0.key >= floor }
    }

    /// Whether the lane has a message for the program and does not stand in line for it; from now on it does.
    mutating func takePlace(_ lane: Int) -> Bool {
        guard !lanes.isEmpty, !lanes[lane].isBusy, !lanes[lane].isInLine, !lanes[lane].waiting.isEmpty else { return false }
        lanes[lane].isInLine = true
        return true
    }

    /// It is the lane's turn: its next message goes to the program, unless there is none any more.
    mutating func handOn(_ lane: Int) -> InboxMessage? {
        lanes[lane].isInLine = false
        guard !lanes[lane].isBusy, let id = lanes[lane].waiting.popFirst() else { return nil }
        lanes[lane].mark = id
        lanes[lane].isBusy = true
        held[id]?.isInHand = true
        return held[id]?.message
    }

    /// The program is done with a message; the connections where the answer is owed, or `nil` when it is not in hand. Remembers at most `limit` refusals.
    mutating func answer(_ id: UInt64, _ refusal: FailureCode?, remembering limit: Int) -> (message: InboxMessage, connections: [UInt64])? {
        guard let known = held[id], known.isInHand else { return nil }
        held[id] = nil
        cost -= known.message.cost
        lanes[Int(known.message.lane.rawValue)].isBusy = false
        if let refusal, id >= floor {
            refusals[id] = refusal
            refusalOrder.append(id)
            while refusals.count > limit, let oldest = refusalOrder.popFirst() { refusals[oldest] = nil }
        }
        return (known.message, known.connections)
    }

    /// The connection is gone: nothing is answered there, and what only waited for it is forgotten.
    mutating func lose(_ connection: UInt64) {
        connections -= 1
        for id in Array(held.keys) {
            held[id]?.connections.removeAll { $0 == connection }
            if let known = held[id], known.connections.isEmpty, !known.isInHand {
                held[id] = nil
                cost -= known.message.cost
            }
        }
        for index in lanes.indices {
            lanes[index].waiting.removeAll { held[$0] == nil }
            lanes[index].last = lanes[index].waiting.last ?? lanes[index].mark
        }
    }
}
