// The JSON of a configuration file, as a tree. The text was checked before (depth, duplicate keys, UTF-8, numbers), so what the decoder does with bad ones does not matter.

internal import Foundation
internal import GinnelCore

enum ConfigurationNode: Decodable {
    case object([String: ConfigurationNode])
    case array([ConfigurationNode])
    case text(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case null

    /// Arrays and objects inside each other; the deepest key needs two.
    static let depth = 8

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let boolean = try? value.decode(Bool.self) {
            self = .boolean(boolean)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let array = try? value.decode([ConfigurationNode].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: ConfigurationNode].self))
        }
    }

    /// Reads a file's text, which must be one object.
    static func members(of bytes: [UInt8], file: String) throws(ConfigurationError) -> [String: ConfigurationNode] {
        do {
            try JSON.validate(bytes.span.bytes, limits: JSONLimits(depth: depth))
        } catch {
            throw ConfigurationError(file, sentence(error, in: bytes))
        }
        guard let node = try? JSONDecoder().decode(ConfigurationNode.self, from: Data(bytes)), case .object(let members) = node else {
            throw ConfigurationError(file, "the file is one JSON object, and this is something else")
        }
        return members
    }

    /// What is wrong, and in which line and column, as editors count them.
    private static func sentence(_ error: JSONError, in bytes: [UInt8]) -> String {
        let before = bytes.prefix(error.offset)
        let line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        let column = 1 + String(decoding: before.suffix { $0 != UInt8(ascii: "\n") }, as: UTF8.self).count
        var what = "\(error.fault)"
        if error.fault == .duplicateKey {
            let key = bytes[error.offset...].dropFirst().prefix { $0 != UInt8(ascii: "\"") }
            what += " (\(String(decoding: key, as: UTF8.self).printable))"
        }
        return "not JSON as it is read here: \(what) in line \(line), column \(column)"
    }

    /// As it stands in the file, shortened.
    var shown: String {
        switch self {
        case .object: "an object"
        case .array(let elements): "[\(elements.prefix(4).map(\.shown).joined(separator: ", "))\(elements.count > 4 ? ", …" : "")]"
        case .text(let text): "\"\(text.prefix(60).description.printable)\(text.count > 60 ? "…" : "")\""
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .boolean(let boolean): "\(boolean)"
        case .null: "null"
        }
    }
}

extension ArraySlice<UInt8> {
    /// The longest end of it whose elements are all so.
    fileprivate func suffix(_ holds: (UInt8) -> Bool) -> ArraySlice<UInt8> { self[(lastIndex { !holds($0) }.map { $0 + 1 } ?? startIndex)...] }
}
