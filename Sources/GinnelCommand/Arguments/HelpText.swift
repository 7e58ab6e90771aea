// Help, made of the tables.

extension Command {
    /// One line: how it is called.
    var usage: String {
        let operands = operands.map { $0.isRequired ? " \($0.name)" : " [\($0.name)]" }.joined()
        return "ginnel \(name)\(operands)\(options.contains { !$0.isHidden } ? " [options]" : "")"
    }

    /// What `ginnel help NAME` prints.
    func help(_ style: Style) -> String {
        var lines = ["\(name): \(summary).", "", style.bold("usage"), "  \(usage)"]
        if !operands.isEmpty { lines += ["", style.bold("operands")] + Self.table(operands.map { ($0.name, $0.help) }) }
        let visible = allOptions.filter { !$0.isHidden }
        lines += ["", style.bold("options")] + Self.table(visible.map { ($0.spelling, $0.help) })
        for note in notes { lines += ["", note] }
        if !examples.isEmpty { lines += ["", style.bold("examples")] + examples.map { "  \($0)" } }
        return lines.joined(separator: "\n")
    }

    /// What `ginnel help` prints.
    static func overview(_ style: Style) -> String {
        var lines = [
            "ginnel: local services and their clients, looked at and tried out from the command line.", "", style.bold("usage"), "  ginnel COMMAND ...", "", style.bold("commands"),
        ]
        lines += table(all.filter { !$0.isHidden }.map { ($0.name, $0.summary) })
        lines += ["", style.bold("endpoints"), "  recorder           the service of that name of this user", "  system:recorder    the service of that name of the machine"]
        lines += ["  /path/to/socket    the socket at this path", "", style.bold("exit status")]
        lines += table(ExitStatus.allCases.map { ("\($0.rawValue)", $0.meaning) })
        lines += [
            "", "All commands take --json, and print text in colour on a terminal only (never with NO_COLOR).",
            "ginnel help COMMAND says more about one; ginnel --version says which ginnel this is.",
        ]
        return lines.joined(separator: "\n")
    }

    private static func table(_ rows: [(String, String)]) -> [String] {
        let width = (rows.map(\.0.count).max() ?? 0) + 2
        return rows.map { "  \($0.0.padded(to: width))\($0.1)" }
    }

    /// For machines: shell completion, for example.
    var description: JSONTree {
        [
            "name": .text(name), "summary": .text(summary), "usage": .text(usage),
            "operands": .array(operands.map { ["name": .text($0.name), "required": .boolean($0.isRequired), "help": .text($0.help)] }),
            "options": .array(
                allOptions.filter { !$0.isHidden }.map {
                    ["name": .text("--\($0.name)"), "short": .string($0.short.map { "-\($0)" }), "value": .string($0.value), "help": .text($0.help)]
                }),
        ]
    }
}

extension Option {
    fileprivate var spelling: String { (short.map { "-\($0), " } ?? "") + "--\(name)" + (value.map { " \($0)" } ?? "") }
}
