// What is wrong with a JSON text, and where. Never says what the text contains, so that it may be logged and sent.

package struct JSONError: Error, Equatable, Sendable {
    package enum Fault: Equatable, Sendable {
        case ended(expected: Expected)
        case unexpectedByte(expected: Expected)
        case notAnObject
        case tooDeep(limit: Int)
        case duplicateKey
        /// A text whose hash would take very long (CombiningMarks.swift).
        case tooManyMarks
        case controlCharacter
        case invalidUTF8
        case invalidEscape
        case loneSurrogate
        case leadingZero
        case integerOutOfRange(JSONIntegers)
        case numberOverflows
        case trailingBytes
        case byteOrderMark
    }

    package enum Expected: String, Equatable, Sendable {
        case value = "a value"
        case key = "a key in quotes"
        case keyOrEnd = "a key in quotes or '}'"
        case colon = "':'"
        case commaOrBrace = "',' or '}'"
        case commaOrBracket = "',' or ']'"
        case closingQuote = "the end of a string"
        case digit = "a digit"
        case literal = "true, false or null"
    }

    package var fault: Fault
    /// Counted from the first byte of the text.
    package var offset: Int

    package init(_ fault: Fault, at offset: Int) {
        self.fault = fault
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String { "\(fault) at byte \(offset)" }
}

extension JSONError.Fault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ended(let expected): "the text ends where \(expected.rawValue) is due,"
        case .unexpectedByte(let expected): "something else than \(expected.rawValue)"
        case .notAnObject: "something else than an object"
        case .tooDeep(let limit): "arrays and objects nested more than \(limit) deep"
        case .duplicateKey: "a key that the object already has"
        case .tooManyMarks: "a text with more than \(CombiningMarks.longestRow) combining marks in a row"
        case .controlCharacter: "a control character in a string"
        case .invalidUTF8: "invalid UTF-8"
        case .invalidEscape: "an escape that JSON does not have"
        case .loneSurrogate: "half of a surrogate pair"
        case .leadingZero: "a number with a leading zero"
        case .integerOutOfRange(let range): "an integer outside \(range)"
        case .numberOverflows: "a number beyond the range of a double"
        case .trailingBytes: "more after the end of the value"
        case .byteOrderMark: "a byte order mark"
        }
    }
}

/// Which integers are accepted: numbers without fraction and exponent.
package enum JSONIntegers: Equatable, Sendable, CustomStringConvertible {
    /// −2⁶³ to 2⁶³ − 1.
    case signed64
    /// 0 to 2⁶⁴ − 1.
    case unsigned64
    /// −2⁶³ to 2⁶⁴ − 1: whatever fits one of the two.
    case either64
    /// Any that a double can approach.
    case unbounded

    package var description: String {
        switch self {
        case .signed64: "-2^63 to 2^63-1"
        case .unsigned64: "0 to 2^64-1"
        case .either64: "-2^63 to 2^64-1"
        case .unbounded: "the range of a double"
        }
    }
}

package struct JSONLimits: Equatable, Sendable {
    /// Arrays and objects inside each other. Default 64; 0 allows neither.
    package var depth = 64
    /// Default: whatever fits 64 bits, signed or unsigned.
    package var integers = JSONIntegers.either64

    package static let defaults = JSONLimits()

    package init(depth: Int = 64, integers: JSONIntegers = .either64) {
        self.depth = depth
        self.integers = integers
    }
}
