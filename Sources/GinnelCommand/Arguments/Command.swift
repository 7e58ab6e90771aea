// What a command is: its name, what may follow it, and what it does. Parsing (Command+Parsing), help (HelpText) and errors all read from here.

struct Command: Sendable {
    var name: String
    /// Half a sentence for the list of commands.
    var summary: String
    var operands: [Operand] = []
    var options: [Option] = []
    /// Paragraphs below the options in `ginnel help NAME`.
    var notes: [String] = []
    var examples: [String] = []
    /// Started by the demo for itself, and not listed.
    var isHidden = false
    var run: @Sendable (Invocation) async throws -> ExitStatus

    /// What every command takes.
    static let common = [
        Option("config", value: "FILE", "read this configuration file (default: the one that GINNEL_CONFIG names, if any)"),
        Option("json", "print JSON for machines, one object a line"),
        Option("help", short: "h", "say what the command does"),
        Option("lifeline", "end when the parent that holds the other end of descriptor 3 does", isHidden: true),
        Option("become", value: "USER", "give up root and become this user first", isHidden: true),
    ]

    var allOptions: [Option] { options + Self.common }
}

/// An argument by its place.
struct Operand: Sendable {
    var name: String
    var help: String
    var isRequired = true

    static let endpoint = Operand(name: "ENDPOINT", help: "a NAME (a service of this user), system:NAME (one of the machine), or the /path of a socket")
}

/// An argument by its name.
struct Option: Sendable {
    var name: String
    var short: Character?
    /// What its value is called in help; `nil` for one that has none.
    var value: String?
    var help: String
    var isHidden = false

    init(_ name: String, short: Character? = nil, value: String? = nil, _ help: String, isHidden: Bool = false) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
        self.isHidden = isHidden
    }
}

/// A command as it was called.
struct Invocation: Sendable {
    let command: Command
    let operands: [String]
    /// By name; an option without a value has an empty one.
    let options: [String: String]
    let output: Output

    func has(_ option: String) -> Bool { options[option] != nil }
}

/// The arguments are not understood.
struct UsageError: Error {
    var sentence: String
    var remedy: String
}
