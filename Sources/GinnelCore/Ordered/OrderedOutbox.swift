// What a service has to send: replies and events, in the order in which they were made. Only events can be dropped, the oldest first.
//
// A place can be reserved for a reply that is still being made. Events that are made meanwhile stand behind it and wait, for a peer that takes whatever comes next for the reply.

struct OrderedOutbox: Sendable {
    private struct Message: Sendable {
        /// Replies and events are numbered together, so that their order survives the two queues.
        let number: UInt64
        let payload: [UInt8]
        let byteCount: Int
    }

    /// Bytes before each payload.
    private let headerSize: Int
    private var replies = Queue<Message>()
    private var events = Queue<Message>()
    private var lastNumber: UInt64 = 0
    /// The number of a reply that is still being made; `nil` when no event has to wait for one.
    private var reserved: UInt64?
    /// Bytes of the events that wait for it.
    private var waitingBytes = 0
    private var allBytes = 0
    /// What events that wait count against their limit.
    private(set) var eventBytes = 0

    init(headerSize: Int) { self.headerSize = headerSize }

    /// Whether nothing can leave now.
    var isEmpty: Bool { byteCount == 0 }
    /// Bytes that can leave now.
    var byteCount: Int { allBytes - waitingBytes }
    /// What all that waits counts against its limit.
    var heldBytes: Int { allBytes + (replies.count + events.count) * SessionLimits.messageOverhead }

    /// Events from now on wait for the next reply.
    mutating func reserveReply() {
        lastNumber += 1
        reserved = lastNumber
    }

    mutating func append(reply payload: [UInt8]) {
        let message = reserved.map { self.message(payload, number: $0) } ?? numbered(payload)
        reserved = nil
        waitingBytes = 0
        replies.append(message)
    }

    mutating func append(event payload: [UInt8]) {
        let message = numbered(payload)
        events.append(message)
        eventBytes += message.byteCount
        if reserved != nil { waitingBytes += message.byteCount }
    }

    mutating func dropOldestEvent() {
        guard let event = events.popFirst() else { return }
        eventBytes -= event.byteCount
        allBytes -= event.byteCount
        if let reserved, event.number > reserved { waitingBytes -= event.byteCount }
    }

    /// Takes out the payload of the oldest message; `nil` when none can leave.
    mutating func popFirst() -> [UInt8]? {
        if isEmpty { return nil }
        let isEvent = (events.first?.number ?? .max) < (replies.first?.number ?? .max)
        guard let message = isEvent ? events.popFirst() : replies.popFirst() else { return nil }
        if isEvent { eventBytes -= message.byteCount }
        allBytes -= message.byteCount
        return message.payload
    }

    private mutating func numbered(_ payload: [UInt8]) -> Message {
        lastNumber += 1
        return message(payload, number: lastNumber)
    }

    private mutating func message(_ payload: [UInt8], number: UInt64) -> Message {
        let message = Message(number: number, payload: payload, byteCount: headerSize + payload.count)
        allBytes += message.byteCount
        return message
    }
}
