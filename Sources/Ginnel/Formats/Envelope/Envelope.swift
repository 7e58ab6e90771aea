// The messages of the envelope format as Swift types (docs/formats/envelope.md). Their members have the format's own names, and the format's defaults where a message leaves one out.

public import GinnelCore

/// Messages of `WireFormat.envelope`.
///
///     service.handle(Envelope.BackupProgress.self) { progress, context in
///         await operations.note(progress, of: context.peer)
///         return Nothing()
///     }
public enum Envelope {
    /// The types that the document's services answer with a message of their own, and with which.
    public static let answers: [String: Set<String>] = [
        AgentStarted.type: [BackupRequest.type, StatusUpdate.type],
        DelayRequest.type: [BackupRequest.type, EscalationNotice.type],
    ]
}

/// The payload of one type of message: it can be called, handled, sent, broadcast and received.
public protocol EnvelopePayload: Request, Event {
    /// As it stands in the envelope, 1 to 255 bytes. `HEARTBEAT` and `ACKNOWLEDGMENT` are the session's own.
    static var type: String { get }
}

extension EnvelopePayload {
    public static var method: String { type }
    public static var name: String { type }
    public static var isSensitive: Bool { false }
}

extension Envelope {
    /// How a message is answered: by its acknowledgement, or by a message in its place.
    public enum Answer: WireValue, Equatable {
        case acknowledged
        /// The payload is a JSON text, or empty where there is none.
        case message(type: String, payload: [UInt8])

        public static var codec: Codec { .json }

        /// A message as answer. Throws what encoding it throws.
        public init<Payload: EnvelopePayload>(_ payload: Payload) throws { self = .message(type: Payload.type, payload: try payload.encoded()) }

        /// The payload, if the answer is a message of its type; `nil` when it is not. Throws when it is one and cannot be read.
        public func payload<Payload: EnvelopePayload>(as type: Payload.Type = Payload.self) throws -> Payload? {
            guard case .message(Payload.type, let bytes) = self else { return nil }
            return try Payload(decoding: bytes.span.bytes)
        }

        public func encoded() -> [UInt8] {
            guard case .message(let type, let payload) = self else { return [] }
            let head = Array(#"{"type":"#.utf8) + JSON.quoted(type)
            return payload.isEmpty ? head + [UInt8(ascii: "}")] : head + Array(#","payload":"#.utf8) + payload + [UInt8(ascii: "}")]
        }

        public init(decoding bytes: borrowing RawSpan) throws {
            guard bytes.byteCount > 0 else {
                self = .acknowledged
                return
            }
            let object = try JSONObject(bytes, members: ["type", "payload"])
            guard let type = object["type"]?.string(in: bytes) else { throw CallError(.invalidReply, "an answer without a type") }
            let payload = object["payload"].map { $0.kind == .null ? [] : bytes.extracting($0.range).copied() } ?? []
            self = .message(type: type, payload: payload)
        }
    }
}

extension KeyedDecodingContainer {
    /// A member, or the default where it is missing or null.
    func value<Value: Decodable>(_ key: Key, or default: Value) throws -> Value { try decodeIfPresent(Value.self, forKey: key) ?? `default` }
}
