// `ginnel ping`: is it there, and how long does it take to answer? Calls `ginnel.health`, which every native service has, so that more is proven than that its kernel
// queue accepts connections: the service read the call, its loop runs, and the answer came back.

import Ginnel

extension Command {
    static let ping = Command(
        name: "ping", summary: "see whether a service answers, and how fast",
        operands: [.endpoint],
        options: [
            Option("count", short: "c", value: "N", "stop after N pings (default: go on until Ctrl-C)"),
            Option("interval", short: "i", value: "TIME", "from one ping to the next (default 1s; 0 for no pause)"),
            Option("deadline", value: "TIME", "how long to wait for one answer (default 2s)"),
            Invocation.expectation, Invocation.key,
        ],
        notes: ["Every ping is a call of ginnel.health on one connection. The exit status is 0 when every ping was answered, and 5 when one was not."],
        examples: ["ginnel ping recorder -c 5", "ginnel ping /run/user/1000/recorder/service.sock --interval 100ms"]
    ) { invocation in
        let plan = try PingPlan(invocation)
        let statistics = try await Interruption.cancelling { try await invocation.connected { try await plan.run($0) } }
        plan.conclude(statistics)
        return statistics.isClean ? .done : .callFailed
    }
}

private struct PingPlan: Sendable {
    let name: String
    let count: Int
    let interval: Duration
    let deadline: Duration
    let output: Output

    init(_ invocation: Invocation) throws {
        name = invocation.operands[0]
        count = try invocation.number("count", in: 1...1_000_000_000, default: .max)
        interval = try invocation.duration("interval", in: .zero ... .seconds(86_400), default: .seconds(1)) ?? .zero
        deadline = try invocation.duration("deadline", in: .milliseconds(1) ... .seconds(3_600), default: .seconds(2)) ?? .zero
        output = invocation.output
    }

    /// Ends early, without an error, when the task is cancelled.
    func run(_ client: Client) async throws -> PingStatistics {
        var statistics = PingStatistics()
        output.say("PING \(name.harmless): \(client.service.map { "\($0)" } ?? "a service")")
        for sequence in 1...count {
            let began = ContinuousClock.now
            do {
                let (nanoseconds, status) = try await ping(client, &statistics)
                report(sequence, nanoseconds, status)
            } catch let error as CallError where error.code == .deadlineExceeded {
                output.say("no answer within \(deadline)  seq=\(sequence)")
                output.emit(["type": "lost", "sequence": .integer(sequence)])
            } catch let error as CallError where error.code == .cancelled && Task.isCancelled {
                // It was on its way when Ctrl-C came, and counts as little as one that was never sent.
                statistics.sent -= 1
                break
            } catch {
                conclude(statistics)
                throw error
            }
            if sequence == count { break }
            guard (try? await Task.sleep(until: began + interval)) != nil else { break }
        }
        return statistics
    }

    /// How long the answer took, and what it says.
    private func ping(_ client: Client, _ statistics: inout PingStatistics) async throws -> (UInt64, String?) {
        statistics.sent += 1
        let began = clock
        let reply = try await client.call("ginnel.health", payload: [], deadline: deadline)
        let nanoseconds = clock - began
        statistics.latencies.record(nanoseconds)
        return (nanoseconds, try? Health(decoding: reply.bytes.span.bytes).status)
    }

    private func report(_ sequence: Int, _ nanoseconds: UInt64, _ status: String?) {
        let remark = status == nil || status == "serving" ? "" : "  (\(status!.harmless))"
        output.say("answer from \(name.harmless)  seq=\(sequence)  time=\(Figure.time(nanoseconds))\(remark)")
        output.emit(["type": "answer", "sequence": .integer(sequence), "microseconds": .number(Double(nanoseconds) / 1e3), "health": .string(status)])
    }

    func conclude(_ statistics: PingStatistics) {
        let latencies = statistics.latencies
        let lost = statistics.sent - latencies.count
        output.say("\n\(Figure.count(statistics.sent)) sent, \(Figure.count(latencies.count)) answered, \(Figure.count(lost)) lost")
        let figures: [(name: String, nanoseconds: Double)] = [
            ("least", Double(latencies.least)), ("median", latencies.percentile(0.5)), ("mean", latencies.mean), ("most", Double(latencies.most)),
        ]
        if latencies.count > 0 { output.say(figures.map { "\($0.name) \(Figure.time(UInt64($0.nanoseconds)))" }.joined(separator: ", ")) }
        let counts: [(String, JSONTree)] = [("type", "summary"), ("sent", .integer(statistics.sent)), ("answered", .integer(latencies.count)), ("lost", .integer(lost))]
        output.emit(.object(counts + figures.map { ($0.name, latencies.count > 0 ? .number($0.nanoseconds / 1e3) : .null) }))
    }
}

private struct PingStatistics: Sendable {
    var sent = 0
    var latencies = Histogram()

    var isClean: Bool { sent > 0 && latencies.count == sent }
}

/// The answer of `ginnel.health`.
struct Health: Message {
    var status: String
}
