// What is under way of messages that are acknowledged, in either direction of one connection, and what it costs (docs/protocol.md §7 and §9).
//
// A message is charged when it is queued or begins to arrive, and the charge comes back with its acknowledgement. Which messages there are at all, and which were
// seen on other connections, is the business of Outbox and Inbox, above the session.

enum DeliveryCost {
    /// What a message costs beyond its bytes.
    static let overhead = SessionLimits.messageOverhead

    static func of(_ bytes: Int) -> Int { bytes + overhead }
}

struct DeliveryFlow: Sendable {
    /// Bytes of messages that may be on their way, whatever window the peer announces, unless one message is longer: they wait in this side's memory when the peer does not read.
    static let maximumUnderway = 4 << 20

    var outgoing: OutgoingMessages
    var incoming: IncomingMessages

    init(peer: AnnouncedLimits, own: AnnouncedLimits) {
        outgoing = OutgoingMessages(peer)
        incoming = IncomingMessages(window: own.deliveryWindow)
    }

    /// Nothing is under way.
    var isEmpty: Bool { outgoing.isEmpty && incoming.isEmpty }
}

/// Messages that this side has sent and that are not acknowledged.
struct OutgoingMessages: Sendable {
    private(set) var window: SendWindow
    /// Bytes of the longest message that the peer takes.
    let longest: Int
    /// What each message under way was charged.
    private var charges: [UInt64: Int] = [:]
    private var lastIds = [UInt64](repeating: 0, count: Lane.allCases.count)
    /// The charge of the message that found no room.
    private var wanted: Int?

    init(_ peer: AnnouncedLimits) {
        // Both limits are at most 2³¹ − 1, so the longest message of all could cost more than any window.
        longest = min(peer.maximumMessage, peer.deliveryWindow - DeliveryCost.overhead)
        window = SendWindow(peer.deliveryWindow, limit: max(DeliveryFlow.maximumUnderway, DeliveryCost.of(longest)))
    }

    var isEmpty: Bool { charges.isEmpty }

    /// Whether the id may follow those that were sent in its lane.
    func mayFollow(_ id: UInt64, _ lane: Lane) -> Bool { id > lastIds[Int(lane.rawValue)] && charges[id] == nil }

    /// Charges a message; false when there is no room for it, which is noted.
    mutating func begin(_ id: UInt64, _ lane: Lane, bytes: Int) -> Bool {
        let cost = DeliveryCost.of(bytes)
        guard window.balance >= cost else {
            wanted = cost
            return false
        }
        window.spend(cost)
        charges[id] = cost
        lastIds[Int(lane.rawValue)] = id
        return true
    }

    mutating func end(_ id: UInt64) throws(Violation) {
        guard let cost = charges.removeValue(forKey: id) else { throw Violation(.protocolViolation, "an acknowledgement of message \(id), which is not under way") }
        window.refund(cost)
    }

    /// Whether there is room now for the message that found none; true once.
    mutating func foundRoom() -> Bool {
        guard let cost = wanted, window.balance >= cost else { return false }
        wanted = nil
        return true
    }
}

/// Messages of the peer that this side has not acknowledged.
struct IncomingMessages: Sendable {
    private let window: Int
    private(set) var balance: Int
    /// What each complete message was charged.
    private var charges: [UInt64: Int] = [:]
    private var lastIds = [UInt64](repeating: 0, count: Lane.allCases.count)
    /// Acknowledgements that have not been put into a frame.
    private(set) var answers: [Acknowledgement] = []

    init(window: Int) {
        self.window = window
        balance = window
    }

    var isEmpty: Bool { charges.isEmpty }
    var answerBytes: Int { answers.count * Acknowledgement.size }

    /// A message begins.
    mutating func charge(_ bytes: Int) throws(Violation) {
        balance -= DeliveryCost.of(bytes)
        guard balance >= 0 else {
            throw Violation(.flowControl, "a message of \(bytes) bytes beyond the window of \(window) (deliveryWindow)")
        }
    }

    /// It is complete.
    mutating func begin(_ id: UInt64, _ lane: UInt8, bytes: Int) throws(Violation) {
        guard id > lastIds[Int(lane)] else { throw Violation(.protocolViolation, "message \(id) behind message \(lastIds[Int(lane)]) of its lane") }
        guard charges.updateValue(DeliveryCost.of(bytes), forKey: id) == nil else { throw Violation(.protocolViolation, "message \(id) twice on one connection") }
        lastIds[Int(lane)] = id
    }

    /// The program is done with it; false when it is not under way.
    mutating func end(_ answer: Acknowledgement) -> Bool {
        guard let cost = charges.removeValue(forKey: answer.id) else { return false }
        balance += cost
        answers.append(answer)
        return true
    }

    mutating func takeAnswers() -> [Acknowledgement] {
        defer { answers = [] }
        return answers
    }
}
