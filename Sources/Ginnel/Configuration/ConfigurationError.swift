// What is wrong with a configuration file: everything at once, so that it is mended in one go.

/// A configuration file that cannot be used. Nothing of it is in force.
public struct ConfigurationError: Error, Sendable, Hashable {
    /// One thing that is wrong.
    public struct Problem: Sendable, Hashable {
        /// The path of the key, such as `limits.maximumMessage`; empty for the file as a whole.
        public var key: String
        /// What was found, what is allowed, and the nearest key that there is.
        public var sentence: String
    }

    /// As it was named.
    public var file: String
    /// At least one, in the order of their keys.
    public var problems: [Problem]

    init(_ file: String, _ problems: [Problem]) {
        self.file = file
        self.problems = problems
    }

    init(_ file: String, _ sentence: String) { self.init(file, [Problem(key: "", sentence: sentence)]) }
}

extension ConfigurationError.Problem: CustomStringConvertible {
    public var description: String { key.isEmpty ? sentence : "\(key): \(sentence)" }
}

extension ConfigurationError: CustomStringConvertible {
    public var description: String { "\(file): \(problems.map(\.description).joined(separator: "; "))" }
}
