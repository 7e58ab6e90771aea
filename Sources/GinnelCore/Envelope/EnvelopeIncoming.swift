// Messages of the other side that are not answered yet: those that the program has, and repeated ones whose first arrival it has.

struct EnvelopeIncoming: Sendable {
    struct Message: Sendable {
        let id: String
        /// By which it is known on other connections.
        let key: Identity?
        let type: String
        /// Of its payload, while the program has it.
        var bytes = 0
    }

    private var inHand: [UInt32: Message] = [:]
    /// They are looked at again now and then: the answer is made on another connection.
    private var repeated: [Message] = []
    /// When they are next looked at, on the awake clock.
    private(set) var lookAgainAt: UInt64?
    /// Bytes of payloads that the program has.
    private(set) var bytes = 0
    private var last: UInt32 = 0

    /// How long until repeated messages are looked at again: 100 ms.
    static let pause: UInt64 = 100_000_000

    var count: Int { inHand.count + repeated.count }
    /// Whether the program has a message that it has not answered.
    var isEmpty: Bool { inHand.isEmpty }

    mutating func begin(_ message: Message) -> UInt32 {
        repeat { last &+= 1 } while last == 0 || inHand[last] != nil
        inHand[last] = message
        bytes += message.bytes
        return last
    }

    func type(of number: UInt32) -> String? { inHand[number]?.type }

    mutating func end(_ number: UInt32) -> Message? {
        let message = inHand.removeValue(forKey: number)
        bytes -= message?.bytes ?? 0
        return message
    }

    /// By which those that the program has are known.
    var keys: [Identity] { inHand.values.compactMap(\.key) }

    mutating func hold(_ message: Message, _ now: Moment) {
        repeated.append(message)
        if lookAgainAt == nil { lookAgainAt = now.awake.adding(Self.pause) }
    }

    /// Takes all of them out; those that are still not answered are to be held again.
    mutating func takeRepeated() -> [Message] {
        defer { dropRepeated() }
        return repeated
    }

    mutating func dropRepeated() {
        repeated = []
        lookAgainAt = nil
    }
}
