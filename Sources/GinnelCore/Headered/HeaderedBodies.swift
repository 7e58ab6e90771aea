// The JSON payloads that the session itself reads and writes: StreamChunk, Error, Cancel, and of a CompletionRequest whether it asks for a stream.

/// One piece of a streamed answer.
struct HeaderedChunk {
    let sequence: UInt32
    /// Where the item lies in the payload; empty for a last chunk that carries none.
    let content: Range<Int>
    let isFinal: Bool

    private static let names: JSONNames = ["sequence", "content", "is_final"]
    private static let textName: JSONNames = ["Text"]
    /// The content of a last chunk without an item.
    private static let nothing = Array(#"{"Text":""}"#.utf8)

    init(_ payload: borrowing RawSpan, _ limits: JSONLimits) throws(Violation) {
        let object = try JSONObject(headered: .streamChunk, payload, members: Self.names, limits)
        guard let sequence = object["sequence"]?.integer(in: payload, as: UInt32.self) else { throw Self.violation("without a number `sequence` of 32 bits") }
        guard let final = object["is_final"], final.kind == .boolean else { throw Self.violation("without a boolean `is_final`") }
        guard let content = object["content"] else { throw Self.violation("without `content`") }
        self.sequence = sequence
        isFinal = payload.byte(at: final.range.lowerBound) == UInt8(ascii: "t")
        self.content = isFinal && Self.isNothing(payload.extracting(content.range), limits) ? 0..<0 : content.range
    }

    private static func violation(_ what: String) -> Violation { Violation(.protocolViolation, "\(HeaderedType.streamChunk) \(what)") }

    private static func isNothing(_ content: borrowing RawSpan, _ limits: JSONLimits) -> Bool {
        let object = try? JSONObject(content, members: textName, limits: limits)
        return object?["Text"]?.string(in: content)?.isEmpty == true
    }

    /// A chunk's payload. `item` is a JSON value, or `nil` for the end.
    static func payload(id: UInt64, sequence: UInt32, item: [UInt8]?) -> [UInt8] {
        Array(#"{"stream_id":\#(id),"sequence":\#(sequence),"content":"#.utf8) + (item ?? nothing) + Array(#","is_final":\#(item == nil)}"#.utf8)
    }

    /// What a payload has beyond its item, at most.
    static let overhead = 96
}

extension Failure {
    private static let errorNames: JSONNames = ["code", "message", "details"]

    /// Reads the payload of an Error.
    init(headered payload: borrowing RawSpan, _ limits: JSONLimits) throws(Violation) {
        let object = try JSONObject(headered: .error, payload, members: Self.errorNames, limits)
        guard let code = object["code"]?.integer(in: payload, as: Int32.self) else {
            throw Violation(.protocolViolation, "\(HeaderedType.error) without a number `code` of 32 bits")
        }
        let details = object["details"]?.string(in: payload) ?? ""
        self.init(FailureCode(rawValue: UInt32(bitPattern: code)), object["message"]?.string(in: payload) ?? "", details: Array(details.utf8))
    }

    /// The payload of an Error, of at most `limit` bytes: details that do not fit are left out, and the sentence is cut.
    func headeredPayload(atMost limit: Int) -> [UInt8] {
        func body(_ message: [UInt8], _ details: [UInt8]) -> [UInt8] {
            Array(#"{"code":\#(Int32(bitPattern: code.rawValue)),"message":"#.utf8) + message + Array(#","details":"#.utf8) + details + Array("}".utf8)
        }
        let whole = body(JSON.quoted(sentence), JSON.quoted(String(decoding: details, as: UTF8.self)))
        if whole.count <= limit { return whole }
        let empty = JSON.quoted("")
        return body(JSON.quoted(sentence, limit: limit - body(empty, empty).count + empty.count), empty)
    }
}

enum HeaderedCancel {
    private static let names: JSONNames = ["request_id"]

    static func payload(id: UInt64) -> [UInt8] { Array(#"{"request_id":"\#(id)"}"#.utf8) }

    /// The request that a payload names; `nil` when it names none by number.
    static func request(_ payload: borrowing RawSpan, _ limits: JSONLimits) throws(Violation) -> UInt64? {
        let object = try JSONObject(headered: .cancel, payload, members: names, limits)
        guard let id = object["request_id"] else { throw Violation(.protocolViolation, "\(HeaderedType.cancel) without `request_id`") }
        return id.string(in: payload).map { UInt64($0) } ?? id.integer(in: payload)
    }
}

extension HeaderedMethod {
    private static let names: JSONNames = ["stream"]

    /// The method that a request calls: its type says so, and of a completion the member `stream`.
    init(_ type: HeaderedType, _ payload: borrowing RawSpan, _ limits: JSONLimits) throws(JSONError) {
        self.init(type: type)
        guard type == .completionRequest, let stream = try JSONObject(payload, members: Self.names, limits: limits)["stream"] else { return }
        streams = stream.kind == .boolean && payload.byte(at: stream.range.lowerBound) == UInt8(ascii: "t")
    }
}

extension JSONObject {
    fileprivate init(headered type: HeaderedType, _ payload: borrowing RawSpan, members names: JSONNames, _ limits: JSONLimits) throws(Violation) {
        do throws(JSONError) {
            try self.init(payload, members: names, limits: limits)
        } catch {
            throw Violation(.protocolViolation, "\(type) whose payload of \(payload.byteCount) bytes is not a valid JSON object: \(error)")
        }
    }
}
