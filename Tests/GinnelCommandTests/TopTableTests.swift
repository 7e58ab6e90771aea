// The arithmetic of `ginnel top`: two snapshots, and what lies between them.

import Foundation
import Ginnel
import Testing

@testable import GinnelCommand

@Suite struct TopTableTests {
    private static func snapshot(_ json: String) throws -> MetricsSnapshot {
        let bytes = Array(json.utf8)
        return try MetricsSnapshot(decoding: bytes.span.bytes)
    }

    private static func calls(_ method: String, ok: Int, failed: Int, _ buckets: String) -> String {
        #"{"direction":"served","method":"\#(method)","outcomes":{"ok":\#(ok),"internal":\#(failed)},"durations":{"sum":0,"buckets":\#(buckets)}}"#
    }

    private static func peer(_ id: Int, calls: Int, read: Int) -> String {
        #"{"id":\#(id),"process":\#(100 + id),"transport":"socket","connectedFor":61,"callsInFlight":1,"calls":\#(calls),"bytesRead":\#(read),"bytesWritten":0,"bytesWaiting":2048}"#
    }

    @Test func `rates are differences over the service's own time, and percentiles those of what has come since`() throws {
        let before = try Self.snapshot(#"{"uptime":10,"calls":[\#(Self.calls("a", ok: 10, failed: 5, "[[1024,15]]"))],"peers":[\#(Self.peer(1, calls: 5, read: 100))]}"#)
        let now = try Self.snapshot(
            """
            {"uptime":12,"calls":[\(Self.calls("a", ok: 30, failed: 9, "[[1024,15],[1048576,24]]")),\(Self.calls("b", ok: 100, failed: 0, "[[16,100]]"))],
            "peers":[\(Self.peer(1, calls: 15, read: 300)),\(Self.peer(2, calls: 40, read: 0))]}
            """)
        let table = TopTable(endpoint: "s", from: before, to: now)
        #expect(table.seconds == 2)
        #expect(table.methods.map(\.name) == ["b", "a"])
        #expect(table.methods.map(\.perSecond) == [50, 12])
        #expect(table.methods.map(\.failedPerSecond) == [0, 2])
        #expect(table.methods[1].durations.count == 24 && table.methods[1].durations.percentile(0.5) > 900_000)
        #expect(table.peers.map(\.now.id) == [2, 1])
        #expect(table.peers.map(\.callsPerSecond) == [20, 5])
        #expect(table.peers.map(\.readPerSecond) == [0, 100])
    }

    @Test(arguments: [(40, 10), (80, 12), (120, 24), (5, 1)]) func `a table fits into its terminal, and says what it leaves out`(size: (width: Int, height: Int)) throws {
        let calls = (0..<30).map { Self.calls("method.with.a.name.\($0)", ok: $0, failed: 0, "[]") }.joined(separator: ",")
        let peers = (0..<30).map { Self.peer($0, calls: $0, read: 0) }.joined(separator: ",")
        let now = try Self.snapshot(#"{"uptime":1,"connections":{"socket":30},"calls":[\#(calls)],"peers":[\#(peers)]}"#)
        let lines = TopTable(endpoint: "s", from: try Self.snapshot("{}"), to: now).lines(width: size.width, height: size.height)
        if size.height >= 12 {
            #expect(lines.count <= size.height)
            #expect(lines.contains { $0.hasPrefix("PEER") } && lines.contains { $0.contains("more") })
        }
        #expect(lines.allSatisfy { $0.count <= max(8, size.width) })
        #expect(TopTable(endpoint: "s", from: try Self.snapshot("{}"), to: now).lines(width: 120, height: .max).count == 5 + 30 + 2 + 30)
    }

    @Test func `whatever a service claims, the table is made`() throws {
        let most = UInt64.max
        let calls = #"{"direction":"made","method":"\u001b[2J","outcomes":{"ok":\#(most),"x":\#(most)},"durations":{"sum":\#(most),"buckets":[[\#(most),\#(most)],[0,7],[1]]}}"#
        let gauges = #"{"calls_in_flight":-1e300,"waiting_bytes":1e300}"#
        let now = try Self.snapshot(#"{"uptime":-5,"connections":{"a":9223372036854775807,"b":9223372036854775807},"gauges":\#(gauges),"calls":[\#(calls)]}"#)
        for before in [now, try Self.snapshot("{}")] {
            let table = TopTable(endpoint: "s", from: before, to: now)
            #expect(!table.lines(width: 80, height: 24).joined().contains("\u{1B}"))
            #expect(!table.tree.text.isEmpty)
        }
    }
}
