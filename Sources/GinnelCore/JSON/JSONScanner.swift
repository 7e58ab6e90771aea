// Checks the grammar of RFC 8259 in one pass and without recursion: a loop over values, beside a stack of the objects and arrays that are open.
//
// Past the end, `byte` is zero, which is legal nowhere in JSON: one comparison finds both a wrong byte and a missing one.

struct JSONScanner {
    let bytes: UnsafeRawBufferPointer
    let limits: JSONLimits
    var position = 0
    private var open = JSONStack()
    private let names: JSONNames
    /// The members of the outermost object that were looked for, in the order of their names.
    private(set) var found: [JSONValue?]
    /// The one whose value is being read: its place in `found`, and where the value starts.
    private var member: (index: Int, start: Int)?

    init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits, names: JSONNames) {
        self.bytes = bytes
        self.limits = limits
        self.names = names
        found = names.encoded.map { _ in nil }
    }

    var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

    func error(expected: JSONError.Expected) -> JSONError {
        JSONError(position < bytes.count ? .unexpectedByte(expected: expected) : .ended(expected: expected), at: position)
    }

    mutating func document() throws(JSONError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw JSONError(.byteOrderMark, at: 0) }
        skipSpace()
        let start = position
        try tree()
        let value = self.value(from: start)
        skipSpace()
        guard position == bytes.count else { throw JSONError(.trailingBytes, at: position) }
        return value
    }

    /// One value with all that is inside it.
    private mutating func tree() throws(JSONError) {
        var isFresh = try begin()
        while let isObject = open.isObject {
            skipSpace()
            if byte == UInt8(ascii: isObject ? "}" : "]") {
                position += 1
                open.pop()
                noteEndOfValue()
                isFresh = false
                continue
            }
            if !isFresh {
                guard byte == UInt8(ascii: ",") else { throw error(expected: isObject ? .commaOrBrace : .commaOrBracket) }
                position += 1
                skipSpace()
            }
            if isObject { try key(expected: isFresh ? .keyOrEnd : .key) }
            isFresh = try begin()
            if !isFresh { noteEndOfValue() }
        }
    }

    /// A scalar as a whole, or the bracket that opens an object or array: then true.
    private mutating func begin() throws(JSONError) -> Bool {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.depth < limits.depth else { throw JSONError(.tooDeep(limit: limits.depth), at: position) }
            open.push(isObject: byte == UInt8(ascii: "{"))
            position += 1
            return true
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: throw error(expected: .value)
        }
        return false
    }

    /// A key, its colon, and the space before the value.
    private mutating func key(expected: JSONError.Expected) throws(JSONError) {
        guard byte == UInt8(ascii: "\"") else { throw error(expected: expected) }
        let start = position
        let key = try string()
        guard open.insert(key) else { throw JSONError(.duplicateKey, at: start) }
        skipSpace()
        guard byte == UInt8(ascii: ":") else { throw error(expected: .colon) }
        position += 1
        skipSpace()
        if open.depth == 1, let index = names.encoded.firstIndex(where: { key == $0 }) { member = (index, position) }
    }

    private mutating func noteEndOfValue() {
        guard open.depth == 1, let (index, start) = member else { return }
        found[index] = value(from: start)
        member = nil
    }

    private func value(from start: Int) -> JSONValue {
        let kind: JSONValue.Kind =
            switch bytes[start] {
            case UInt8(ascii: "{"): .object
            case UInt8(ascii: "["): .array
            case UInt8(ascii: "\""): .string
            case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
            case UInt8(ascii: "n"): .null
            default: .number
            }
        return JSONValue(kind: kind, range: start..<position)
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte == word.utf8Start[index] else { throw error(expected: .literal) }
            position += 1
        }
    }

    private mutating func skipSpace() {
        while byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }
}
