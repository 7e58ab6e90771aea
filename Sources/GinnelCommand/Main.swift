// The `ginnel` command: the library's own tool, made of the library. `ginnel help` and docs/command.md say what it does.
//
// One table (Commands/Command+All.swift) holds the commands, and each command holds the table of its options; parsing, help and errors come from
// these tables alone. A command returns its exit status or throws; here, and only here, an error becomes a sentence and a status.

internal import CGinnelCommand
import Foundation

@main enum Main {
    static func main() async {
        let status = await run(Array(CommandLine.arguments.dropFirst()))
        exit(status.rawValue)
    }

    private static func run(_ arguments: [String]) async -> ExitStatus {
        let output = Output(isJSON: arguments.prefix { $0 != "--" }.contains("--json"))
        var endpoint: String?
        do {
            let invocation = try Command.parse(arguments, output)
            if invocation.has("lifeline") { Lifeline.hold() }
            if invocation.has("become") { try become(invocation.number("become", in: 1...Int(UInt32.max) - 1, default: 0)) }
            endpoint = invocation.command.operands.first?.name == "ENDPOINT" ? invocation.operands.first : nil
            return try await invocation.command.run(invocation)
        } catch {
            let trouble = Trouble(error, endpoint: endpoint)
            output.report(trouble)
            return trouble.status
        }
    }

    /// Before anybody has asked who we are.
    private static func become(_ user: Int) throws {
        let native = gnc_become_user(UInt32(user), UInt32(user))
        guard native == 0 else { throw Trouble(.failed, code: "user", "this process cannot become user \(user): \(String(cString: strerror(native)))") }
    }
}
