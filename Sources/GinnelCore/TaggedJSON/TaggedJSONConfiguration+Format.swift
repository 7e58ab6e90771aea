// The recorder format (docs/formats/tagged-json.md): four bytes of length, little-endian, and a JSON object whose member `type` says what it is.

extension TaggedJSONConfiguration: OrderedFormat {
    private static let names: JSONNames = ["type", "message"]
    private static let longestName = 255

    package var name: String { "the recorder format" }
    package var headerSize: Int { 4 }
    package var codec: Codec { .json }
    package var hasEvents: Bool { true }
    package var keepsRequests: Bool { false }
    package var handlerTimeout: Duration? { nil }

    package func next(in input: borrowing RawSpan, at offset: Int, for role: Role) throws(Violation) -> OrderedMessage? {
        guard input.byteCount - offset >= headerSize else { return nil }
        let length = Int(input.u32(at: offset))
        guard length <= maximumMessage else {
            throw Violation(.frameTooLarge, "a message of \(length) bytes, over the limit of \(maximumMessage) (maximumMessage)")
        }
        let start = offset + headerSize
        guard input.byteCount - start >= length else { return nil }
        let text = input.extracting(start..<start + length)
        let object: JSONObject
        do throws(JSONError) {
            object = try JSONObject(text, members: Self.names, limits: json)
        } catch {
            throw Violation(.protocolViolation, "a message of \(length) bytes that is not a valid JSON object: \(error)")
        }
        return OrderedMessage(try meaning(of: object, in: text, for: role), payload: start..<start + length)
    }

    private func meaning(of object: JSONObject, in text: borrowing RawSpan, for role: Role) throws(Violation) -> OrderedMessage.Meaning {
        let type = object["type"]?.string(in: text).map { Self.name($0) }
        if role == .service {
            guard let type else { throw Violation(.protocolViolation, "a request of \(text.byteCount) bytes without a string member \"type\"") }
            return .request(method: type)
        }
        guard let type else { return .reply }
        if pushTypes.contains(type) { return .event(name: type) }
        guard type == "error" else { return .reply }
        return .failure(Failure(.taggedJSONError, object["message"]?.string(in: text) ?? "the service gave no reason"))
    }

    /// A type as methods and events are looked up by it. No name has more than 255 bytes; of a longer type a part says enough, and hashing all of it could take very long.
    private static func name(_ type: String) -> String {
        type.utf8.count <= longestName ? type : String(decoding: type.utf8.prefix(longestName), as: UTF8.self) + "…"
    }

    package func fault(in text: [UInt8], sentAs meaning: OrderedMessage.Meaning) -> Failure? {
        guard text.count <= maximumMessage else { return Failure(.tooLarge, "\(text.count) bytes, over the limit of \(maximumMessage) (maximumMessage)") }
        do throws(JSONError) {
            let object = try JSONObject(text.span.bytes, members: Self.names, limits: json)
            if meaning != .reply, object["type"]?.kind != .string { return Failure(.invalidRequest, "a JSON object without a string member \"type\"") }
            return nil
        } catch {
            return Failure(.invalidRequest, "not a valid JSON object: \(error)")
        }
    }

    /// An error reply. A sentence that is too long for the limit is cut.
    package func reply(_ failure: Failure, to request: [UInt8]) -> [UInt8]? {
        let sentence = errorPrefix + (failure.sentence.isEmpty ? "\(failure.code)" : failure.sentence)
        let head = Array(#"{"type":"error","message":"#.utf8)
        return head + JSON.quoted(sentence, limit: maximumMessage - head.count - 1) + [UInt8(ascii: "}")]
    }

    package func write(_ text: [UInt8], to output: inout OutputBuffer) {
        output.append(littleEndian: UInt32(text.count))
        output.append(text)
    }
}
