// The text that Prometheus reads, checked against the grammar of its format.

import Ginnel
import GinnelTesting
import Testing

/// `Double` is a request of these tests.
private typealias Number = Swift.Double

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct PrometheusTests {
    /// One sample, read.
    private struct Sample {
        var name: String
        var labels: [String: String]
        var value: Number
    }

    /// Reads the exposition format strictly: every line, every family once, samples below their TYPE.
    private static func samples(_ text: String) throws -> [Sample] {
        var types: [String: String] = [:]
        var family = ""
        var samples: [Sample] = []
        #expect(text.hasSuffix("\n"))
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("# HELP ") { continue }
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ").map(String.init)
                try #require(words.count == 4 && ["counter", "gauge", "histogram"].contains(words[3]), "\(line)")
                #expect(types.updateValue(words[3], forKey: words[2]) == nil, "\(words[2]) twice")
                family = words[2]
                continue
            }
            let match = try #require(try /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/.wholeMatch(in: line), "\(line)")
            let name = String(match.1)
            let suffixes = types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
            #expect(suffixes.contains { family + $0 == name }, "\(name) below \(family)")
            var labels: [String: String] = [:]
            if let list = match.2 {
                for pair in list.matches(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/) { labels[String(pair.1)] = String(pair.2) }
            }
            samples.append(Sample(name: name, labels: labels, value: try #require(Number(match.3))))
        }
        return samples
    }

    @Test func `every line is what the format allows, and the numbers are those of the snapshot`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                for _ in 0..<10 { try await client.checkIsServed() }
                _ = try? await client.call("nonesuch", payload: [])
                let metrics = running.service.metrics()
                let samples = try Self.samples(metrics.prometheusText)
                func value(_ name: String, _ labels: [String: String] = [:]) -> Number? { samples.first { $0.name == name && $0.labels == labels }?.value }
                #expect(value("ginnel_connections", ["transport": "socket"]) == 1)
                #expect(value("ginnel_calls_total", ["direction": "served", "method": "echo", "outcome": "ok"]) == 10)
                #expect(value("ginnel_calls_total", ["direction": "served", "method": "(unknown)", "outcome": "unknownMethod"]) == 1)
                #expect(value("ginnel_read_bytes_total") == metrics.counters["read_bytes_total"].map { Number($0) })
                #expect(samples.contains { $0.name == "ginnel_info" && $0.labels["engine"] == running.service.engine.name })
            }
        }
    }

    @Test func `whatever another program calls its methods, nothing of it commands a terminal or breaks a line`() async throws {
        let names = ["\u{1B}[2J", "a\nginnel_forged 1", "\"quoted\\\"", "\u{9B}31m", "right\u{202E}left", "\r", "\u{2028}"]
        try await withRunning { service in
            for name in names { service.handle(name) { bytes, _ in bytes } }
        } _: { running in
            try await running.connect { client in
                for name in names { _ = try await client.call(name, payload: []) }
                // As the command reads it from a service that it does not know.
                let text = try await client.serviceMetrics().prometheusText
                #expect(!text.unicodeScalars.contains { $0 != "\n" && [.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory) })
                #expect(!text.contains("\nginnel_forged"))
                let methods = Set(try Self.samples(text).filter { $0.name == "ginnel_calls_total" }.compactMap { $0.labels["method"] })
                #expect(methods.isSuperset(of: [#"\\u{1b}[2J"#, #"a\nginnel_forged 1"#, #"\"quoted\\\""#]))
            }
        }
    }

    @Test func `however many methods are called that do not exist, or are called here, labels stay few`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                for number in 0..<300 { _ = try? await client.call("nonesuch\(number)", payload: []) }
                let served = running.service.metrics().calls.filter { $0.method.hasPrefix("nonesuch") }
                #expect(served.isEmpty && running.service.metrics().calls.contains { $0.method == "(unknown)" && $0.outcomes["unknownMethod"] == 300 })
                let made = client.metrics().calls.filter { $0.method.hasPrefix("nonesuch") }
                #expect(made.count <= 200 && client.metrics().calls.contains { $0.method == "(other)" })
            }
        }
    }

    @Test func `a histogram's buckets are cumulative and end with all there are`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                for _ in 0..<50 { try await client.checkIsServed() }
                let samples = try Self.samples(client.metrics().prometheusText).filter { $0.labels["method"] == "echo" && $0.labels["direction"] == "made" }
                let buckets = samples.filter { $0.name == "ginnel_call_duration_seconds_bucket" }
                #expect(buckets.last?.labels["le"] == "+Inf" && buckets.last?.value == 50)
                #expect(buckets.map(\.value) == buckets.map(\.value).sorted())
                let bounds = try buckets.dropLast().map { try #require(Number($0.labels["le"]!)) }
                #expect(bounds == bounds.sorted() && bounds.count == 25)
                #expect(samples.first { $0.name == "ginnel_call_duration_seconds_count" }?.value == 50)
                #expect(samples.first { $0.name == "ginnel_call_duration_seconds_sum" }!.value > 0)
            }
        }
    }

    @Test func `whatever a service calls itself stays within its label`() throws {
        var metrics = Client(to: .inProcess("x")).metrics()
        metrics.program = "a \"b\" \\ c\nd 1\nginnel_forged 7"
        metrics.counters["no name\n!"] = 3
        let samples = try Self.samples(metrics.prometheusText)
        #expect(samples.first { $0.name == "ginnel_info" }?.labels["program"] == #"a \"b\" \\ c\nd 1\nginnel_forged 7"#)
        #expect(!samples.contains { $0.name == "ginnel_forged" })
        #expect(samples.first { $0.name == "ginnel_no_name__" }?.value == 3)
    }
}
