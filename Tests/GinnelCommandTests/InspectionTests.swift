// `ginnel metrics`, `describe`, `list` and `top`: what a service tells tools about itself.

import Foundation
import Ginnel
import Testing

@Suite struct InspectionTests {
    @Test func `metrics are text for Prometheus, and JSON with each peer`() async throws {
        try await withEcho { path, _ in
            for _ in 0..<3 { _ = try await Ginnel.run("call", path, "echo", "--raw") }
            let text = try await Ginnel.run("metrics", path)
            #expect(text.status == 0 && text.errors.isEmpty)
            #expect(text.lines.contains("# TYPE ginnel_calls_total counter"))
            #expect(text.lines.contains(#"ginnel_calls_total{direction="served",method="echo",outcome="ok"} 3"#))
            #expect(text.lines.contains(#"ginnel_call_duration_seconds_count{direction="served",method="echo"} 3"#))
            #expect(text.output.hasSuffix("\n") && !text.output.hasSuffix("\n\n"))
            let object = try #require(try await Ginnel.run("metrics", path, "--json").objects().first)
            let value = try #require(object["value"] as? [String: Any])
            #expect(object["type"] as? String == "metrics" && value["engine"] as? String == "reactor")
            #expect((value["peers"] as? [[String: Any]])?.count == 1)
        }
    }

    @Test func `a service is described with its methods and their shapes`() async throws {
        try await withEcho { path, service in
            let text = try await Ginnel.run("describe", path)
            #expect(text.status == 0)
            #expect(text.lines.first?.contains("process \(service.id)") == true)
            #expect(text.lines.dropFirst() == ["  count       stream", "  echo        call", "  echo_async  call"])
            let object = try #require(try await Ginnel.run("describe", path, "--json").objects().first)
            #expect((object["methods"] as? [[String: String]])?.first == ["name": "count", "shape": "stream"])
        }
    }

    @Test(arguments: ["metrics", "describe", "top"]) func `where nobody listens the status is 3`(command: String) async throws {
        let outcome = try await Ginnel.run(command, "/nowhere/at/all")
        #expect(outcome.status == 3 && outcome.errors.hasPrefix("ginnel: cannot connect to /nowhere/at/all: "))
    }

    @Test func `top prints a table for each interval where there is no terminal`() async throws {
        try await withEcho { path, _ in
            let text = try await Ginnel.run("top", path, "--count", "2", "--interval", "50ms")
            #expect(text.status == 0 && !text.output.contains("\u{1B}"))
            #expect(text.lines.count { $0.hasPrefix("METHOD ") } == 2 && text.lines.count { $0.hasPrefix("PEER ") } == 2)
            #expect(text.lines.contains { $0.hasPrefix("ginnel.metrics ") })
            let objects = try await Ginnel.run("top", path, "-n", "2", "-i", "50ms", "--json").objects()
            #expect(objects.count == 2)
            for object in objects {
                #expect(object["type"] as? String == "top" && (object["seconds"] as? Double ?? 0) > 0)
                #expect((object["peers"] as? [[String: Any]])?.count == 1)
                let methods = try #require(object["methods"] as? [[String: Any]])
                #expect((methods.first { $0["method"] as? String == "ginnel.metrics" }?["calls_per_second"] as? Double ?? 0) > 0)
            }
        }
    }

    @Test func `Ctrl-C ends an endless top with status 0, and the end of its service with 5`() async throws {
        try await withEcho { path, service in
            let top = try Running(["top", path, "--interval", "50ms", "--json"])
            #expect(await top.line().contains("\"top\""))
            top.signal(SIGINT)
            #expect(await top.outcome().status == 0)
        }
        try await withDirectory { directory in
            let service = try Running(["serve-echo", directory + "/s", "--json"])
            _ = await service.line()
            let top = try Running(["top", directory + "/s", "--interval", "50ms", "--json"])
            _ = await top.line()
            service.signal(SIGKILL)
            #expect(await top.outcome().status == 5)
            _ = await service.outcome()
        }
    }

    @Test func `the list has what is live and what is stale, with who serves`() async throws {
        try await withDirectory { directory in
            let environment = ["XDG_RUNTIME_DIR": directory]
            func entries() async throws -> [[String: Any]] {
                try await Running(["list", "--json"], environment: environment).outcome().objects().filter { ($0["path"] as? String)?.hasPrefix(directory) == true }
            }
            #expect(try await entries().isEmpty)
            let live = try Running(["serve-echo", "alive", "--json"], environment: environment)
            defer { live.signal(SIGKILL) }
            _ = await live.line()
            let killed = try Running(["serve-echo", "killed", "--json"], environment: environment)
            _ = await killed.line()
            killed.signal(SIGKILL)
            _ = await killed.outcome()
            try FileManager.default.createDirectory(atPath: directory + "/unrelated", withIntermediateDirectories: false)

            let found = try await entries()
            #expect(found.map { $0["endpoint"] as? String } == ["alive", "killed"])
            #expect(found.map { $0["state"] as? String } == ["live", "stale"])
            #expect(found[0]["process"] as? Int == Int(live.id) && found[0]["service"] as? String == "alive" && found[0]["methods"] as? Int == 3)
            #expect((found[0]["program"] as? String)?.hasPrefix("ginnel ") == true)
            let text = try await Running(["list"], environment: environment).outcome()
            #expect(text.status == 0 && text.lines.contains { $0.hasPrefix("alive") && $0.contains("process \(live.id)") })
            live.signal(SIGTERM)
            #expect(await live.outcome().status == 0)
            #expect(try await entries().map { $0["endpoint"] as? String } == ["killed"])
        }
    }

    @Test func `tools work on a service that speaks another format, at its control endpoint`() async throws {
        try await withDirectory { directory in
            let path = directory + "/tagged"
            let (listening, opened) = AsyncStream.makeStream(of: Void.self)
            var configuration = ServiceConfiguration.defaults
            configuration.log = Log(level: .info) { _, _, metadata in if metadata["event"] == "control-listening" { opened.finish() } }
            let service = Service(at: .path(path), format: .taggedJSON(), configuration: configuration)
            service.handle("ask") { _, _ in [] }
            async let serving: Void = service.run()
            for await _ in listening {}
            let metrics = try await Ginnel.run("metrics", path)
            #expect(metrics.status == 0 && metrics.lines.contains(#"ginnel_connections{transport="socket"} 1"#))
            let description = try await Ginnel.run("describe", path)
            #expect(description.status == 0 && description.lines.dropFirst() == ["  ask  call"])
            let top = try await Ginnel.run("top", path, "--count", "1", "--interval", "50ms")
            #expect(top.status == 0 && top.output.contains("PEER"))
            service.beginGracefulShutdown()
            try await serving
        }
    }
}
