// `ginnel serve-echo`: where it listens, who else may, and how it stops.

import Foundation
import Testing

@Suite struct ServeEchoTests {
    @Test(arguments: [SIGINT, SIGTERM]) func `a signal stops it gracefully and leaves nothing behind`(signal: Int32) async throws {
        try await withDirectory { directory in
            let service = try Running(["serve-echo", directory + "/echo.sock", "--json"])
            let line = await service.line()
            let listening = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(listening["type"] as? String == "listening" && listening["process"] as? Int == Int(service.id))
            #expect((listening["metadata"] as? [String: String])?["path"] == directory + "/echo.sock")
            service.signal(signal)
            let outcome = await service.outcome()
            #expect(outcome.status == 0)
            #expect(try outcome.objects().last?["type"] as? String == "stopped")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }

    @Test(arguments: [SIGINT, SIGTERM]) func `a second signal cuts off what is in flight, and says so by the exit status`(signal: Int32) async throws {
        try await withDirectory { directory in
            let service = try Running(["serve-echo", directory + "/echo.sock", "--json"])
            _ = await service.line()
            // A stream that is not read to its end keeps the service from ending by itself.
            let stream = try Running(["call", directory + "/echo.sock", "count", "{\"to\":1000000000}"])
            _ = await stream.line()
            service.signal(signal)
            try await service.wait(for: "stopping")
            service.signal(signal)
            #expect(await service.outcome().status == 128 + signal)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
            stream.signal(SIGKILL)
        }
    }

    @Test func `a second service at the same endpoint is refused, and the first goes on`() async throws {
        try await withEcho { path, first in
            let second = try await Ginnel.run("serve-echo", path)
            #expect(second.status == 7)
            #expect(second.errors.contains("process \(first.id) serves this endpoint already"))
            #expect(try await Ginnel.run("call", path, "echo", "still here", "--raw").output == "still here")
        }
    }

    @Test func `a named service is found by its name`() async throws {
        try await withDirectory { directory in
            let environment = ["XDG_RUNTIME_DIR": directory, "TMPDIR": directory]
            let service = try Running(["serve-echo", "parrot", "--json"], environment: environment)
            defer { service.signal(SIGKILL) }
            let line = await service.line()
            try #require(line.contains("\"listening\""))
            let answer = try await Ginnel.run("call", "parrot", "echo", "pretty", "--raw", environment: environment)
            #expect(answer.output == "pretty")
            let other = try await Ginnel.run("call", "parrto", "echo", "pretty", "--raw", environment: environment)
            #expect(other.status == 3)
            service.signal(SIGTERM)
            #expect(await service.outcome().status == 0)
        }
    }

    @Test func `a stale socket is taken over`() async throws {
        try await withDirectory { directory in
            let path = directory + "/echo.sock"
            try await leaveStaleSocket(at: path)
            let service = try Running(["serve-echo", path, "--json"])
            #expect(await service.line().contains("\"listening\""))
            #expect(try await Ginnel.run("ping", path, "-c", "1").status == 0)
            service.signal(SIGTERM)
            #expect(await service.outcome().status == 0)
        }
    }

    @Test func `an endpoint that cannot be served is said with status 7`() async throws {
        try await withDirectory(mode: 0o777) { directory in
            let outcome = try await Ginnel.run("serve-echo", directory + "/echo.sock", "--json")
            #expect(outcome.status == 7)
            let error = try #require(try outcome.objects().first)
            #expect(error["code"] as? String == "unsafe")
            #expect((error["sentence"] as? String)?.contains("mode 0777") == true)
        }
        #expect(try await Ginnel.run("serve-echo", "/nowhere/at/all").status == 7)
    }

    @Test func `every client hears its tick`() async throws {
        // The event as bytes on the wire is Ginnel's business; here it only has to be sent without harm to calls beside it.
        try await withEcho("--tick", "1ms") { path, _ in
            let ping = try await Ginnel.run("ping", path, "-c", "50", "-i", "1ms")
            #expect(ping.status == 0)
        }
    }
}
