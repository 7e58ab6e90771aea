// `ginnel bench`: how fast is this service on this machine? For ratios to a floor and to other libraries there is Benchmarks/; this one answers an operator's question.

import Ginnel
import GinnelTransport

extension Command {
    static let bench = Command(
        name: "bench", summary: "measure how fast a service answers",
        operands: [.endpoint],
        options: [
            Option("size", value: "BYTES", "of the request and its echo, 1 to 1048576 (default 1024)"),
            Option("seconds", value: "TIME", "how long to measure, after a warm-up of a tenth of it (default 3s)"),
            Option("connections", value: "N", "how many, with one call in flight on each (default 1)"),
            Option("low-latency", "let our loop look for answers for 50 µs before it sleeps"),
            Option("method", value: "NAME", "a method that gives back its bytes (default echo, as ginnel serve-echo has it)"),
            Option("cpu", value: "N", "run on this processor only (Linux)"),
            Invocation.expectation, Invocation.key,
        ],
        notes: [
            "A latency runs from before a call to after its answer is there. Processor time is of all threads of a process, over the measured time only.",
            "For figures that can be compared, put service and bench on processors of your choice with --cpu, and build for release.",
        ],
        examples: ["ginnel bench echo --size 64 --connections 16", "ginnel bench echo --low-latency --json"]
    ) { invocation in
        let plan = try BenchPlan(invocation)
        return try await Interruption.cancelling {
            let result = try await plan.run()
            plan.report(result)
            return .done
        }
    }
}

private struct BenchPlan: Sendable {
    let endpoint: Endpoint
    let name: String
    let work: RoundTrips
    let connections: Int
    let placement: Placement
    let configuration: ClientConfiguration
    let output: Output

    init(_ invocation: Invocation) throws {
        endpoint = invocation.endpoint
        name = invocation.operands[0]
        output = invocation.output
        connections = try invocation.number("connections", in: 1...10_000, default: 1)
        placement = try invocation.placement()
        configuration = try invocation.clientConfiguration()
        work = RoundTrips(
            method: invocation.options["method"] ?? "echo", size: try invocation.number("size", in: 1...1_048_576, default: 1024),
            seconds: try invocation.duration("seconds", in: .milliseconds(10) ... .seconds(3_600), default: .seconds(3)) ?? .zero)
    }

    func run() async throws -> RoundTrips.Result {
        try placement.beforeLoops()
        return try await EventLoop.run(placement.loops) { loop in
            placement.afterLoops()
            var configuration = configuration
            configuration.loop = .shared(loop)
            return try await withClients(configuration) { clients in
                let bar = ProgressBar("\(work.method.harmless) \(Figure.bytes(work.size))", total: work.seconds + max(work.seconds / 10, .milliseconds(100)), output)
                async let _: Void? = bar?.run()
                return try await work.run(clients)
            }
        }
    }

    private func withClients(_ configuration: ClientConfiguration, _ body: ([Client]) async throws -> RoundTrips.Result) async throws -> RoundTrips.Result {
        let clients = (0..<connections).map { _ in Client(to: endpoint, configuration: configuration) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients { group.addTask { try await client.run() } }
            // A client that cannot connect says why to whoever pings it, too.
            for client in clients { _ = try await client.ping() }
            let result: RoundTrips.Result
            do {
                result = try await body(clients)
            } catch let error as GinnelError {
                throw Trouble(losing: error, endpoint: name)
            }
            for client in clients { client.close() }
            try await group.waitForAll()
            return result
        }
    }

    // MARK: The result

    private static let shares: [(name: String, share: Double)] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)]

    func report(_ result: RoundTrips.Result) {
        let calls = Double(max(1, result.latencies.count))
        let style = output.style
        output.say(
            "\(Figure.count(result.latencies.count)) calls of \(work.method.harmless) with \(Figure.bytes(work.size)) in \(Figure.time(result.nanoseconds)), \(connections == 1 ? "one connection" : "\(connections) connections")"
        )
        output.say("\(style.bold("rate"))       \(Figure.count(Int(result.rate))) a second")
        let percentiles = Self.shares.map { "\($0.name) \(Figure.time(UInt64(result.latencies.percentile($0.share))))" }
        output.say("\(style.bold("latency"))    \(percentiles.joined(separator: "   "))   most \(Figure.time(result.latencies.most))")
        let service = result.serviceTime.map { "\(Figure.microseconds(Double($0) / calls)) µs in the service" } ?? "the service's is not known"
        output.say("\(style.bold("processor"))  \(Figure.microseconds(Double(result.clientTime) / calls)) µs a call here, \(service)")
        var members: [(String, JSONTree)] = [
            ("type", "bench"), ("method", .text(work.method)), ("size", .integer(work.size)), ("connections", .integer(connections)), ("calls", .integer(result.latencies.count)),
            ("seconds", .number(Double(result.nanoseconds) / 1e9)), ("rate", .number(result.rate)),
        ]
        members += Self.shares.map { ("\($0.name)_us".replacing(".", with: "_"), .number(result.latencies.percentile($0.share) / 1e3)) }
        members += [
            ("most_us", .number(Double(result.latencies.most) / 1e3)), ("client_cpu_us", .number(Double(result.clientTime) / calls / 1e3)),
            ("service_cpu_us", result.serviceTime.map { .number(Double($0) / calls / 1e3) } ?? .null),
        ]
        output.emit(.object(members))
    }
}
