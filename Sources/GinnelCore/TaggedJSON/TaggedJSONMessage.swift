// One message: four bytes of length, little-endian, and a JSON object whose member `type` says what it is.

struct TaggedJSONMessage {
    /// Where the JSON text lies in the input.
    let text: Range<Int>
    /// `nil` when the object has no such member or it is no string.
    let type: String?
    /// Why, when the type is `error` and says so.
    let sentence: String?

    static let prefixSize = 4
    private static let names: JSONNames = ["type", "message"]

    /// The message that begins at `offset`; `nil` while it is incomplete. A length over the limit is refused before its bytes arrive.
    static func next(
        in input: borrowing RawSpan, at offset: Int, _ configuration: TaggedJSONConfiguration
    ) throws(Violation) -> TaggedJSONMessage? {
        guard input.byteCount - offset >= prefixSize else { return nil }
        let length = Int(input.u32(at: offset))
        guard length <= configuration.maximumMessage else {
            throw Violation(.frameTooLarge, "a message of \(length) bytes, over the limit of \(configuration.maximumMessage) (maximumMessage)")
        }
        let start = offset + prefixSize
        guard input.byteCount - start >= length else { return nil }
        let text = input.extracting(start..<start + length)
        do throws(JSONError) {
            let object = try JSONObject(text, members: names, limits: configuration.json)
            let type = object["type"]?.string(in: text)
            let sentence = type == "error" ? object["message"]?.string(in: text) : nil
            return TaggedJSONMessage(text: start..<start + length, type: type, sentence: sentence)
        } catch {
            throw Violation(.protocolViolation, "a message of \(length) bytes that is not a valid JSON object: \(error)")
        }
    }

    /// What is wrong with a text that our own program wants sent; `nil` when nothing is.
    static func fault(in text: [UInt8], needsType: Bool, _ configuration: TaggedJSONConfiguration) -> Failure? {
        guard text.count <= configuration.maximumMessage else {
            return Failure(.tooLarge, "\(text.count) bytes, over the limit of \(configuration.maximumMessage) (maximumMessage)")
        }
        do throws(JSONError) {
            let object = try JSONObject(text.span.bytes, members: names, limits: configuration.json)
            if needsType, object["type"]?.kind != .string { return Failure(.invalidRequest, "a JSON object without a string member \"type\"") }
            return nil
        } catch {
            return Failure(.invalidRequest, "not a valid JSON object: \(error)")
        }
    }

    /// An error reply. A sentence that is too long for the limit is cut.
    static func error(_ sentence: String, _ configuration: TaggedJSONConfiguration) -> [UInt8] {
        let head = Array(#"{"type":"error","message":"#.utf8)
        return head + JSON.quoted(sentence, limit: configuration.maximumMessage - head.count - 1) + [UInt8(ascii: "}")]
    }

    static func write(_ text: [UInt8], to output: inout OutputBuffer) {
        output.append(littleEndian: UInt32(text.count))
        output.append(text)
    }
}
