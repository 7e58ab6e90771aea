// The command and its configuration file.

import Foundation
import Testing

@Suite struct ConfigurationTests {
    /// A service with a configuration file and the path of the file, while `body` runs.
    private static func withConfigured(_ more: String = "", _ body: (_ file: String, _ directory: String) async throws -> Void) async throws {
        try await withDirectory { directory in
            let file = directory + "/ginnel.json"
            try Data(#"{"endpoint": "\#(directory)/echo.sock"\#(more)}"#.utf8).write(to: URL(fileURLWithPath: file))
            let service = try Running(["serve-echo", "--config", file, "--json"])
            defer { service.signal(SIGKILL) }
            let line = await service.line()
            try #require(line.contains("\"listening\"") && line.contains(directory), "it says \(line)")
            try await body(file, directory)
            service.signal(SIGTERM)
            #expect(await service.outcome().status == 0)
        }
    }

    @Test func `service and command find each other through the same file, named in any way`() async throws {
        try await Self.withConfigured { file, _ async throws in
            #expect(try await Ginnel.run("ping", "-c", "1", "--config", file).status == 0)
            #expect(try await Ginnel.run("--config", file, "ping", "-c", "1").status == 0)
            #expect(try await Ginnel.run("--config=" + file, "--json", "ping", "-c", "1").status == 0)
            #expect(try await Ginnel.run("ping", "-c", "1", environment: ["GINNEL_CONFIG": file]).status == 0)
            // Without a file the endpoint is missing.
            #expect(try await Ginnel.run("ping", "-c", "1").status == 2)
        }
    }

    @Test func `the limits of the file are in force`() async throws {
        try await Self.withConfigured(#", "limits": {"maximumMessage": 2048}"#) { file, directory in
            let path = directory + "/echo.sock"
            #expect(try await Ginnel.run("call", path, "echo", "-", "--raw", input: [UInt8](repeating: 0x78, count: 1000)).status == 0)
            let outcome = try await Ginnel.run("call", path, "echo", "-", "--raw", input: [UInt8](repeating: 0x78, count: 4096))
            #expect(outcome.status == 5 && outcome.errors.contains("2048"))
        }
    }

    @Test(arguments: ["ping", "serve-echo"]) func `a file that is not right is refused with everything that is wrong with it`(command: String) async throws {
        try await withDirectory { directory in
            let file = directory + "/ginnel.json"
            try Data(#"{"conections": {}, "timeouts": {"write": 3}}"#.utf8).write(to: URL(fileURLWithPath: file))
            let outcome = try await Ginnel.run(command, directory + "/echo.sock", "--config", file)
            #expect(outcome.status == 2)
            for part in [file, "conections: there is no such key; did you mean connections?", "timeouts.write: 3 is not allowed", "docs/configuration.md"] {
                #expect(outcome.errors.contains(part), "\(part)")
            }
            #expect(try await Ginnel.run(command, "--config", directory + "/missing").status == 2)
        }
    }

    @Test func `an engine that is none is refused before anything begins`() async throws {
        try await withDirectory { directory in
            let outcome = try await Ginnel.run("serve-echo", directory + "/echo.sock", environment: ["GINNEL_ENGINE": "steam"])
            #expect(outcome.status == 2 && outcome.errors.contains("GINNEL_ENGINE is steam; allowed are reactor and threads"))
        }
    }
}
