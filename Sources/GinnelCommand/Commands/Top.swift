// `ginnel top`: who calls what, how often and how fast, as it changes. Everything shown is the difference of two snapshots of `ginnel.metrics`, so watching costs the service one call for each
// table, and needs nothing of it that its metrics do not have.

import Ginnel

extension Command {
    static let top = Command(
        name: "top", summary: "show what a service is doing, again and again",
        operands: [.endpoint],
        options: [
            Option("interval", short: "i", value: "TIME", "from one table to the next, over which it tells (default 1s)"),
            Option("count", short: "n", value: "N", "stop after N tables (default: go on until q or Ctrl-C)"),
            Invocation.expectation, Invocation.key,
        ],
        notes: [
            "On a terminal the table stays in its place, and q ends it. Elsewhere one table follows the other.",
            "Durations are those of calls that ended since the last table; they are within 6 percent.",
        ],
        examples: ["ginnel top recorder", "ginnel top recorder --count 1 --interval 10s"]
    ) { invocation in
        let plan = try TopPlan(invocation)
        return try await Interruption.cancelling { try await invocation.asking { try await plan.run($0) } }
    }
}

private struct TopPlan: Sendable {
    let name: String
    let interval: Duration
    let count: Int
    let output: Output

    init(_ invocation: Invocation) throws {
        name = invocation.operands[0]
        interval = try invocation.duration("interval", in: .milliseconds(50) ... .seconds(3_600), default: .seconds(1)) ?? .zero
        count = try invocation.number("count", in: 1...1_000_000_000, default: .max)
        output = invocation.output
    }

    /// Ends early, without an error, when the task is cancelled or q was pressed.
    func run(_ client: Client) async throws -> ExitStatus {
        guard output.isTerminal, !output.isJSON else {
            try await showTables(client, on: nil)
            return .done
        }
        let screen = Screen()
        defer { screen.leave() }
        try await withThrowingTaskGroup { group in
            group.addTask { try await showTables(client, on: screen) }
            group.addTask { await screen.waitForQuit() }
            try await group.next()
            group.cancelAll()
        }
        return .done
    }

    private func showTables(_ client: Client, on screen: Screen?) async throws {
        var before = try await snapshot(client)
        screen?.draw([name.harmless, "", "counting for \(Figure.time(interval.nanoseconds)) …"], bold: [])
        var next = ContinuousClock.now + interval
        for number in 1...count {
            guard (try? await Task.sleep(until: next)) != nil else { return }
            // After a service that was stopped for a while there is one table, and not one for each that was missed.
            next = max(next + interval, ContinuousClock.now)
            let now: MetricsSnapshot
            do {
                now = try await snapshot(client)
            } catch let error as CallError where error.code == .cancelled && Task.isCancelled {
                return
            }
            let table = TopTable(endpoint: name, from: before, to: now)
            if let screen {
                screen.draw(table.lines(width: screen.width, height: screen.height), bold: table.heads)
            } else {
                if number > 1 { output.say() }
                for line in table.lines(width: 120, height: .max) { output.say(line) }
                output.emit(table.tree)
            }
            before = now
        }
    }

    private func snapshot(_ client: Client) async throws -> MetricsSnapshot { try await client.ask("ginnel.metrics", MetricsSnapshot.self).answer }
}
