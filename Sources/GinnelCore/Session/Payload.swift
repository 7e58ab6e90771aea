// Bytes of one message, on their way from a machine to whoever handles it.
//
// A message that arrived whole still lies in the driver's read buffer when it is delivered, so it is named by its range there and
// nobody copies it who does not want to. A message that was put together from pieces owns its bytes.

/// How a payload is written (docs/protocol.md §2).
public struct Codec: RawRepresentable, Hashable, Sendable {
    /// 0 to 15.
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue & 15 }

    /// Bytes without further meaning to Ginnel.
    public static let raw = Codec(rawValue: 0)
    public static let json = Codec(rawValue: 1)
    public static let protobuf = Codec(rawValue: 2)
}

package enum Payload: Sendable, Equatable {
    /// A range of the input that was given to `SessionMachine.receive`; valid until that input's actions have been performed.
    case borrowed(Range<Int>)
    /// Bytes of their own, the first `dropping` of which do not belong to the payload.
    case owned([UInt8], dropping: Int = 0)

    package static let empty = Payload.borrowed(0..<0)

    package var count: Int {
        switch self {
        case .borrowed(let range): range.count
        case .owned(let bytes, let head): bytes.count - head
        }
    }

    /// Lends the bytes. `input` is what `receive` was given.
    package func withBytes<Result, Failed: Error>(of input: borrowing RawSpan, _ body: (borrowing RawSpan) throws(Failed) -> Result) throws(Failed) -> Result {
        switch self {
        case .borrowed(let range): try body(input.extracting(range))
        case .owned(let bytes, let head): try body(bytes.span.bytes.extracting(head...))
        }
    }

    /// The bytes as an array; a copy unless they are owned and whole.
    package func copied(of input: borrowing RawSpan) -> [UInt8] {
        if case .owned(let bytes, dropping: 0) = self { return bytes }
        return withBytes(of: input) { $0.copied() }
    }
}
