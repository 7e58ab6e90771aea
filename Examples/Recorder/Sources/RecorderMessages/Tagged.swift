// The messages of the recorder are JSON objects whose member `type` says what they are; the other members stand beside it. These protocols put the `type` there
// and look at it, so that the structs have the other members alone. Names in Swift are names on the wire in camel case.

import Foundation
public import Ginnel

/// A message with a fixed `type`.
public protocol Tagged: Message, Equatable {
    static var type: String { get }
}

/// A request: its `type` is the method. What its values may be is said by `check`.
public protocol RecorderRequest: Request, Tagged where Response: Equatable {
    /// Throws `InvalidRequest` when a value is outside of what is allowed.
    func check() throws(InvalidRequest)
}

extension RecorderRequest {
    public static var type: String { method }

    public func check() throws(InvalidRequest) {}
}

extension Tagged {
    public func encoded() throws -> [UInt8] { try RecorderJSON.object(type: Self.type, members: self) }

    public init(decoding bytes: borrowing RawSpan) throws {
        let data = bytes.data
        try RecorderJSON.require(Self.type, in: data)
        self = try RecorderJSON.decode(Self.self, from: data)
    }
}

/// A message without other members, such as `{"type":"ok"}`.
public struct OK: Tagged {
    public static let type = "ok"
    public init() {}
}

/// JSON with the names of the wire, which are in snake case.
public enum RecorderJSON {
    private struct TypeOnly: Decodable { var type: String }

    /// The name of a member in Swift. Names with capitals are no names of the wire and lead nowhere: `windowHandle` is not `window_handle`.
    private struct Member: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        init(onWire name: String) {
            let parts = name.split(separator: "_", omittingEmptySubsequences: false)
            let isOurs = parts.allSatisfy { !$0.isEmpty } && !name.contains(where: \.isUppercase)
            stringValue = isOurs ? parts[0] + parts.dropFirst().map(\.capitalized).joined() : "?" + name
        }
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in Member(onWire: path.last?.stringValue ?? "") }
        return try decoder.decode(type, from: data)
    }

    /// `type` in front of the members of `value`, which is an object.
    static func object(type: String, members value: some Encodable) throws -> [UInt8] {
        let head = Array(#"{"type":"\#(type)""#.utf8)
        let members = try encode(value)
        return members.count == 2 ? head + [UInt8(ascii: "}")] : head + [UInt8(ascii: ",")] + members.dropFirst()
    }

    static func type(of data: Data) throws -> String { try decode(TypeOnly.self, from: data).type }

    static func require(_ type: String, in data: Data) throws {
        let found = try self.type(of: data)
        if found != type { throw UnexpectedType(found: found, expected: [type]) }
    }
}

/// A message of another kind than the one that is due.
public struct UnexpectedType: Error, CustomStringConvertible {
    public let found: String
    public let expected: [String]

    public var description: String { "a message of type \(found) where \(expected.joined(separator: " or ")) is due" }
}

extension RawSpan {
    var data: Data { withUnsafeBytes { Data($0) } }
}
