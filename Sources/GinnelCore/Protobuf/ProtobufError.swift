// What can be wrong with the bytes of a message, and how much of them is taken.

/// Why bytes are no protobuf message, and where.
public struct ProtobufError: Error, Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The bytes end in the middle of a field.
        case truncated
        /// A varint of more than 64 bits.
        case malformedVarint
        /// 0, or above 2²⁹ − 1.
        case invalidFieldNumber
        /// 6 or 7.
        case invalidWireType
        /// A string that is not UTF-8.
        case invalidText
        /// A string with more than 256 combining marks in a row, whose hash would take very long.
        case tooManyMarks
        /// The end of a group that was not begun, or of another one.
        case unmatchedGroup
        case tooDeep
        case tooManyMessages
        case tooLong
    }

    public var kind: Kind
    /// The numbers of the fields that lead to the place, the outermost first; empty for a fault between two fields of the outermost message.
    public var path: [Int]
    /// Bytes before the place, counted from the first byte of the outermost message.
    public var offset: Int

    public init(_ kind: Kind, path: [Int] = [], offset: Int) {
        self.kind = kind
        self.path = path
        self.offset = offset
    }
}

extension ProtobufError: CustomStringConvertible {
    /// Such as "text that is not UTF-8 in field 4.3, at byte 17".
    public var description: String {
        let place = path.isEmpty ? "" : " in field \(path.map(String.init).joined(separator: "."))"
        return "\(kind.words)\(place), at byte \(offset)"
    }
}

extension ProtobufError.Kind {
    fileprivate var words: String {
        switch self {
        case .truncated: "the bytes end too early"
        case .malformedVarint: "a varint of more than 64 bits"
        case .invalidFieldNumber: "a field number out of range"
        case .invalidWireType: "a wire type that does not exist"
        case .invalidText: "text that is not UTF-8"
        case .tooManyMarks: "text with more than \(CombiningMarks.longestRow) combining marks in a row"
        case .unmatchedGroup: "the end of a group that was not begun"
        case .tooDeep: "messages nested deeper than the limit (maximumDepth)"
        case .tooManyMessages: "more messages than the limit (maximumMessages)"
        case .tooLong: "more bytes than the limit (maximumBytes)"
        }
    }
}

/// How much a message may be.
public struct ProtobufLimits: Sendable, Hashable {
    /// Messages and groups that may lie within each other, the outermost not counted. Default 100.
    public var maximumDepth = 100
    /// Bytes of the outermost message, read or written. Default 2³¹ − 1, the most that the format has.
    public var maximumBytes = Int(Int32.max)
    /// Messages and map entries within the outermost one, at all depths. Default 65,536. A message of no fields is two bytes on the wire and many in memory, so bytes alone bound little.
    public var maximumMessages = 65_536

    public static let defaults = ProtobufLimits()

    public init() {}
}
