// What waits to be sent: heartbeats and acknowledgements first, then messages in the order in which they were made. Only one-way messages can be dropped, the oldest first.

struct EnvelopeOutbox: Sendable {
    private struct Message: Sendable {
        /// Messages and one-way messages are numbered together, so that their order survives the two queues.
        let number: UInt64
        let text: [UInt8]
        var byteCount: Int { EnvelopeMessage.prefixSize + text.count }
    }

    private var control = Queue<Message>()
    /// Requests of ours by the number of their call.
    private var messages = KeyedQueue<UInt32, Message>()
    private var events = Queue<Message>()
    private var nextNumber: UInt64 = 0
    private(set) var byteCount = 0
    private(set) var controlBytes = 0
    private(set) var eventBytes = 0
    private(set) var messagesProduced: UInt64 = 0

    private var count: Int { control.count + messages.count + events.count }
    var isEmpty: Bool { count == 0 }
    /// What all that waits counts against its limit.
    var heldBytes: Int { byteCount + count * SessionLimits.messageOverhead }

    mutating func append(control text: [UInt8]) {
        let message = numbered(text)
        control.append(message)
        controlBytes += message.byteCount
    }

    /// `call`: the call of ours whose request it is.
    mutating func append(_ text: [UInt8], call: UInt32? = nil) {
        messages.append(numbered(text), key: call)
    }

    mutating func append(event text: [UInt8]) {
        let message = numbered(text)
        events.append(message)
        eventBytes += message.byteCount
    }

    private mutating func numbered(_ text: [UInt8]) -> Message {
        nextNumber += 1
        let message = Message(number: nextNumber, text: text)
        byteCount += message.byteCount
        return message
    }

    /// Appends the next message; false when there is none.
    mutating func produce(into output: inout OutputBuffer) -> Bool {
        guard let message = popFirst() else { return false }
        byteCount -= message.byteCount
        messagesProduced += 1
        output.append(littleEndian: UInt32(truncatingIfNeeded: message.text.count))
        output.append(message.text)
        return true
    }

    private mutating func popFirst() -> Message? {
        if let message = control.popFirst() {
            controlBytes -= message.byteCount
            return message
        }
        guard (events.first?.number ?? .max) < (messages.first?.number ?? .max) else { return messages.popFirst() }
        let event = events.popFirst()
        eventBytes -= event?.byteCount ?? 0
        return event
    }

    mutating func dropOldestEvent() {
        guard let event = events.popFirst() else { return }
        eventBytes -= event.byteCount
        byteCount -= event.byteCount
    }

    /// Takes back the request of a call of ours; false when it has left.
    mutating func dropRequest(of call: UInt32) -> Bool {
        guard let found = messages.remove(call) else { return false }
        byteCount -= found.byteCount
        return true
    }

    /// Drops everything; the calls of ours whose request had not left.
    mutating func dropAll() -> Set<UInt32> {
        let unsent = Set(messages.keys)
        let produced = messagesProduced
        self = EnvelopeOutbox()
        messagesProduced = produced
        return unsent
    }
}
