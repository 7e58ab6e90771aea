// What a picker asks: what the user has chosen to record, and whether the user has agreed before. These replies have one of two types.

import Foundation
public import Ginnel

public struct SelectionGeometry: Codable, Sendable, Equatable {
    public var x: Int32
    public var y: Int32
    public var width: UInt32
    public var height: UInt32
    public init(x: Int32, y: Int32, width: UInt32, height: UInt32) { (self.x, self.y, self.width, self.height) = (x, y, width, height) }
}

public struct Selection: Tagged {
    public enum Kind: String, Codable, Sendable {
        case monitor
        case window
        case region
    }

    public static let type = "selection"
    public var sourceType: Kind
    /// A monitor's id, or a window's handle.
    public var sourceId: String
    public var hasApprovalToken: Bool
    /// Of a region.
    public var geometry: SelectionGeometry?

    public init(sourceType: Kind, sourceId: String, hasApprovalToken: Bool, geometry: SelectionGeometry? = nil) {
        (self.sourceType, self.sourceId, self.hasApprovalToken, self.geometry) = (sourceType, sourceId, hasApprovalToken, geometry)
    }
}

public enum CurrentSelection: WireValue, Equatable {
    case selection(Selection)
    case none

    private static let noSelection = "no_selection"
    public static var codec: Codec { .json }

    public func encoded() throws -> [UInt8] {
        switch self {
        case .selection(let selection): try selection.encoded()
        case .none: Array(#"{"type":"\#(Self.noSelection)"}"#.utf8)
        }
    }

    public init(decoding bytes: borrowing RawSpan) throws {
        switch try RecorderJSON.type(of: bytes.data) {
        case Selection.type: self = .selection(try Selection(decoding: bytes))
        case Self.noSelection: self = .none
        case let other: throw UnexpectedType(found: other, expected: [Selection.type, Self.noSelection])
        }
    }
}

public struct QuerySelection: RecorderRequest {
    public typealias Response = CurrentSelection
    public static let method = "query_selection"
    public init() {}
}

public enum TokenVerdict: String, WireValue, Equatable {
    case valid = "token_valid"
    case invalid = "token_invalid"

    public static var codec: Codec { .json }
    public func encoded() -> [UInt8] { Array(#"{"type":"\#(rawValue)"}"#.utf8) }

    public init(decoding bytes: borrowing RawSpan) throws {
        let type = try RecorderJSON.type(of: bytes.data)
        guard let verdict = TokenVerdict(rawValue: type) else {
            throw UnexpectedType(found: type, expected: [TokenVerdict.valid.rawValue, TokenVerdict.invalid.rawValue])
        }
        self = verdict
    }
}

public struct ValidateToken: RecorderRequest {
    public typealias Response = TokenVerdict
    public static let method = "validate_token"
    public var token: String
    public init(token: String) { self.token = token }
}

public struct TokenStored: Tagged {
    public static let type = "token_stored"
    public init() {}
}

public struct StoreToken: RecorderRequest {
    public typealias Response = TokenStored
    public static let method = "store_token"
    public var token: String
    public init(token: String) { self.token = token }
    public func check() throws(InvalidRequest) { try Rules.check(token: token) }
}
