// What a run has measured, as the one line that it prints.

import Ginnel

struct Result {
    /// Of each round trip; empty for one-way messages.
    var latencies = Histogram()
    var messages = 0
    var nanoseconds: UInt64 = 0
    var processorTime: UInt64 = 0
    /// Messages for each system call that wrote, of one-way messages on a socket.
    var messagesPerWrite: Double?

    /// How long a message is that the program makes itself.
    var messageBytes: Int?

    var line: String {
        func microseconds(_ value: Double) -> String { latencies.count == 0 ? "null" : "\(value / 1000)" }
        let gathered = messagesPerWrite.map { "\"messages_per_write\": \($0), " } ?? ""
        let length = messageBytes.map { "\"message_bytes\": \($0), " } ?? ""
        let rate = Double(messages) / (Double(nanoseconds) / 1e9)
        return """
            {"p50_us": \(microseconds(latencies.percentile(0.5))), "p99_us": \(microseconds(latencies.percentile(0.99))), \
            "mean_us": \(microseconds(latencies.mean)), \(gathered)\(length)"rate": \(rate), "cpu_seconds": \(Double(processorTime) / 1e9), "messages": \(messages)}
            """
    }
}

struct Wrong: Error, CustomStringConvertible { let description: String }
