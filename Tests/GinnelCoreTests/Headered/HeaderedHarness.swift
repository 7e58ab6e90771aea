// Short names for what the tests of the headered format say all the time.

import GinnelTesting

@testable import GinnelCore

typealias HeaderedChange = (inout HeaderedConfiguration) -> Void
typealias Headers = HeaderedFrame.Kind

func headered(_ change: HeaderedChange = { _ in }) -> HeaderedConfiguration {
    var configuration = HeaderedConfiguration()
    configuration.timeouts.heartbeat = nil
    change(&configuration)
    return configuration
}

extension MachineEnd {
    /// A side that has started and said nothing yet.
    static func headered(_ role: Role, _ change: HeaderedChange = { _ in }) -> MachineEnd {
        let configuration = GinnelCoreTests.headered(change)
        var end = MachineEnd(HeaderedSession(role: role, configuration), timeouts: configuration.timeouts)
        end.start()
        end.takeActions()
        return end
    }

    mutating func hear(_ frames: HeaderedFrame...) { receive(frames.flatMap(\.encoded)) }

    /// What it has to say.
    mutating func headeredFrames() -> [HeaderedFrame] { HeaderedFrame.all(in: takeAll()) }

    /// A call whose payload is of no interest.
    @discardableResult
    mutating func ask(_ method: String = "ask_request", within limit: Duration? = nil, lane: Lane = .normal) -> RecordedCall {
        let payload = method == "completion_stream" ? #"{"stream":true}"# : "{}"
        return call(method, Array(payload.utf8), codec: .json, within: limit, lane: lane)
    }

    mutating func answer(_ call: UInt32, _ json: String) { submit(.reply(call: call, codec: .json, payload: Array(json.utf8))) }

    mutating func send(item json: String, of call: UInt32) -> Acceptance { submit(.item(call: call, codec: .json, payload: Array(json.utf8))) }

    var headered: HeaderedSession? { session.machine as? HeaderedSession }

    /// What is kept although nothing is in flight.
    var headeredLeftovers: String? {
        guard let session = headered else { return "no headered session" }
        let counts = [
            session.outgoing.calls.count + session.outgoing.calls.waitingCount, session.incoming.calls.count, session.outgoing.exchanges.count,
            session.incoming.exchanges.count, session.outgoing.exchanges.untaken, session.outbox.heldBytes,
        ]
        return counts.allSatisfy { $0 == 0 } ? nil : "\(counts)"
    }
}

extension [RecordedAction] {
    /// The close, in words.
    var closing: String? { compactMap { if case .close(let reason) = $0 { "\(reason)" } else { nil } }.last }
    var stops: Int { count { if case .cancel = $0 { true } else { false } } }
}

extension RecordedCall {
    var replyText: String? { reply.map { String(decoding: $0, as: UTF8.self) } }
    var itemTexts: [String] { items.map { String(decoding: $0, as: UTF8.self) } }
}
