// What waits to be sent, and in which order it leaves: messages of the connection first, then eight of the high lane, four of the normal one and one of the low one in
// turn, as far as there are any. Messages leave whole. In each lane one-way messages and the others alternate, so that neither holds up the other.

struct HeaderedMessage: Sendable {
    let type: HeaderedType
    var flags: HeaderedFlags = []
    let id: UInt64
    let payload: [UInt8]
    /// The call of ours whose request it is; 0 for everything else.
    var call: UInt32 = 0

    var byteCount: Int { HeaderedHeader.size + payload.count }

    func write(to output: inout OutputBuffer) {
        HeaderedHeader.write(HeaderedHeader(type, flags: flags, length: payload.count, id: id), payload, to: &output)
    }
}

struct HeaderedOutbox: Sendable {
    private struct LaneQueue: Sendable {
        /// Requests of ours by the number of their call.
        var messages = KeyedQueue<UInt32, HeaderedMessage>()
        var events = Queue<HeaderedMessage>()
        var eventsNext = false
        /// Messages that it may send before the others have had their turn.
        var allowance = 0

        var isEmpty: Bool { messages.isEmpty && events.isEmpty }

        mutating func popFirst() -> HeaderedMessage? {
            let takesEvent = messages.isEmpty || (eventsNext && !events.isEmpty)
            eventsNext = !takesEvent
            return takesEvent ? events.popFirst() : messages.popFirst()
        }
    }

    private static let weights = [8, 4, 1]

    private var control = Queue<HeaderedMessage>()
    private var lanes = [LaneQueue](repeating: LaneQueue(), count: weights.count)
    private var waiting = 0
    private(set) var byteCount = 0
    private(set) var controlBytes = 0
    private(set) var eventBytes = 0
    /// Bytes of chunks of streamed answers.
    private(set) var itemBytes = 0
    private(set) var messagesProduced: UInt64 = 0

    var isEmpty: Bool { waiting == 0 }
    /// What all that waits counts against its limit.
    var heldBytes: Int { byteCount + waiting * SessionLimits.messageOverhead }

    // MARK: Putting in

    mutating func append(control message: HeaderedMessage) {
        control.append(message)
        controlBytes += message.byteCount
        note(message, 1)
    }

    mutating func append(_ message: HeaderedMessage, _ lane: Lane) {
        lanes[Self.index(lane)].messages.append(message, key: message.call == 0 ? nil : message.call)
        note(message, 1)
    }

    mutating func append(event message: HeaderedMessage, _ lane: Lane) {
        lanes[Self.index(lane)].events.append(message)
        eventBytes += message.byteCount
        note(message, 1)
    }

    private static func index(_ lane: Lane) -> Int { max(0, Int(lane.rawValue) - Int(Lane.high.rawValue)) }

    private mutating func note(_ message: HeaderedMessage, _ sign: Int) {
        waiting += sign
        byteCount += sign * message.byteCount
        if message.type == .streamChunk { itemBytes += sign * message.byteCount }
    }

    // MARK: Taking out

    /// Appends the next message; false when there is none.
    mutating func produce(into output: inout OutputBuffer) -> Bool {
        guard let message = popFirst() else { return false }
        note(message, -1)
        messagesProduced += 1
        message.write(to: &output)
        return true
    }

    private mutating func popFirst() -> HeaderedMessage? {
        if let message = control.popFirst() {
            controlBytes -= message.byteCount
            return message
        }
        guard waiting > 0 else { return nil }
        if !lanes.contains(where: { !$0.isEmpty && $0.allowance > 0 }) {
            for index in lanes.indices { lanes[index].allowance = Self.weights[index] }
        }
        guard let index = lanes.firstIndex(where: { !$0.isEmpty && $0.allowance > 0 }), let message = lanes[index].popFirst() else { return nil }
        lanes[index].allowance -= 1
        if message.type.event != nil { eventBytes -= message.byteCount }
        return message
    }

    // MARK: Giving up

    /// Drops the oldest event of the lowest lane that has one.
    mutating func dropOldestEvent() {
        for index in lanes.indices.reversed() {
            guard let event = lanes[index].events.popFirst() else { continue }
            eventBytes -= event.byteCount
            return note(event, -1)
        }
    }

    /// Takes back the request of a call of ours; false when it has left.
    mutating func dropRequest(of call: UInt32) -> Bool {
        for index in lanes.indices {
            guard let found = lanes[index].messages.remove(call) else { continue }
            note(found, -1)
            return true
        }
        return false
    }

    /// Drops everything; the calls of ours whose request had not left.
    mutating func dropAll() -> Set<UInt32> {
        var unsent: Set<UInt32> = []
        for lane in lanes { unsent.formUnion(lane.messages.keys) }
        let produced = messagesProduced
        self = HeaderedOutbox()
        messagesProduced = produced
        return unsent
    }
}
