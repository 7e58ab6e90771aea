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

    /// How long until repeated messages are looked at again: 100 ms, and more where they are more than a hundred, so that who repeats very many has no more than a thousand looked at in a second.
    private static let pause: UInt64 = 100_000_000
    private static let pauseForEach: UInt64 = 1_000_000

    var count: Int { inHand.count + repeated.count }
    /// Whether the program has a message that it has not answered.
    var isEmpty: Bool { inHand.isEmpty }

    /// Whether there is room for one more within `times` the limits.
    func hasRoom(_ limits: AnnouncedLimits, times: Int = 1) -> Bool {
        count / times < max(limits.callsInFlight, 1) && bytes / times < max(limits.requestWindow, 1)
    }

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
        lookAgainAt = lookAgainAt ?? now.awake.adding(Self.pause)
    }

    /// Takes all of them out if it is time to look at them; those that are still not answered are to be put back.
    mutating func takeRepeated(_ now: Moment) -> [Message] {
        guard let time = lookAgainAt, now.awake >= time else { return [] }
        defer { dropRepeated() }
        return repeated
    }

    mutating func putBack(_ messages: [Message], _ now: Moment) {
        repeated = messages
        lookAgainAt = messages.isEmpty ? nil : now.awake.adding(max(Self.pause, UInt64(messages.count) * Self.pauseForEach))
    }

    mutating func dropRepeated() {
        repeated = []
        lookAgainAt = nil
    }
}
