// A snapshot in the text format that Prometheus reads (exposition format, version 0.0.4): a HELP and a TYPE line for each family, then a line for each value with its labels. In values of
// labels `\`, `"` and line feeds are escaped, in help `\` and line feeds; other control characters are spelt out. A histogram has cumulative buckets, the last of which is `+Inf` and equal to `_count`.
//
// Durations are whole nanoseconds, so "shorter than 1,024 ns" is "at most 1,023 ns": that is why bounds look as they do.

internal import GinnelCore

extension MetricsSnapshot {
    /// Text for a scraper of Prometheus: families `ginnel_…`, durations in seconds.
    public var prometheusText: String {
        var text = PrometheusText()
        text.family("info", "gauge", "Which service, program and engine this is; always 1.")
        text.sample("info", [("service", service), ("program", program), ("engine", engine)], 1)
        text.family("uptime_seconds", "gauge", "Seconds since the service or client was made.")
        text.sample("uptime_seconds", [], uptime)
        text.family("connections", "gauge", "Connections there are now, by what carries their bytes.")
        for (transport, count) in connections.sorted(by: { $0.key < $1.key }) { text.sample("connections", [("transport", transport)], Double(count)) }
        let about = Dictionary(uniqueKeysWithValues: Measure.allCases.map { ($0.about.name, $0.about.help) })
        for (name, value) in counters.sorted(by: { $0.key < $1.key }) {
            text.family(name, "counter", about[name])
            text.count(name, [], value)
        }
        for (name, value) in gauges.sorted(by: { $0.key < $1.key }) {
            text.family(name, "gauge", about[name])
            text.sample(name, [], value)
        }
        let tallies = Dictionary(uniqueKeysWithValues: Tally.allCases.map { ($0.about.name, $0.about.help) })
        for (name, reasons) in reasons.sorted(by: { $0.key < $1.key }) {
            text.family(name, "counter", tallies[name])
            for (reason, value) in reasons.sorted(by: { $0.key < $1.key }) { text.count(name, [("reason", reason)], value) }
        }
        write(calls: &text)
        return text.text
    }

    private func write(calls text: inout PrometheusText) {
        text.family("calls_total", "counter", "Calls that have ended, by direction, method and outcome.")
        for calls in calls {
            for (outcome, count) in calls.outcomes.sorted(by: { $0.key < $1.key }) { text.count("calls_total", calls.labels + [("outcome", outcome)], count) }
        }
        text.family("call_duration_seconds", "histogram", "How long calls took, whatever their outcome.")
        for calls in calls where calls.durations.count > 0 { text.histogram("call_duration_seconds", calls.labels, calls.durations) }
    }
}

extension MetricsSnapshot.Calls {
    fileprivate var labels: [(String, String)] { [("direction", direction.rawValue), ("method", method)] }
}

private struct PrometheusText {
    private(set) var text = ""

    /// From a microsecond to 17 seconds, each twice the one before.
    private static let bounds = (10...34).map { UInt64(1) << UInt64($0) }

    mutating func family(_ name: String, _ type: String, _ help: String?) {
        let name = Self.name(name)
        if let help { text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n" }
        text += "# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        line(name, labels, value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)")
    }

    mutating func count(_ name: String, _ labels: [(String, String)], _ value: UInt64) { line(name, labels, "\(value)") }

    mutating func histogram(_ name: String, _ labels: [(String, String)], _ histogram: Histogram) {
        for bound in Self.bounds { line(name + "_bucket", labels + [("le", "\(Double(bound - 1) / 1e9)")], "\(histogram.count(below: bound))") }
        line(name + "_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
        line(name + "_sum", labels, "\(Double(histogram.sum) / 1e9)")
        line(name + "_count", labels, "\(histogram.count)")
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        let written = labels.map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }.joined(separator: ",")
        text += labels.isEmpty ? "\(Self.name(name)) \(value)\n" : "\(Self.name(name)){\(written)} \(value)\n"
    }

    /// What stands in a snapshot of another program may be any text: only the characters of a metric's name are kept.
    private static func name(_ name: String) -> String {
        "ginnel_" + String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" })
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default:
                // What another program counts may come to a terminal: nothing of it may command that.
                let shown = String(scalar).printable
                escaped += shown.unicodeScalars.count == 1 ? shown : "\\" + shown
            }
        }
        return escaped
    }
}
