// JSON that the command prints: members stay in the order in which they are written down, and a reply that came as JSON goes through untouched.

indirect enum JSONTree: Sendable {
    case object([(name: String, value: JSONTree)])
    case array([JSONTree])
    case text(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case null
    /// JSON text that was checked.
    case verbatim(String)

    static func string(_ text: String?) -> JSONTree { text.map { .text($0) } ?? .null }

    /// On one line.
    var text: String {
        switch self {
        case .object(let members): "{" + members.map { "\(Self.quoted($0.name)):\($0.value.text)" }.joined(separator: ",") + "}"
        case .array(let elements): "[" + elements.map(\.text).joined(separator: ",") + "]"
        case .text(let text): Self.quoted(text)
        case .integer(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : "null"
        case .boolean(let value): "\(value)"
        case .null: "null"
        case .verbatim(let text): text
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            default:
                if scalar.isUnsafeInOutput { quoted += scalar.escapedForJSON } else { quoted.unicodeScalars.append(scalar) }
            }
        }
        return quoted + "\""
    }
}

extension JSONTree: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    init(dictionaryLiteral elements: (String, JSONTree)...) { self = .object(elements.map { ($0.0, $0.1) }) }
    init(arrayLiteral elements: JSONTree...) { self = .array(elements) }
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension Unicode.Scalar {
    /// Whether a terminal may take it for a command, or a reader of lines for their end.
    var isUnsafeInOutput: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// As one or two `\u` escapes.
    var escapedForJSON: String {
        UTF16.encode(self).map { unit in unit.map { "\\u" + String($0, radix: 16).leftPaddedWithZeros(to: 4) }.joined() } ?? ""
    }
}

extension String {
    fileprivate func leftPaddedWithZeros(to width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}
