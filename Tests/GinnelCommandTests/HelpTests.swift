// Help is made of the tables that the parser reads, and machines can read it too.

import Foundation
import Testing

@Suite struct HelpTests {
    @Test func `help lists every command and every exit status`() async throws {
        for arguments in [[], ["help"], ["--help"], ["-h"]] {
            let outcome = try await Running(arguments).outcome()
            #expect(outcome.status == 0)
            let words = ["demo", "list", "ping", "call", "describe", "metrics", "top", "serve-echo", "bench", "doctor", "130", "143"]
            for word in words { #expect(outcome.output.contains("\n  \(word) "), "\(word)") }
            #expect(!outcome.output.contains("demo-service"), "what the demo starts for itself is not listed")
        }
    }

    @Test func `every command has help with all its options, by either way of asking`() async throws {
        let commands = try #require(try await Ginnel.run("help", "--json").objects().first?["commands"] as? [[String: Any]])
        #expect(commands.count == 12)
        for command in commands {
            let name = try #require(command["name"] as? String)
            let help = try await Ginnel.run("help", name)
            let asked = try await Ginnel.run(name, "--help")
            #expect(help.status == 0 && help.output == asked.output)
            for option in try #require(command["options"] as? [[String: Any]]) { #expect(help.output.contains(option["name"] as? String ?? "?")) }
        }
    }

    @Test func `the page on the command has the exit statuses of the command`() async throws {
        let page = try String(contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/command.md"), encoding: .utf8)
        let statuses = try #require(try await Ginnel.run("help", "--json").objects().first?["statuses"] as? [[String: Any]])
        #expect(statuses.count == 10)
        for status in statuses {
            let row = "| \(status["status"] as? Int ?? -1) | \(status["meaning"] as? String ?? "?") |"
            #expect(page.contains(row), "\(row)")
        }
    }

    @Test func `the version names the protocol`() async throws {
        let text = try await Ginnel.run("--version")
        #expect(text.status == 0 && text.output.hasPrefix("ginnel ") && text.output.contains("ginnel/1"))
        let object = try #require(try await Ginnel.run("version", "--json").objects().first)
        #expect(object["protocol"] as? String == "ginnel/1")
    }

    @Test func `nothing is coloured where nobody looks on`() async throws {
        for arguments in [["help"], ["doctor", "/nowhere/at/all"], ["ping", "/nowhere/at/all"]] {
            let outcome = try await Running(arguments, environment: ["TERM": "xterm"]).outcome()
            #expect(!(outcome.output + outcome.errors).contains("\u{1B}"))
        }
    }
}

@Suite(.enabled(if: Terminal.exists, "script(1) of util-linux makes the terminal")) struct TerminalTests {
    @Test func `on a terminal there is colour, and none with NO_COLOR`() async throws {
        let coloured = try await Terminal.run("doctor", "/nowhere/at/all")
        #expect(coloured.status == 6 && coloured.output.contains("\u{1B}[31m"))
        let plain = try await Terminal.run("doctor", "/nowhere/at/all", environment: ["NO_COLOR": "1"])
        #expect(plain.status == 6 && !plain.output.contains("\u{1B}"))
        let empty = try await Terminal.run("doctor", "/nowhere/at/all", environment: ["NO_COLOR": ""])
        #expect(empty.output.contains("\u{1B}[31m"), "an empty NO_COLOR counts as none")
    }

    @Test func `on a terminal a measurement shows how far it has come, and JSON is indented`() async throws {
        try await withEcho { path, _ in
            let bench = try await Terminal.run("bench", path, "--seconds", "300ms")
            #expect(bench.status == 0 && bench.output.contains("echo 1 KiB [") && bench.output.contains("a second"))
            let call = try await Terminal.run("call", path, "ginnel.health")
            #expect(call.output == "{\r\n  \"status\": \"serving\"\r\n}\r\n")
        }
    }
}

/// The command on a terminal of its own.
private enum Terminal {
    static let exists = FileManager.default.isExecutableFile(atPath: "/usr/bin/script") && FileManager.default.fileExists(atPath: "/proc/self")

    static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
        let command = ([Ginnel.program.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let environment = ["TERM": "xterm", "NO_COLOR": ""].merging(environment) { $1 }
        return try await Running(["-qec", command, "/dev/null"], program: URL(fileURLWithPath: "/usr/bin/script"), environment: environment).outcome()
    }
}
