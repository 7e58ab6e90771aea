// What a session machine may know about a JSON message: that it is one, and where the few members lie that it steers by.
//
// Formats whose messages are JSON look for a type or an id before anything is decoded. The whole text is checked first, strictly (RFC 8259, and
// beyond it: no key twice, no lone surrogate, no number out of range), so that what one side lets pass means the same to every decoder behind
// it. Decoding into types is the business of the layers above.

package enum JSON {
    /// Checks a whole text and says what it is. Memory: `limits.depth` and the keys of the objects that are open at one time.
    @discardableResult
    package static func validate(_ bytes: borrowing RawSpan, limits: JSONLimits = .defaults) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBytes { buffer throws(JSONError) in
            var scanner = JSONScanner(buffer, limits: limits, names: [])
            return try scanner.document()
        }
    }
}

/// The names of the members that a machine looks for, prepared once.
package struct JSONNames: Sendable, ExpressibleByArrayLiteral {
    let encoded: [[UInt8]]

    package init(arrayLiteral names: String...) { encoded = names.map { Array($0.utf8) } }

    func index(of name: String) -> Int? { encoded.firstIndex { $0.elementsEqual(name.utf8) } }
}

/// A whole text that is one object, checked.
package struct JSONObject: Sendable {
    private let names: JSONNames
    private let values: [JSONValue?]

    /// Throws what is wrong with `bytes`. The ranges of members count from the first byte of `bytes`.
    package init(_ bytes: borrowing RawSpan, members names: JSONNames = [], limits: JSONLimits = .defaults) throws(JSONError) {
        self.names = names
        values = try bytes.withUnsafeBytes { buffer throws(JSONError) in
            var scanner = JSONScanner(buffer, limits: limits, names: names)
            let document = try scanner.document()
            guard document.kind == .object else { throw JSONError(.notAnObject, at: document.range.lowerBound) }
            return scanner.found
        }
    }

    /// The member of that name; `nil` when the object has none, or when it was not among those looked for.
    package subscript(name: String) -> JSONValue? { names.index(of: name).flatMap { values[$0] } }
}

package struct JSONValue: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case object, array, string, number, boolean, null
    }
    package var kind: Kind
    /// In the text that was checked; strings with their quotes.
    package var range: Range<Int>

    /// `range`: where a value of this kind stands in a text that was checked.
    package init(kind: Kind, range: Range<Int>) {
        self.kind = kind
        self.range = range
    }

    /// The text of a string, unescaped; `nil` for other kinds. `bytes` is the text that was checked.
    package func string(in bytes: borrowing RawSpan) -> String? {
        guard kind == .string else { return nil }
        return bytes.extracting(range.lowerBound + 1..<range.upperBound - 1).withUnsafeBytes { JSONText($0).text }
    }

    /// An integer without fraction and exponent that fits; `nil` for everything else. `bytes` is the text that was checked.
    package func integer<Integer: FixedWidthInteger>(in bytes: borrowing RawSpan, as type: Integer.Type = Integer.self) -> Integer? {
        guard kind == .number else { return nil }
        return bytes.extracting(range).withUnsafeBytes { Integer(String(decoding: $0, as: UTF8.self)) }
    }
}
