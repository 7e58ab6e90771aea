// What a service has to send: replies and events, in the order in which they were made. Only events can be dropped, the oldest first.

struct TaggedJSONOutbox: Sendable {
    private struct Message: Sendable {
        /// Replies and events are numbered together, so that their order survives the two queues.
        let number: UInt64
        let text: [UInt8]
        var byteCount: Int { TaggedJSONMessage.prefixSize + text.count }
    }

    private var replies = Queue<Message>()
    private var events = Queue<Message>()
    private var nextNumber: UInt64 = 0
    private(set) var byteCount = 0
    /// What events that wait count against their limit.
    private(set) var eventBytes = 0

    var isEmpty: Bool { replies.isEmpty && events.isEmpty }
    /// What all that waits counts against its limit.
    var heldBytes: Int { byteCount + (replies.count + events.count) * SessionLimits.messageOverhead }

    mutating func append(reply text: [UInt8]) {
        let message = number(text)
        replies.append(message)
    }

    mutating func append(event text: [UInt8]) {
        let message = number(text)
        events.append(message)
        eventBytes += message.byteCount
    }

    mutating func dropOldestEvent() {
        guard let event = events.popFirst() else { return }
        eventBytes -= event.byteCount
        byteCount -= event.byteCount
    }

    /// Appends the oldest message; false when there is none.
    mutating func produce(into output: inout OutputBuffer) -> Bool {
        let isEvent = (events.first?.number ?? .max) < (replies.first?.number ?? .max)
        guard let message = isEvent ? events.popFirst() : replies.popFirst() else { return false }
        if isEvent { eventBytes -= message.byteCount }
        byteCount -= message.byteCount
        TaggedJSONMessage.write(message.text, to: &output)
        return true
    }

    private mutating func number(_ text: [UInt8]) -> Message {
        nextNumber += 1
        let message = Message(number: nextNumber, text: text)
        byteCount += message.byteCount
        return message
    }
}
