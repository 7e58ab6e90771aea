// The payloads that the session itself reads and writes: ACKNOWLEDGMENT and HEARTBEAT; and the sentences in which a service of this format says what went wrong.

struct EnvelopeAcknowledgment {
    /// The id of the message that it is about.
    let original: String
    /// Why it failed; `nil` for success.
    let error: String?

    private static let names: JSONNames = ["originalMessageId", "success", "error", "timestamp"]

    init(_ payload: borrowing RawSpan, _ limits: JSONLimits) throws(Violation) {
        guard let object = try? JSONObject(payload, members: Self.names, limits: limits) else { throw Self.violation("whose payload is no object") }
        guard let original = object["originalMessageId"]?.string(in: payload) else { throw Self.violation("without a string `originalMessageId`") }
        self.original = original
        let success = object["success"]
        guard success == nil || success?.kind == .null || success?.kind == .boolean else { throw Self.violation("whose `success` is no boolean") }
        let isSuccess = success.map { payload.byte(at: $0.range.lowerBound) == UInt8(ascii: "t") } ?? false
        guard let said = object["error"], said.kind != .null else {
            error = isSuccess ? nil : "the other side gave no reason"
            return
        }
        guard let sentence = said.string(in: payload) else { throw Self.violation("whose `error` is no string") }
        error = isSuccess ? nil : sentence
    }

    private static func violation(_ what: String) -> Violation { Violation(.protocolViolation, "an \(EnvelopeMessage.acknowledgment) \(what)") }

    static func payload(of original: String, _ error: String?, _ time: EnvelopeTimestamp) -> [UInt8] {
        var payload = Array(#"{"originalMessageId":"#.utf8) + JSON.quoted(original) + Array(#","success":\#(error == nil)"#.utf8)
        if let error { payload += Array(#","error":"#.utf8) + JSON.quoted(error, limit: EnvelopeConfiguration.longestSentence) }
        return payload + Array(#","timestamp":"\#(time.text)"}"#.utf8)
    }

    static func heartbeat(_ sender: String, _ number: UInt64, _ time: EnvelopeTimestamp) -> [UInt8] {
        Array(#"{"senderId":"#.utf8) + JSON.quoted(sender, limit: 1024) + Array(#","timestamp":"\#(time.text)","sequenceNumber":\#(number)}"#.utf8)
    }
}

extension Failure {
    private static let noHandler = "No handler registered for message type: "
    private static let undeserialisable = "Failed to deserialize payload"

    /// The sentence of the acknowledgement of a message of this type that failed so. It is kept for when the message comes again, so it may not be of any length.
    func envelopeSentence(of type: String) -> String {
        switch code {
        case .unknownMethod: return Self.noHandler + type
        case .invalidRequest: return Self.undeserialisable
        default:
            let said = "Error handling message: \(sentence.isEmpty ? "\(code)" : sentence)"
            guard said.utf8.count > EnvelopeConfiguration.longestSentence else { return said }
            return String(decoding: said.utf8.prefix(EnvelopeConfiguration.longestSentence), as: UTF8.self)
        }
    }

    /// What an acknowledgement with this sentence says.
    init(envelope sentence: String) {
        // By their bytes: comparing texts can take very long, and this one is the other side's (CombiningMarks.swift).
        let isUnknown = sentence.utf8.starts(with: Self.noHandler.utf8)
        let code: FailureCode = isUnknown ? .unknownMethod : sentence.utf8.elementsEqual(Self.undeserialisable.utf8) ? .invalidRequest : .envelopeError
        self.init(code, sentence)
    }
}
