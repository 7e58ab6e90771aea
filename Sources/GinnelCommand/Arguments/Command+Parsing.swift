// From words to an invocation. Options may stand anywhere after the command: `--name value`, `--name=value`, `-n value`, `-nvalue`; `--` ends them. A lone
// `-` and negative numbers are operands.

import Ginnel

extension Command {
    /// Finds the command that `arguments` name and reads what follows it.
    static func parse(_ arguments: [String], _ output: Output) throws(UsageError) -> Invocation {
        var arguments = arguments[...]
        // `ginnel --json help` is as good as `ginnel help --json`, and the same holds for --config.
        var early: [String] = []
        while let option = arguments.first, option == "--json" || option == "--config" || option.hasPrefix("--config=") {
            early += arguments.prefix(option == "--config" ? 2 : 1)
            arguments = arguments.dropFirst(option == "--config" ? 2 : 1)
        }
        switch arguments.first {
        case nil, "--help", "-h": return Invocation(command: .help, operands: [], options: [:], output: output)
        case "--version", "-V": return Invocation(command: .version, operands: [], options: [:], output: output)
        case let name?:
            guard let command = all.first(where: { $0.name == name }) else { throw unknown(name) }
            return try command.parse(early + arguments.dropFirst(), output)
        }
    }

    static func unknown(_ name: String) -> UsageError {
        let names = all.filter { !$0.isHidden }.map(\.name)
        let what = name.hasPrefix("-") ? "option" : "command"
        let nearest = Nearest.to(name, among: name.hasPrefix("-") ? ["--help", "--version", "--json"] : names)
        return UsageError(
            sentence: "unknown \(what) \(name.harmless)" + (nearest.map { "; did you mean \($0)?" } ?? ""),
            remedy: "the commands are \(names.joined(separator: ", ")); see ginnel help")
    }

    private func parse(_ arguments: [String], _ output: Output) throws(UsageError) -> Invocation {
        var operands: [String] = []
        var options: [String: String] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                operands += rest
                break
            }
            guard argument.isOption else {
                operands.append(argument)
                continue
            }
            let (option, attached) = try option(argument)
            if option.name == "help" { return Invocation(command: .help, operands: [name], options: options, output: output) }
            options[option.name] = try value(of: option, attached, &rest)
        }
        if operands.isEmpty, self.operands.count == 1, self.operands[0].name == Operand.endpoint.name, let configured = try Invocation.configurationFile(options).endpoint {
            operands = ["\(configured)"]
        }
        try check(operands)
        return Invocation(command: self, operands: operands, options: options, output: output)
    }

    /// The option that `argument` names, and the value that hangs on it.
    private func option(_ argument: String) throws(UsageError) -> (Option, String?) {
        if argument.hasPrefix("--") {
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if let option = allOptions.first(where: { $0.name == parts[0] }) { return (option, parts.count > 1 ? parts[1] : nil) }
            throw unknownOption("--" + parts[0])
        }
        let letter = argument.dropFirst().first
        guard let option = allOptions.first(where: { $0.short == letter }) else { throw unknownOption(argument) }
        return (option, argument.count > 2 ? String(argument.dropFirst(2)) : nil)
    }

    private func unknownOption(_ given: String) -> UsageError {
        let known = allOptions.filter { !$0.isHidden }.map { "--\($0.name)" }
        let nearest = Nearest.to(given, among: known)
        return UsageError(
            sentence: "ginnel \(name) has no option \(given.harmless)" + (nearest.map { "; did you mean \($0)?" } ?? ""),
            remedy: "it has \(known.joined(separator: ", ")); see ginnel help \(name)")
    }

    private func value(of option: Option, _ attached: String?, _ rest: inout ArraySlice<String>) throws(UsageError) -> String {
        guard let placeholder = option.value else {
            guard attached == nil else { throw misuse("--\(option.name) takes no value") }
            return ""
        }
        if let attached { return attached }
        guard let next = rest.first, next == "-" || !next.isOption else { throw misuse("--\(option.name) needs a value: --\(option.name) \(placeholder)") }
        rest.removeFirst()
        return next
    }

    private func check(_ given: [String]) throws(UsageError) {
        if let missing = operands.dropFirst(given.count).first(where: \.isRequired) { throw misuse("\(missing.name) is missing") }
        if given.count > operands.count { throw misuse("ginnel \(name) does not know what to do with \"\(given[operands.count].harmless)\"") }
    }

    private func misuse(_ sentence: String) -> UsageError { UsageError(sentence: sentence, remedy: "usage: \(usage)") }
}

extension String {
    fileprivate var isOption: Bool { count > 1 && hasPrefix("-") && !dropFirst().first!.isNumber }
}
