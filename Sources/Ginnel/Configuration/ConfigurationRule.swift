// What a key may hold, and how it is read. Each rule says in a few words what it allows: the same words stand in docs/configuration.md and in an error.

internal import GinnelCore
internal import GinnelTransport

/// What was read, ready to be put in its place.
enum ConfigurationValue: Sendable {
    case integer(Int)
    case duration(Duration)
    case text(String)
    case texts([String])
    case boolean(Bool)
    case encryption(Encryption)
    /// null: none, or whatever is the default of the system.
    case nothing
}

enum ConfigurationRule: Sendable {
    case integer(ClosedRange<Int>, orNull: Bool = false)
    /// A text: a number and its unit.
    case duration(ClosedRange<Duration>, orNull: Bool = false)
    /// A whole number of milliseconds.
    case milliseconds(ClosedRange<Int>)
    /// One of these texts; what each means is the key's business.
    case choice([String])
    /// Some of these texts.
    case choices([String])
    /// A name, `system:NAME` or a path.
    case endpoint
    case boolean
    /// The path of a file.
    case file

    static let forever: Duration = .seconds(31_536_000)

    /// In a few words.
    var allowed: String {
        switch self {
        case .integer(let range, let orNull): "\(range.lowerBound) to \(range.upperBound)\(orNull ? ", or null" : "")"
        case .duration(let range, let orNull): "\"\(range.lowerBound.typed)\" to \"\(range.upperBound.typed)\"\(orNull ? ", or null" : "")"
        case .milliseconds(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .choice(let texts): texts.map { "\"\($0)\"" }.joined(separator: " or ")
        case .choices(let texts): "an array of " + texts.map { "\"\($0)\"" }.joined(separator: " and ")
        case .boolean: "true or false"
        case .file: "the path of a file"
        case .endpoint: "a name, \"system:NAME\", or a path that begins with a slash"
        }
    }

    /// The value, when it is allowed.
    func read(_ node: ConfigurationNode) -> ConfigurationValue? {
        switch (self, node) {
        case (.integer(_, orNull: true), .null), (.duration(_, orNull: true), .null): return .nothing
        case (.integer(let range, _), .integer(let number)) where range.contains(number): return .integer(number)
        case (.duration(let range, _), .text(let text)):
            // In a file a number without its unit is a riddle.
            guard text.last?.isLetter == true, let duration = Duration(typed: text), range.contains(duration) else { return nil }
            return .duration(duration)
        case (.milliseconds(let range), .integer(let number)) where range.contains(number): return .duration(.milliseconds(number))
        case (.choice(let texts), .text(let text)) where texts.contains(text): return .text(text)
        case (.choices(let texts), .array(let elements)):
            let chosen = elements.compactMap { if case .text(let text) = $0, texts.contains(text) { text } else { nil } }
            return chosen.count == elements.count && !chosen.isEmpty && Set(chosen).count == chosen.count ? .texts(chosen) : nil
        case (.boolean, .boolean(let boolean)): return .boolean(boolean)
        case (.file, .text(let text)): return text.isEmpty ? nil : .text(text)
        case (.endpoint, .text(let text)): return (try? Endpoint(text).places()) != nil ? .text(text) : nil
        default: return nil
        }
    }
}
