// JSON by Foundation. Encoder and decoder are made once: making them costs more than most messages.

internal import GinnelCore

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

enum JSONCoding {
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }()

    static func encode(_ value: some Encodable) throws -> [UInt8] { [UInt8](try encoder.encode(value)) }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: borrowing RawSpan) throws -> Value {
        if JSON.hasUnsafeKeys(bytes) {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a key with too many combining marks in a row, or a text that is not UTF-8"))
        }
        return try decoder.decode(type, from: bytes.withUnsafeBytes { Data($0) })
    }
}
