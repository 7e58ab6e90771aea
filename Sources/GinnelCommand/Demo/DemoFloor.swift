// The raw exchange that the demo measures Ginnel against, in a process of its own: it pins itself and forks.

internal import CGinnelCommand
import Ginnel

extension Command {
    static let demoFloor = Command(
        name: "demo-floor", summary: "the raw exchange in C that the demo compares with",
        options: [
            Option("size", value: "BYTES", "of a message"), Option("seconds", value: "TIME", "how long to measure"), Option("first", value: "N", "the processor of one side"),
            Option("second", value: "N", "the processor of the other"),
        ],
        isHidden: true
    ) { invocation in
        let duration = try invocation.duration("seconds", in: .milliseconds(10) ... .seconds(60), default: .seconds(1)) ?? .zero
        var exchange = gnc_exchange()
        exchange.size = try invocation.number("size", in: 1...1_048_576, default: 1024)
        exchange.duration_ns = duration.nanoseconds
        exchange.warm_up_ns = max(duration.nanoseconds / 10, 100_000_000)
        exchange.first = Int32(try invocation.number("first", in: -1...1023, default: -1))
        exchange.second = Int32(try invocation.number("second", in: -1...1023, default: -1))
        var latencies = Histogram()
        let native = withUnsafeMutablePointer(to: &latencies) { latencies in
            gnc_exchange_run(&exchange, { context, nanoseconds in context?.assumingMemoryBound(to: Histogram.self).pointee.record(nanoseconds) }, latencies)
        }
        guard native == 0 else { throw Trouble(.failed, code: "floor", "the raw exchange failed (error \(native))") }
        invocation.output.emit([
            "type": "floor", "calls": .integer(latencies.count), "p50_us": .number(latencies.percentile(0.5) / 1e3), "p99_us": .number(latencies.percentile(0.99) / 1e3),
        ])
        return .done
    }
}
