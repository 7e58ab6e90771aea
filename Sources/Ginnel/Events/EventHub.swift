// Events that arrive, and who wants them.

internal import GinnelCore
internal import GinnelTransport

final class EventHub: Sendable {
    private struct State {
        var subscribers: [String: [UInt64: @Sendable (Codec, borrowing RawSpan, UInt32, Connection) -> Void]] = [:]
        var ends: [UInt64: @Sendable () -> Void] = [:]
        var next: UInt64 = 0
        var isOver = false
    }

    private let state = Guarded(State())

    /// Adds a subscriber for as long as this lives.
    func handle(_ name: String, _ body: @escaping @Sendable (Codec, borrowing RawSpan, UInt32, Connection) -> Void) {
        _ = subscribe(name, body, end: {})
    }

    /// Adds a subscriber; `nil` when no event will come any more.
    func subscribe(
        _ name: String, _ body: @escaping @Sendable (Codec, borrowing RawSpan, UInt32, Connection) -> Void, end: @escaping @Sendable () -> Void
    ) -> UInt64? {
        state.withLock { state in
            guard !state.isOver else { return nil }
            state.next += 1
            state.subscribers[name, default: [:]][state.next] = body
            state.ends[state.next] = end
            return state.next
        }
    }

    func unsubscribe(_ name: String, _ id: UInt64) {
        state.withLock { state in
            state.subscribers[name]?[id] = nil
            if state.subscribers[name]?.isEmpty == true { state.subscribers[name] = nil }
            state.ends[id] = nil
        }
    }

    func publish(_ name: String, _ codec: Codec, _ bytes: borrowing RawSpan, missed: UInt32, from connection: Connection) {
        guard let subscribers = state.withLock({ $0.subscribers[name] }) else { return }
        for (_, body) in subscribers { body(codec, bytes, missed, connection) }
    }

    /// No event will come any more.
    func end() {
        let ends = state.withLock { state in
            state.isOver = true
            defer {
                state.ends = [:]
                state.subscribers = [:]
            }
            return Array(state.ends.values)
        }
        for end in ends { end() }
    }
}

/// An event as bytes, made once for all peers.
struct EncodedEvent: Sendable {
    let name: String
    let codec: Codec
    let payload: [UInt8]
    let lane: Lane
    var isSensitive = false

    init<Sent: Event>(_ event: Sent, _ priority: Priority) throws {
        self.init(name: Sent.name, codec: Sent.codec, payload: try event.encoded(), priority)
        isSensitive = Sent.isSensitive
    }

    init(name: String, codec: Codec, payload: [UInt8], _ priority: Priority) {
        self.name = name
        self.codec = codec
        self.payload = payload
        lane = priority.lane
    }

    var command: Command { .event(name: name, codec: codec, payload: payload, lane: lane) }
}
