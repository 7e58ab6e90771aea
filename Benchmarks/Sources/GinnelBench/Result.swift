// What a run has measured, as the one line that it prints.

struct Result {
    /// Nanoseconds of each round trip; empty for one-way messages.
    var latencies: [UInt64] = []
    var messages = 0
    var nanoseconds: UInt64 = 0
    var processorTime: UInt64 = 0

    var line: String {
        let sorted = latencies.sorted()
        func percentile(_ part: Double) -> String {
            sorted.isEmpty ? "null" : "\(Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1000)"
        }
        let mean = latencies.isEmpty ? "null" : "\(Double(latencies.reduce(0, +)) / Double(latencies.count) / 1000)"
        let rate = Double(messages) / (Double(nanoseconds) / 1e9)
        return """
            {"p50_us": \(percentile(0.5)), "p99_us": \(percentile(0.99)), "mean_us": \(mean), "rate": \(rate), \
            "cpu_seconds": \(Double(processorTime) / 1e9), "messages": \(messages)}
            """
    }
}

struct Wrong: Error, CustomStringConvertible { let description: String }
