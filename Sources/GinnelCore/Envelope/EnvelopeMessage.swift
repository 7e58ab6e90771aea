// One message: four bytes of length, little-endian and signed, and a JSON object that says what it is and carries the payload (docs/formats/envelope.md, "Bytes").

struct EnvelopeMessage {
    /// Where the JSON text lies in the input.
    let text: Range<Int>
    /// `nil` when the sender gave none.
    let id: String?
    let type: String
    /// Where the payload lies in the input; empty when there is none.
    let payload: Range<Int>

    static let prefixSize = 4
    static let heartbeat = "HEARTBEAT"
    static let acknowledgment = "ACKNOWLEDGMENT"
    private static let names: JSONNames = ["id", "type", "timestamp", "payload"]

    /// The message that begins at `offset`; `nil` while it is incomplete. A length that cannot be is refused before its bytes arrive.
    static func next(in input: borrowing RawSpan, at offset: Int, _ configuration: EnvelopeConfiguration) throws(Violation) -> EnvelopeMessage? {
        guard input.byteCount - offset >= prefixSize else { return nil }
        let length = Int(Int32(bitPattern: input.u32(at: offset)))
        guard length >= 1 else { throw Violation(.protocolViolation, "a message length of \(length), where 1 is the least") }
        guard length <= configuration.maximumMessage else {
            throw Violation(.frameTooLarge, "a message of \(length) bytes, over the limit of \(configuration.maximumMessage) (maximumMessage)")
        }
        let start = offset + prefixSize
        guard input.byteCount - start >= length else { return nil }
        return try EnvelopeMessage(input.extracting(start..<start + length), at: start, configuration)
    }

    private init(_ text: borrowing RawSpan, at start: Int, _ configuration: EnvelopeConfiguration) throws(Violation) {
        let object: JSONObject
        do throws(JSONError) {
            object = try JSONObject(text, members: Self.names, limits: configuration.json)
        } catch {
            throw Violation(.protocolViolation, "a message of \(text.byteCount) bytes that is not a valid JSON object: \(error)")
        }
        self.text = start..<start + text.byteCount
        id = try Self.string(object, "id", text, longest: EnvelopeConfiguration.longestID)
        guard let type = try Self.string(object, "type", text, longest: EnvelopeConfiguration.longestType), !type.isEmpty else {
            throw Violation(.protocolViolation, "a message of \(text.byteCount) bytes without a type")
        }
        self.type = type
        _ = try Self.string(object, "timestamp", text, longest: .max)
        let payload = object["payload"].flatMap { $0.kind == .null ? nil : $0.range } ?? 0..<0
        self.payload = payload.isEmpty ? 0..<0 : start + payload.lowerBound..<start + payload.upperBound
    }

    /// A member that is a string, if it is there and not null.
    private static func string(_ object: JSONObject, _ name: String, _ text: borrowing RawSpan, longest: Int) throws(Violation) -> String? {
        guard let value = object[name], value.kind != .null else { return nil }
        guard let string = value.string(in: text) else { throw Violation(.protocolViolation, "a message whose \(name) is no string") }
        guard string.utf8.count <= longest else { throw Violation(.protocolViolation, "a message whose \(name) has \(string.utf8.count) bytes, over the limit of \(longest)") }
        return string
    }

    // MARK: Writing

    /// The JSON text of a message; without a payload when that is empty.
    static func text(id: String, type: String, _ time: EnvelopeTimestamp, _ payload: [UInt8]) -> [UInt8] {
        var text = Array(#"{"id":"#.utf8) + JSON.quoted(id) + Array(#","type":"#.utf8) + JSON.quoted(type) + Array(#","timestamp":"\#(time.text)""#.utf8)
        if !payload.isEmpty { text += Array(#","payload":"#.utf8) + payload }
        return text + [UInt8(ascii: "}")]
    }

    /// What is wrong with a type and a payload that our own program wants sent; `nil` when nothing is. The payload is a JSON value or nothing.
    static func fault(_ type: String, _ payload: [UInt8], _ configuration: EnvelopeConfiguration) -> Failure? {
        guard (1...EnvelopeConfiguration.longestType).contains(type.utf8.count), type != heartbeat, type != acknowledgment else {
            return Failure(.invalidRequest, "\"\(type)\" is no type of a message that a program sends")
        }
        let longest = longestPayload(configuration)
        guard payload.count <= longest else {
            return Failure(.tooLarge, "\(payload.count) bytes, over the limit of \(longest) for a payload (maximumMessage)")
        }
        guard !payload.isEmpty else { return nil }
        do throws(JSONError) {
            var limits = configuration.json
            limits.depth = max(0, limits.depth - 1)
            try JSON.validate(payload.span.bytes, limits: limits)
            return nil
        } catch {
            return Failure(.invalidRequest, "not valid JSON: \(error)")
        }
    }

    /// Bytes of the longest payload: the rest of the text is id, type and timestamp, of which the type may be escaped.
    static func longestPayload(_ configuration: EnvelopeConfiguration) -> Int { configuration.maximumMessage - 128 - 6 * EnvelopeConfiguration.longestType }
}

/// What a handler of ours answers with: a JSON object with `type` and `payload`, which becomes a message.
struct EnvelopeAnswer {
    let type: String
    let payload: [UInt8]

    private static let names: JSONNames = ["type", "payload"]

    /// Throws what is wrong with it.
    init(_ bytes: [UInt8], _ configuration: EnvelopeConfiguration) throws(Violation) {
        let text = bytes.span.bytes
        guard let object = try? JSONObject(text, members: Self.names, limits: configuration.json), let type = object["type"]?.string(in: text) else {
            throw Violation(.invalidReply, "the answer is no message")
        }
        self.type = type
        payload = object["payload"].map { $0.kind == .null ? [] : text.extracting($0.range).copied() } ?? []
        if let fault = EnvelopeMessage.fault(type, payload, configuration) { throw Violation(.invalidReply, "the answer cannot be sent: \(fault.sentence)") }
    }
}
