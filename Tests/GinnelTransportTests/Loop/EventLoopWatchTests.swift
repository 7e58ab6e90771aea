import CTestSupport
import GinnelTesting
import Testing

@testable import GinnelTransport

@Suite(.timeLimit(.minutes(5))) struct EventLoopWatchTests {
    private struct Report: Sendable {
        var what: String
        var nanoseconds: UInt64
    }

    /// Runs `body` with a loop that reports what holds it longer than `limit`.
    private func withReports(after limit: Duration, _ body: (EventLoop, Watched<[Report]>) async throws -> Void) async throws {
        var configuration = LoopConfiguration.defaults
        configuration.reportAfter = limit
        let reports = Watched([Report]())
        let group = try await EventLoopGroup.start(name: "test", count: 1, configuration) { what, nanoseconds in
            reports.change { $0.append(Report(what: what, nanoseconds: nanoseconds)) }
        }
        let result = await Result { () async throws in try await body(group.loops[0], reports) }
        await group.stop()
        try result.get()
    }

    @Test func `a handler that holds the loop too long is reported by its name and time`() async throws {
        try await withReports(after: .milliseconds(2)) { loop, reports in
            try await loop.run {
                loop.noteWork("the one before")
                spin(.milliseconds(4))
                loop.noteWork("thumbnails")
            }
            let report = try await reports.wait { $0.contains { $0.what == "thumbnails" } }.first { $0.what == "thumbnails" }
            #expect((report?.nanoseconds ?? 0) >= 4_000_000)
        }
    }

    @Test func `a task that holds the loop too long is reported`() async throws {
        try await withReports(after: .milliseconds(2)) { loop, reports in
            await Task(executorPreference: loop) { spin(.milliseconds(4)) }.value
            try await reports.wait { $0.contains { $0.what == "a task" && $0.nanoseconds >= 4_000_000 } }
        }
    }

    @Test func `handlers that are quick enough are not reported`() async throws {
        try await withReports(after: .seconds(3600)) { loop, reports in
            try await loop.run {
                for _ in 0..<100 { loop.noteWork("quick") }
            }
            #expect(reports.value.isEmpty)
        }
    }

    @Test func `a loop polls as long as it is told to, where it may use several processors`() throws {
        var configuration = LoopConfiguration.defaults
        configuration.polling = .microseconds(50)
        let polling = try EventLoop(name: "test", configuration)
        let resting = try EventLoop(name: "test")
        #expect(polling.pollingTime == (System.processors > 1 ? 50_000 : 0))
        #expect(resting.pollingTime == 0)
    }

    @Test(.isolated) func `a loop does not poll where it may use one processor only`() throws {
        // Elsewhere than on Linux a process cannot be told so.
        guard ts_use_one_processor() else { return }
        #expect(System.processors == 1)
        let loop = try EventLoop(name: "test", .lowLatency)
        #expect(loop.pollingTime == 0)
    }
}
