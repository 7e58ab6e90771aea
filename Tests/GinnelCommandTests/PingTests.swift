// `ginnel ping`.

import Foundation
import Testing

@Suite struct PingTests {
    @Test func `every ping is told, and summed up`() async throws {
        try await withEcho { path, service in
            let objects = try await Ginnel.run("ping", path, "-c", "3", "-i", "0", "--json").objects()
            #expect(objects.map { $0["type"] as? String } == ["answer", "answer", "answer", "summary"])
            #expect(objects.prefix(3).map { $0["sequence"] as? Int } == [1, 2, 3])
            #expect(objects.prefix(3).allSatisfy { ($0["microseconds"] as? Double ?? 0) > 0 && $0["health"] as? String == "serving" })
            let summary = try #require(objects.last)
            #expect(summary["sent"] as? Int == 3 && summary["answered"] as? Int == 3 && summary["lost"] as? Int == 0)
            let text = try await Ginnel.run("ping", path, "-c2", "--interval=1ms")
            #expect(text.status == 0 && text.lines.count == 5)
            #expect(text.lines[0].hasSuffix("process \(service.id)"))
            #expect(text.lines[3] == "2 sent, 2 answered, 0 lost")
        }
    }

    @Test func `Ctrl-C ends an endless ping with its summary and status 0`() async throws {
        try await withEcho { path, _ in
            let ping = try Running(["ping", path, "--json", "--interval", "60m"])
            #expect(await ping.line().contains("\"answer\""))
            ping.signal(SIGINT)
            let outcome = await ping.outcome()
            #expect(outcome.status == 0)
            #expect(try outcome.objects().first?["answered"] as? Int == 1)
        }
    }

    @Test func `a service that ends in between ends the ping with status 5`() async throws {
        try await withDirectory { directory in
            let path = directory + "/echo.sock"
            let service = try Running(["serve-echo", path, "--json"])
            _ = await service.line()
            let ping = try Running(["ping", path, "--interval", "1ms", "--json"])
            _ = await ping.line()
            service.signal(SIGKILL)
            let outcome = await ping.outcome()
            #expect(outcome.status == 5)
            let objects = try outcome.objects()
            #expect(objects.contains { $0["type"] as? String == "summary" })
            #expect(objects.last?["type"] as? String == "error")
            _ = await service.outcome()
        }
    }

    @Test func `a ping that is not answered in time is lost, and the next one may be answered`() async throws {
        try await withEcho { path, service in
            let ping = try Running(["ping", path, "--json", "--interval", "5ms", "--deadline", "20ms"])
            _ = await ping.line()
            service.signal(SIGSTOP)
            try await ping.wait(for: "\"lost\"")
            service.signal(SIGCONT)
            try await ping.wait(for: "\"answer\"")
            ping.signal(SIGINT)
            let outcome = await ping.outcome()
            #expect(outcome.status == 5)
            #expect((try outcome.objects().last?["lost"] as? Int ?? 0) >= 1)
        }
    }

    @Test func `where nobody listens the status is 3 and the doctor is named`() async throws {
        try await withDirectory { directory in
            let path = directory + "/nobody.sock"
            let text = try await Ginnel.run("ping", path)
            #expect(text.status == 3)
            #expect(text.errors.contains("there is no such endpoint") && text.errors.contains("ginnel doctor \(path)"))
            let error = try #require(try await Ginnel.run("ping", path, "--json").objects().first)
            #expect(error["code"] as? String == "notFound" && error["status"] as? Int == 3)
            try await leaveStaleSocket(at: path)
            let stale = try await Ginnel.run("ping", path)
            #expect(stale.status == 3 && stale.errors.contains("the service of this endpoint is gone"))
        }
    }
}
