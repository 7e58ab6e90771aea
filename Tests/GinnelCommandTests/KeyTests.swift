// The command and services that encrypt.

import Foundation
import Testing

@Suite struct KeyTests {
    #if Encryption
    @Test func `a service that requires encryption answers who has its key, and nobody else`() async throws {
        try await withDirectory { directory in
            for (name, digit) in [("key", "5a"), ("wrong", "a5")] {
                let text = Data(String(repeating: digit, count: 32).utf8)
                try #require(FileManager.default.createFile(atPath: "\(directory)/\(name)", contents: text, attributes: [.posixPermissions: 0o600]))
            }
            let (file, path) = (directory + "/ginnel.json", directory + "/echo.sock")
            try Data(#"{"endpoint": "\#(path)", "encryption": {"keyFile": "\#(directory)/key"}}"#.utf8).write(to: URL(fileURLWithPath: file))
            let service = try Running(["serve-echo", "--config", file, "--json"])
            defer { service.signal(SIGKILL) }
            let line = await service.line()
            try #require(line.contains("\"listening\""), "it says \(line)")
            for command in [["ping", "-c", "1"], ["describe"], ["metrics"], ["call"], ["top", "--count", "1", "--interval", "50ms"]] {
                let operands = command[0] == "call" ? [path, "echo", "1"] : [path]
                func run(_ options: [String]) async throws -> Outcome { await (try Running([command[0]] + operands + command.dropFirst() + options)).outcome() }
                #expect(try await run(["--key", directory + "/key"]).status == 0, "\(command[0])")
                #expect(try await run(["--config", file]).status == 0, "\(command[0])")
                #expect(try await run([]).status != 0, "\(command[0])")
                #expect(try await run(["--key", directory + "/wrong"]).status != 0, "\(command[0])")
            }
            service.signal(SIGTERM)
            #expect(await service.outcome().status == 0)
        }
    }
    #endif

    @Test func `a key that cannot be used is a mistake in the arguments, said by name`() async throws {
        try await withDirectory { directory in
            let outcome = try await Ginnel.run("ping", directory + "/echo.sock", "--key", directory + "/missing")
            #expect(outcome.status == 2 && outcome.errors.contains("--key"))
            #if !Encryption
            #expect(outcome.errors.contains("package trait Encryption"))
            #endif
        }
    }
}
