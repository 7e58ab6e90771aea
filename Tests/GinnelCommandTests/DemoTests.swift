// `ginnel demo` does what it says, cleans up behind itself, and ends what it started when it is interrupted.

import Foundation
import Testing

@Suite(.serialized) struct DemoTests {
    @Test func `every step of the demo does what it says, and nothing is left behind`() async throws {
        try await withDirectory { directory in
            let outcome = try await Ginnel.run("demo", "--json", environment: ["TMPDIR": directory])
            #expect(outcome.status == 0)
            let objects = try outcome.objects()
            let steps = objects.filter { $0["type"] as? String == "step" }
            #expect(steps.count == 9)
            for step in steps { #expect(step["ok"] as? Bool == true, "\(step["title"] ?? ""): \(step["failure"] ?? "")") }
            func facts(_ step: Int) -> [String: Any] { steps[step - 1]["facts"] as? [String: Any] ?? [:] }
            let sent = facts(3)["sent_while_reader_stopped"] as? Int ?? 0
            #expect(sent > 10 && sent < 2_000 && facts(3)["items"] as? Int == 2_000)
            #expect(facts(4)["clients"] as? Int == 4)
            #expect((facts(5)["service_milliseconds"] as? Double ?? 0) >= 200)
            // The directory above is closed, so that no other user can reach it and the stranger is another program.
            #expect(facts(7)["stranger"] as? String == "program")
            #expect((facts(7)["reason"] as? String)?.contains("whose name is not among those allowed") == true)
            #expect(facts(8)["ended"] as? Int == 100)
            let rows = try #require(facts(9)["rows"] as? [[String: Any]])
            #expect(rows.count >= 1 && rows.allSatisfy { ($0["floor_us"] as? Double ?? 0) > 0 && ($0["p50_us"] as? Double ?? 0) > 0 })
            #expect(objects.last?["ok"] as? Bool == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root can become another user")) func `for root the stranger is another user`() async throws {
        try await withDirectory(mode: 0o755) { directory in
            let outcome = try await Ginnel.run("demo", environment: ["TMPDIR": directory])
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("service: refused: the peer is user 65534, this process user 0"))
            #expect(outcome.output.contains("all 9 steps did what they say"))
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [SIGINT, SIGTERM, SIGKILL]) func `however the demo is ended, its service ends with it`(signal: Int32) async throws {
        try await withDirectory { directory in
            let demo = try Running(["demo", "--json"], environment: ["TMPDIR": directory])
            #expect(await demo.line().contains("\"ok\":true"))
            demo.signal(signal)
            // The service shares the demo's standard error, whose end is the end of the last of them.
            let outcome = await demo.outcome()
            #expect(outcome.status == (signal == SIGKILL ? 256 + SIGKILL : 128 + signal))
            // Who is killed cannot clean up.
            if signal != SIGKILL { #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == []) }
        }
    }
}
