// What `ginnel top` shows: the difference of two snapshots, as lines for people and as JSON.

import Ginnel

struct TopTable {
    struct Method {
        var direction: CallDirection
        var name: String
        /// Since the earlier snapshot.
        var durations: Histogram
        var failed: UInt64
        var perSecond: Double
        var failedPerSecond: Double
        /// Since the service began.
        var total: UInt64
    }

    struct Peer {
        var now: MetricsSnapshot.Peer
        var callsPerSecond: Double
        var readPerSecond: Double
        var writtenPerSecond: Double
    }

    private let endpoint: String
    private let now: MetricsSnapshot
    private let before: MetricsSnapshot
    let seconds: Double
    /// Those with the most calls first.
    let methods: [Method]
    let peers: [Peer]

    /// The service's own clock says how long was counted, so an answer that is late costs no accuracy.
    init(endpoint: String, from before: MetricsSnapshot, to now: MetricsSnapshot) {
        self.endpoint = endpoint
        self.before = before
        self.now = now
        let seconds = max(now.uptime - before.uptime, 1e-3)
        self.seconds = seconds
        func rate(_ now: UInt64, _ before: UInt64?) -> Double { Double(now - min(now, before ?? 0)) / seconds }
        methods = now.calls.map { calls in
            let earlier = before.calls.first { $0.method == calls.method && $0.direction == calls.direction }
            let (total, failed) = (calls.total, calls.total - min(calls.total, calls.outcomes["ok"] ?? 0))
            let (totalBefore, failedBefore) = (earlier?.total ?? 0, earlier.map { $0.total - min($0.total, $0.outcomes["ok"] ?? 0) } ?? 0)
            return Method(
                direction: calls.direction, name: calls.method, durations: earlier.map { calls.durations.since($0.durations) } ?? calls.durations,
                failed: failed - min(failed, failedBefore), perSecond: rate(total, totalBefore), failedPerSecond: rate(failed, failedBefore), total: total)
        }.sorted { ($1.perSecond, $1.total, $0.name) < ($0.perSecond, $0.total, $1.name) }
        peers = now.peers.map { peer in
            let earlier = before.peers.first { $0.id == peer.id }
            return Peer(
                now: peer, callsPerSecond: rate(peer.calls, earlier?.calls), readPerSecond: rate(peer.bytesRead, earlier?.bytesRead),
                writtenPerSecond: rate(peer.bytesWritten, earlier?.bytesWritten))
        }.sorted { ($1.callsPerSecond, $1.readPerSecond + $1.writtenPerSecond, $0.now.id) < ($0.callsPerSecond, $0.readPerSecond + $0.writtenPerSecond, $1.now.id) }
    }

    private func rate(_ counter: String) -> Double {
        let value = now.counters[counter] ?? 0
        return Double(value - min(value, before.counters[counter] ?? 0)) / seconds
    }

    private var callsPerSecond: Double { methods.reduce(0) { $0 + $1.perSecond } }
    private var failedPerSecond: Double { methods.reduce(0) { $0 + $1.failedPerSecond } }

    // MARK: For people

    /// Which lines are heads of tables.
    let heads: Set<Int> = [0, 4]

    /// At most `height` lines of at most `width` columns: peers make room for methods, but three of them stay.
    func lines(width: Int, height: Int) -> [String] { allLines(width, height).map { String($0.prefix(max(8, width))) } }

    private func allLines(_ width: Int, _ height: Int) -> [String] {
        var lines = summary + [""]
        let peerLines = peers.isEmpty && now.peersUnlisted == 0 ? 0 : min(peers.count, 3) + 2
        let room = height == .max ? Int.max : max(1, height - lines.count - 1 - peerLines)
        lines.append(Self.row(["METHOD", "CALLS/S", "ERRORS/S", "P50", "P90", "P99", "TOTAL"], width))
        lines += Self.shown(methods, room) { method in
            let times = [0.5, 0.9, 0.99].map { method.durations.count > 0 ? Figure.time(UInt64(min(method.durations.percentile($0), 1e18))) : "-" }
            let name = method.name.harmless + (method.direction == .made ? " (made)" : "")
            return Self.row([name, Figure.rate(method.perSecond), Figure.rate(method.failedPerSecond)] + times + [Figure.rate(Double(method.total))], width)
        }
        guard peerLines > 0 else { return lines }
        lines += ["", Self.row(["PEER", "CALLS/S", "IN/S", "OUT/S", "RUNNING", "WAITING", "SINCE"], width)]
        let left = height == .max ? Int.max : max(1, height - lines.count)
        lines += Self.shown(peers, left) { peer in
            Self.row(
                [
                    peer.now.who, Figure.rate(peer.callsPerSecond), Figure.roundedBytes(peer.readPerSecond), Figure.roundedBytes(peer.writtenPerSecond),
                    Figure.count(peer.now.callsInFlight), Figure.roundedBytes(Double(peer.now.bytesWaiting)), Figure.age(peer.now.connectedFor),
                ], width)
        }
        return lines
    }

