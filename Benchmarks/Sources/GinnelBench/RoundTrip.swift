// One call in flight on each connection, the next made as soon as the last has returned.

import Ginnel

struct RoundTrip {
    let options: Options
    let server: Int32
    /// What is said, found once and not with every call.
    private let dialect: Dialect

    init(options: Options, server: Int32) {
        self.options = options
        self.server = server
        dialect = options.dialect
    }

    func run(_ callers: [Caller]) async throws -> Result {
        let method = options.variant == "async" ? "async" : dialect.method
        let payload = dialect.payload(options.size)
        for caller in callers {
            let reply = try await caller.client.call(method, codec: dialect.codec, payload: payload)
            guard dialect.isEcho(reply.bytes, of: payload) else { throw Wrong(description: "a reply is not the echo of its request") }
        }
        _ = try await measure(callers, method, payload, seconds: options.warmUp)
        return try await measure(callers, method, payload, seconds: options.seconds)
    }

    private func measure(_ callers: [Caller], _ method: String, _ payload: [UInt8], seconds: Double) async throws -> Result {
        let began = Processor.now
        let processorTime = Processor.time(with: server)
        let end = began + UInt64(seconds * 1e9)
        let isElsewhere = options.variant == "elsewhere"
        var result = Result()
        try await withThrowingTaskGroup(of: Histogram.self) { group in
            for caller in callers {
                group.addTask(executorPreference: isElsewhere ? globalConcurrentExecutor : nil) {
                    if isElsewhere { return try await calls(caller.client, method, payload, until: end) }
                    return try await caller.run { try await calls($0, method, payload, until: end) }
                }
            }
            for try await latencies in group { result.latencies.add(latencies) }
        }
        result.nanoseconds = Processor.now - began
        result.processorTime = Processor.time(with: server) - processorTime
        result.messages = result.latencies.count
        return result
    }

    private func calls(_ client: Client, _ method: String, _ payload: [UInt8], until end: UInt64) async throws -> Histogram {
        var latencies = Histogram()
        var pace = Pace(options)
        var now = Processor.now
        while now < end {
            let before = try await pace.next(now)
            let reply = try await client.call(method, codec: dialect.codec, payload: payload)
            guard dialect.mayEcho(reply.bytes.count, of: payload.count) else { throw Wrong(description: "a reply of \(reply.bytes.count) bytes to \(payload.count)") }
            now = Processor.now
            latencies.record(now - before)
        }
        return latencies
    }
}
