// Short names for what the tests of the envelope format say all the time. Ids and times are known: the first id of each side ends in 1, and it is noon.

import GinnelTesting

@testable import GinnelCore

typealias EnvelopeChange = (inout EnvelopeConfiguration) -> Void

func envelope(_ change: EnvelopeChange = { _ in }) -> EnvelopeConfiguration {
    var configuration = EnvelopeConfiguration()
    configuration.timeouts.heartbeat = nil
    configuration.time = { EnvelopeTimestamp("2024-01-01T12:00:00Z")! }
    configuration.answers = ["AGENT_STARTED": ["BACKUP_REQUEST", "STATUS_UPDATE"], "DELAY_REQUEST": ["BACKUP_REQUEST", "ESCALATION_NOTICE"]]
    configuration.deliveryIDs = Identity(high: 1 << 32, low: 0)
    change(&configuration)
    return configuration
}

/// Length and text.
func enveloped(_ text: String) -> [UInt8] { enveloped(Array(text.utf8)) }
func enveloped(_ text: [UInt8]) -> [UInt8] { UInt32(text.count).littleEndianBytes + text }

/// The `number`-th id that a side gives out.
func ours(_ number: UInt64) -> String { EnvelopeID.text(Identity(high: 0, low: 0), number) }
/// The id of a message of the outbox.
func kept(_ number: UInt64) -> String { EnvelopeID.text(Identity(high: 1 << 32, low: 0), number) }
/// A GUID of somebody else's making.
func guid(_ number: Int) -> String { "0a1b2c3d-4e5f-4a6b-8c7d-00000000000\(number)" }

extension MachineEnd {
    /// A side that has started and said nothing yet.
    static func envelope(_ role: Role, _ change: EnvelopeChange = { _ in }) -> MachineEnd {
        let configuration = GinnelCoreTests.envelope(change)
        var end = MachineEnd(EnvelopeSession(role: role, configuration), timeouts: configuration.timeouts)
        end.start()
        end.takeActions()
        return end
    }

    mutating func hear(_ texts: String...) { receive(texts.flatMap { enveloped($0) }) }

    mutating func hearAcknowledgment(of id: String, _ rest: String = #""success":true"#) {
        hear(#"{"id":"a","type":"ACKNOWLEDGMENT","timestamp":"2024-01-01T12:00:00Z","payload":{"originalMessageId":"\#(id)",\#(rest)}}"#)
    }

    mutating func answer(envelope call: UInt32, _ json: String = "") { submit(.reply(call: call, codec: .json, payload: Array(json.utf8))) }

    @discardableResult
    mutating func send(_ id: UInt64, _ type: String, _ json: String = "{}") -> Acceptance {
        submit(.message(OutgoingDelivery(id: id, floor: 1, name: type, codec: .json, payload: Array(json.utf8))))
    }

    @discardableResult
    mutating func callEnvelope(_ type: String, _ json: String = "{}", within limit: Duration? = nil) -> RecordedCall { call(type, Array(json.utf8), codec: .json, within: limit) }

    /// The texts of what it has to say.
    mutating func texts() -> [String] {
        var rest = takeAll()[...]
        var texts: [String] = []
        while rest.count >= 4 {
            let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            texts.append(String(decoding: rest.dropFirst(4).prefix(count), as: UTF8.self))
            rest = rest.dropFirst(4 + count)
        }
        return texts
    }

    var envelopeSession: EnvelopeSession? { session.machine as? EnvelopeSession }

    /// What is kept although nothing is in flight.
    var envelopeLeftovers: String? {
        guard let session = envelopeSession else { return "no envelope session" }
        let counts = [session.outgoing.count + session.outgoing.waitingCount, session.expectations.count, session.incoming.count, session.outbox.heldBytes]
        return counts.allSatisfy { $0 == 0 } ? nil : "\(counts)"
    }
}

/// An acknowledgement as we write it.
func acknowledgment(_ own: UInt64, of id: String, _ error: String? = nil) -> String {
    let rest = error.map { #""success":false,"error":"\#($0)""# } ?? #""success":true"#
    let payload = #"{"originalMessageId":"\#(id)",\#(rest),"timestamp":"2024-01-01T12:00:00Z"}"#
    return #"{"id":"\#(ours(own))","type":"ACKNOWLEDGMENT","timestamp":"2024-01-01T12:00:00Z","payload":\#(payload)}"#
}