    private var summary: [String] {
        let transports = now.connections.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ").harmless
        let connected = now.connections.values.reduce(0) { $0 &+ $1 }
        let title = [now.program.harmless, "up \(Figure.age(now.uptime))", "engine \(now.engine.harmless)"].filter { !$0.isEmpty }.joined(separator: ", ")
        return [
            "\((now.service.isEmpty ? endpoint : now.service).harmless)  \(title)",
            "\(Figure.counted(connected, "connection"))\(transports.isEmpty ? "" : " (\(transports))"), \(Figure.rate(now.gauges["calls_in_flight"] ?? 0)) calls running, "
                + "\(Figure.roundedBytes(now.gauges["waiting_bytes"] ?? 0)) bytes waiting",
            "\(Figure.rate(callsPerSecond)) calls/s, \(Figure.rate(failedPerSecond)) errors/s, \(Figure.roundedBytes(rate("read_bytes_total")))B/s in, "
                + "\(Figure.roundedBytes(rate("written_bytes_total")))B/s out, \(Figure.rate(rate("events_sent_total"))) events/s",
        ]
    }

    /// As many rows as there is room for, the last of which says how many are not shown.
    private static func shown<Row>(_ rows: [Row], _ room: Int, _ line: (Row) -> String) -> [String] {
        guard rows.count > room else { return rows.map(line) }
        return rows.prefix(room - 1).map(line) + ["  … and \(rows.count - room + 1) more"]
    }

    /// A name that takes what room there is, and numbers in columns.
    private static func row(_ cells: [String], _ width: Int) -> String {
        let numbers = cells.dropFirst().map { $0.padded(left: 10) }.joined()
        let room = max(8, width - 10 * (cells.count - 1))
        let name = cells[0].count > room ? cells[0].prefix(room - 1) + "…" : cells[0][...]
        return String(name).padded(to: room) + numbers
    }

    // MARK: For machines

    var tree: JSONTree {
        [
            "type": "top", "service": .text(now.service), "seconds": .number(seconds), "calls_per_second": .number(callsPerSecond), "errors_per_second": .number(failedPerSecond),
            "read_per_second": .number(rate("read_bytes_total")), "written_per_second": .number(rate("written_bytes_total")),
            "methods": .array(
                methods.map { method in
                    func time(_ share: Double) -> JSONTree { method.durations.count > 0 ? .number(method.durations.percentile(share) / 1e3) : .null }
                    return [
                        "direction": .text(method.direction.rawValue), "method": .text(method.name), "calls_per_second": .number(method.perSecond),
                        "errors_per_second": .number(method.failedPerSecond), "p50_us": time(0.5), "p90_us": time(0.9), "p99_us": time(0.99),
                        "total": .integer(Int(clamping: method.total)),
                    ]
                }),
            "peers": .array(
                peers.map { peer in
                    [
                        "id": .integer(peer.now.id), "process": peer.now.process.map { .integer(Int($0)) } ?? .null, "user": peer.now.user.map { .integer(Int($0)) } ?? .null,
                        "transport": .text(peer.now.transport), "calls_per_second": .number(peer.callsPerSecond), "read_per_second": .number(peer.readPerSecond),
                        "written_per_second": .number(peer.writtenPerSecond), "calls_in_flight": .integer(peer.now.callsInFlight), "bytes_waiting": .integer(peer.now.bytesWaiting),
                        "connected_seconds": .number(peer.now.connectedFor),
                    ]
                }),
        ]
    }
}

extension MetricsSnapshot.Calls {
    fileprivate var total: UInt64 { outcomes.values.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 } }
}

extension MetricsSnapshot.Peer {
    fileprivate var who: String {
        let parts = [process.map { "process \($0)" }, user.map { "user \($0)" }, executable.flatMap { $0.split(separator: "/").last.map(String.init) }].compactMap(\.self)
        return (parts.isEmpty ? "peer \(id)" : parts.joined(separator: ", ")).harmless
    }
}
