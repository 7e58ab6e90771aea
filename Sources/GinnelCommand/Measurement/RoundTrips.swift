// Calls for a while, one in flight on each connection, the next made as soon as the last has returned.

internal import CGinnelCommand
import Ginnel
import GinnelTransport

struct RoundTrips: Sendable {
    struct Result: Sendable {
        var latencies = Histogram()
        var nanoseconds: UInt64 = 0
        /// Nanoseconds of processor time; `nil` where the system does not tell.
        var clientTime: UInt64 = 0
        var serviceTime: UInt64?

        var rate: Double { nanoseconds == 0 ? 0 : Double(latencies.count) * 1e9 / Double(nanoseconds) }
    }

    let method: String
    let size: Int
    let seconds: Duration

    /// Warms up for a tenth of the time and 0.1 s at least, then measures. `clients` are connected and run on the loop that this is called on.
    func run(_ clients: [Client]) async throws -> Result {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        for client in clients {
            guard try await client.call(method, payload: payload).bytes == payload else { throw Self.noEcho(method) }
        }
        _ = try await calls(clients, payload, for: max(seconds / 10, .milliseconds(100)))
        let service = clients.first?.service?.process
        let began = clock
        let before = (System.processorTime, Self.processorTime(service))
        var result = Result()
        result.latencies = try await calls(clients, payload, for: seconds)
        result.clientTime = System.processorTime - before.0
        result.serviceTime = Self.processorTime(service).flatMap { after in before.1.map { after - $0 } }
        result.nanoseconds = clock - began
        return result
    }

    private func calls(_ clients: [Client], _ payload: [UInt8], for duration: Duration) async throws -> Histogram {
        let end = clock + duration.nanoseconds
        return try await withThrowingTaskGroup(of: Histogram.self) { group in
            for client in clients {
                group.addTask {
                    var latencies = Histogram()
                    var before = clock
                    while before < end {
                        let reply = try await client.call(method, payload: payload)
                        guard reply.bytes.count == payload.count else { throw Self.noEcho(method) }
                        let after = clock
                        latencies.record(after - before)
                        before = after
                    }
                    return latencies
                }
            }
            var all = Histogram()
            for try await latencies in group { all.add(latencies) }
            return all
        }
    }

    private static func noEcho(_ method: String) -> Trouble {
        Trouble(
            .callFailed, code: "noEcho", "\(method.harmless) does not give back the bytes it is sent",
            remedy: "name a method that does with --method, or try it on ginnel serve-echo")
    }

    private static func processorTime(_ process: UInt32?) -> UInt64? {
        var nanoseconds: UInt64 = 0
        guard let process, gnc_processor_time(process, &nanoseconds) == 0 else { return nil }
        return nanoseconds
    }
}
