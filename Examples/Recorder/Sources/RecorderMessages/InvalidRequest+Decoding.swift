// What is wrong with an object that is no request of its type, in one sentence.

import Foundation
public import Ginnel

extension RecorderRequest {
    /// Reads a request and checks its values.
    ///
    /// - Throws: `CallError` with "Invalid request: …".
    public init(checking bytes: [UInt8]) throws(CallError) {
        do {
            self = try Self(decoding: bytes.span.bytes)
            try check()
        } catch let error as InvalidRequest {
            throw error.callError
        } catch {
            throw InvalidRequest(Self.reason(error)).callError
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) is null"
        case .typeMismatch(_, let context): "\(place(context.codingPath)) is of a wrong type"
        // Whose number it is, is not always said.
        case .dataCorrupted(let context): context.codingPath.isEmpty ? "a number does not fit" : "\(place(context.codingPath)) does not fit"
        default: "\(error)"
        }
    }

    /// The names of the wire.
    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "the message" : path.map(\.stringValue.snakeCase).joined(separator: ".")
    }
}

extension String {
    fileprivate var snakeCase: String { reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) } }
}
