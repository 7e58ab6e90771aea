// Messages of ours that wait for an acknowledgement, by their ids, and the one of them whose answer may be a message of its own.
//
// Such an answer names nothing, so only one message that may be answered so is under way at a time: what comes then is for it. It keeps its place, also when its caller has given up, until it was answered.

struct EnvelopeExpectations: Sendable {
    enum Kind: Sendable, Equatable {
        case call(UInt32)
        /// A message of the outbox.
        case delivery(UInt64, bytes: Int)
        /// A HEARTBEAT that the program asked for.
        case ping(UInt64)
    }

    /// The message whose answer may be one of these types.
    struct Open: Sendable {
        let id: String
        let types: Set<String>
        /// Its caller has given up.
        var isGivenUp = false
    }

    private var kinds: [String: Kind] = [:]
    private var calls: [UInt32: String] = [:]
    private(set) var open: Open?
    private(set) var pings = 0
    private(set) var deliveries = 0
    private(set) var deliveryBytes = 0
    /// A message of the outbox found no room.
    private var someoneWaits = false

    var count: Int { kinds.count }
    /// Whether somebody waits for an answer. Who asked for a sign of life does not count, since some programs never give one.
    var isAnswerDue: Bool { kinds.count > pings + (open?.isGivenUp == true ? 1 : 0) }

    /// Whether a message that these types may answer can be sent now.
    func admits(_ types: Set<String>?) -> Bool { types?.isEmpty != false || open == nil }

    mutating func begin(_ kind: Kind, _ id: String, answeredBy types: Set<String>? = nil) {
        kinds[id] = kind
        if let types, !types.isEmpty { open = Open(id: id, types: types) }
        switch kind {
        case .call(let number): calls[number] = id
        case .delivery(_, let bytes):
            deliveries += 1
            deliveryBytes += bytes
        case .ping: pings += 1
        }
    }

    /// The id of a call's message.
    func id(of call: UInt32) -> String? { calls[call] }

    /// Whether the answer of this call may be a message of its own.
    func isOpen(_ call: UInt32) -> Bool { calls[call].map { $0 == open?.id } ?? false }

    /// The caller of this call has given up; it keeps its place until it is answered.
    mutating func giveUp(_ call: UInt32) { if isOpen(call) { open?.isGivenUp = true } }

    /// What waited for an answer to this message; `nil` when nothing does.
    mutating func end(_ id: String) -> Kind? {
        guard let kind = kinds.removeValue(forKey: id) else { return nil }
        if open?.id == id { open = nil }
        switch kind {
        case .call(let number): calls[number] = nil
        case .delivery(_, let bytes):
            deliveries -= 1
            deliveryBytes -= bytes
        case .ping: pings -= 1
        }
        return kind
    }

    /// What a message of this type answers: the one that is open for it.
    mutating func end(answeredBy type: String) -> Kind? {
        guard let open, open.types.contains(type) else { return nil }
        return end(open.id)
    }

    mutating func noteWaiting() { someoneWaits = true }

    /// Whether somebody waits for room, which there may be now; true once.
    mutating func takeWaiting() -> Bool {
        defer { someoneWaits = false }
        return someoneWaits
    }
}
