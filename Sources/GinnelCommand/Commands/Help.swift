// `ginnel help` and `ginnel version`.

import Ginnel

extension Command {
    static let help = Command(
        name: "help", summary: "say what ginnel or one of its commands does",
        operands: [Operand(name: "COMMAND", help: "one of the commands", isRequired: false)]
    ) { invocation in
        let output = invocation.output
        guard let name = invocation.operands.first else {
            output.say(overview(output.style))
            output.emit([
                "type": "help", "commands": .array(all.filter { !$0.isHidden }.map(\.description)),
                "statuses": .array(ExitStatus.allCases.map { ["status": .integer(Int($0.rawValue)), "meaning": .text($0.meaning)] }),
            ])
            return .done
        }
        guard let command = all.first(where: { $0.name == name }) else { throw unknown(name) }
        output.say(command.help(output.style))
        output.emit(["type": "help", "command": command.description])
        return .done
    }

    static let version = Command(name: "version", summary: "say which ginnel this is, and which protocol it speaks") { invocation in
        invocation.output.say("ginnel \(Version.current) (protocol \(WireFormat.native.name))")
        invocation.output.emit(["type": "version", "version": .text(Version.current), "protocol": .text(WireFormat.native.name)])
        return .done
    }
}

enum Version {
    static let current = "0.1.0"
    /// What services read about us.
    static let program = "ginnel \(current)"
}
