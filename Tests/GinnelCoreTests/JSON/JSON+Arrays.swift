import GinnelCore

// The macros of the test library cannot pass spans on: arrays stand in for them here.

extension JSON {
    @discardableResult
    static func validate(_ bytes: [UInt8], limits: JSONLimits = .defaults) throws(JSONError) -> JSONValue {
        try validate(bytes.span.bytes, limits: limits)
    }

    @discardableResult
    static func validate(_ text: String, limits: JSONLimits = .defaults) throws(JSONError) -> JSONValue {
        try validate(Array(text.utf8), limits: limits)
    }
}

extension JSONObject {
    init(_ bytes: [UInt8], members names: JSONNames = []) throws(JSONError) { try self.init(bytes.span.bytes, members: names) }
}

extension JSONValue {
    func string(in bytes: [UInt8]) -> String? { string(in: bytes.span.bytes) }

    func integer<Integer: FixedWidthInteger>(in bytes: [UInt8], as type: Integer.Type = Integer.self) -> Integer? {
        integer(in: bytes.span.bytes, as: type)
    }
}
