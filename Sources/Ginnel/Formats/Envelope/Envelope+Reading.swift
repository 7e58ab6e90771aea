// How messages are read that have members of any type. A decoder can only be asked for one type after another, and each wrong guess costs it an error with the whole path to the place: a peer that
// nests 60 levels and puts small values at the bottom held it up for a minute with one message. So these are read from the text itself, which is checked as a whole first.

internal import GinnelCore

extension Envelope.ConfigurationUpdate {
    public init(decoding bytes: borrowing RawSpan) throws {
        let members = try JSONObject(bytes, members: ["key", "value", "scope"])
        key = try members.text("key", bytes) ?? ""
        value = members["value"].map { Envelope.Value($0, bytes) } ?? .null
        scope = try members.text("scope", bytes) ?? "user"
    }
}

extension Envelope.UserAction {
    public init(decoding bytes: borrowing RawSpan) throws {
        let members = try JSONObject(bytes, members: ["userId", "action", "details"])
        userId = try members.text("userId", bytes) ?? ""
        action = try members.text("action", bytes) ?? ""
        details = try members.values("details", bytes) ?? [:]
    }
}

extension Envelope.ErrorReport {
    public init(decoding bytes: borrowing RawSpan) throws {
        let members = try JSONObject(bytes, members: ["userId", "errorCode", "message", "stackTrace", "context"])
        userId = try members.text("userId", bytes) ?? ""
        errorCode = try members.text("errorCode", bytes) ?? ""
        message = try members.text("message", bytes) ?? ""
        stackTrace = try members.text("stackTrace", bytes)
        context = try members.values("context", bytes) ?? [:]
    }
}

extension JSONObject {
    /// A member that is a text; `nil` where it is missing or null.
    fileprivate func text(_ name: String, _ bytes: borrowing RawSpan) throws -> String? {
        guard let value = self[name], value.kind != .null else { return nil }
        guard let text = value.string(in: bytes) else { throw wrong(name, "text") }
        return text
    }

    /// A member that is an object.
    fileprivate func values(_ name: String, _ bytes: borrowing RawSpan) throws -> [String: Envelope.Value]? {
        guard let value = self[name], value.kind != .null else { return nil }
        guard case .object(let members) = Envelope.Value(value, bytes) else { throw wrong(name, "object") }
        return members
    }

    private func wrong(_ name: String, _ kind: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: [], debugDescription: "\(name) is no \(kind)"))
    }
}

extension Envelope.Value {
    /// `bytes`: the text in which the value was found, checked as a whole.
    fileprivate init(_ value: JSONValue, _ bytes: borrowing RawSpan) {
        var reader = ValueReader(text: bytes.extracting(value.range).copied())
        self = reader.value()
    }
}

/// Reads one value of a text that is known to be valid, and to nest no deeper than the limits on JSON allow.
private struct ValueReader {
    let text: [UInt8]
    private var position = 0

    init(text: [UInt8]) { self.text = text }

    mutating func value() -> Envelope.Value {
        switch next() {
        case UInt8(ascii: "{"):
            position += 1
            var members: [String: Envelope.Value] = [:]
            while let byte = next(), byte != UInt8(ascii: "}") {
                let key = string()
                members[key] = value()
            }
            position += 1
            return .object(members)
        case UInt8(ascii: "["):
            position += 1
            var elements: [Envelope.Value] = []
            while let byte = next(), byte != UInt8(ascii: "]") { elements.append(value()) }
            position += 1
            return .array(elements)
        case UInt8(ascii: "\""): return .string(string())
        default: return scalar()
        }
    }

    /// The next byte that is neither space nor what stands between two values.
    private mutating func next() -> UInt8? {
        while position < text.count, isBetween(text[position]) { position += 1 }
        return position < text.count ? text[position] : nil
    }

    private func isBetween(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":") || byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private mutating func string() -> String {
        let start = position
        position += 1
        while position < text.count, text[position] != UInt8(ascii: "\"") { position += text[position] == UInt8(ascii: "\\") ? 2 : 1 }
        position += 1
        guard position <= text.count else { return "" }
        return JSONValue(kind: .string, range: start..<position).string(in: text.span.bytes) ?? ""
    }

    /// A number or a word. Numbers that fit are integers, however they are written.
    private mutating func scalar() -> Envelope.Value {
        let start = position
        while position < text.count, !isBetween(text[position]), text[position] != UInt8(ascii: "]"), text[position] != UInt8(ascii: "}") { position += 1 }
        let word = String(decoding: text[start..<position], as: UTF8.self)
        switch word {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: break
        }
        if let integer = Int64(word) { return .integer(integer) }
        guard let number = Double(word) else { return .null }
        return Int64(exactly: number).map { .integer($0) } ?? .number(number)
    }
}
