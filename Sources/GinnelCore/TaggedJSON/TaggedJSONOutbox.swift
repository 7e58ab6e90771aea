// What a service has to send: replies and events, in the order in which they were made. Only events can be dropped, the oldest first.
//
// A place can be reserved for a reply that is still being made. Events that are made meanwhile stand behind it and wait, for a peer that takes whatever comes next for the reply.

struct TaggedJSONOutbox: Sendable {
    private struct Message: Sendable {
        /// Replies and events are numbered together, so that their order survives the two queues.
        let number: UInt64
        let text: [UInt8]
        var byteCount: Int { TaggedJSONMessage.prefixSize + text.count }
    }

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

    mutating func append(reply text: [UInt8]) {
        let message = reserved.map { makeMessage(text, number: $0) } ?? numbered(text)
        reserved = nil
        waitingBytes = 0
        replies.append(message)
    }

    mutating func append(event text: [UInt8]) {
        let message = numbered(text)
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

    /// Appends the oldest message; false when none can leave.
    mutating func produce(into output: inout OutputBuffer) -> Bool {
        if isEmpty { return false }
        let isEvent = (events.first?.number ?? .max) < (replies.first?.number ?? .max)
        guard let message = isEvent ? events.popFirst() : replies.popFirst() else { return false }
        if isEvent { eventBytes -= message.byteCount }
        allBytes -= message.byteCount
        TaggedJSONMessage.write(message.text, to: &output)
        return true
    }

    private mutating func numbered(_ text: [UInt8]) -> Message {
        lastNumber += 1
        return makeMessage(text, number: lastNumber)
    }

    private mutating func makeMessage(_ text: [UInt8], number: UInt64) -> Message {
        let message = Message(number: number, text: text)
        allBytes += message.byteCount
        return message
    }
}
