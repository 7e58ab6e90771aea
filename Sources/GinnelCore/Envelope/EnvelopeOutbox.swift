// What waits to be sent: heartbeats and acknowledgements first, then messages in the order in which they were made. Only one-way messages can be dropped, the oldest first.

struct EnvelopeOutbox: Sendable {
    private struct Message: Sendable {
        /// Messages and one-way messages are numbered together, so that their order survives the two queues.
        let number: UInt64
        let text: [UInt8]
        /// The call of ours whose request it is; 0 for everything else.
        var call: UInt32 = 0
        var byteCount: Int { EnvelopeMessage.prefixSize + text.count }
    }

    private var control = Queue<Message>()
    private var messages = Queue<Message>()
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
        let message = numbered(text, 0)
        control.append(message)
        controlBytes += message.byteCount
    }

    mutating func append(_ text: [UInt8], call: UInt32 = 0) {
        let message = numbered(text, call)
        messages.append(message)
    }

    mutating func append(event text: [UInt8]) {
        let message = numbered(text, 0)
        events.append(message)
        eventBytes += message.byteCount
    }

    private mutating func numbered(_ text: [UInt8], _ call: UInt32) -> Message {
        nextNumber += 1
        let message = Message(number: nextNumber, text: text, call: call)
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
        guard let found = messages.first(where: { $0.call == call }) else { return false }
        messages.removeAll { $0.call == call }
        byteCount -= found.byteCount
        return true
    }

    /// Drops everything; the calls of ours whose request had not left.
    mutating func dropAll() -> Set<UInt32> {
        var unsent: Set<UInt32> = []
        messages.forEach { if $0.call != 0 { unsent.insert($0.call) } }
        let produced = messagesProduced
        self = EnvelopeOutbox()
        messagesProduced = produced
        return unsent
    }
}
