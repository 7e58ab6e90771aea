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
        if JSON.hasUnsafeTexts(bytes) {
            let fault = "a text with more than \(CombiningMarks.longestRow) combining marks in a row, or in another encoding than UTF-8"
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: fault))
        }
        return try decoder.decode(type, from: bytes.withUnsafeBytes { Data($0) })
    }
}
