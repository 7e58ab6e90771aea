// A service in a process of its own, whose memory and descriptors are counted from outside, under clients that stop, vanish, or come and go.
//
// What is counted is what Linux tells of a process; elsewhere these tests are not run.

import CTestSupport
import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5)), .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/statm")))
struct CrowdTests {
    /// Bytes of a process that lie in memory.
    private static func memory(of process: UInt32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
        return try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * Int(getpagesize())
    }

    private static func descriptors(of process: UInt32) throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count }

    private static func connections(_ client: Client) async throws -> Int? {
        Int(String(decoding: try await client.call("connections", payload: []).bytes, as: UTF8.self))
    }

    /// 64 KiB for everybody.
    private struct Drop: Event {
        static let name = "drop"
        static let codec = Codec.raw

        init() {}
        init(decoding bytes: borrowing RawSpan) {}
        func encoded() -> [UInt8] { [] }
    }

    // MARK: Stopped

    /// Ceilings are those of event loops: a thread for each connection takes memory and descriptors of its own, and a sanitizer keeps what was given back.
    private static let countsMemory = !ts_is_sanitized() && (try? Engine.chosen()) == .reactor

    @Test(.enabled(if: countsMemory)) func `clients that are stopped do not grow the service's memory past its ceiling, and the others go on`() async throws {
        let (eventBytes, userBytes, stopped) = (2 << 20, 32 << 20, 4)
        try await withDirectory { directory in
            let limits = ["--patient", "yes", "--event-bytes", "\(eventBytes)", "--user-bytes", "\(userBytes)"]
            let service = try Child(["serve", "--endpoint", directory + "/s"] + limits)
            try await service.line("listening")
            let sleepers = try (0..<stopped).map { _ in try Child(["listen", "--endpoint", directory + "/s"]) }
            defer { for sleeper in sleepers { sleeper.signal(SIGCONT) } }
            for sleeper in sleepers { try await sleeper.line("listening") }
            try await Client.connect(to: .path(directory + "/s")) { client in
                let drops = client.events(of: Drop.self, capacity: .max)
                for _ in 0..<20 { try await Self.shower(client, drops) }
                // Half of them have calls under way, whose answers they will not read either.
                for sleeper in sleepers.prefix(2) { #expect(try await sleeper.ask("call later 40") == "called") }
                try await service.line("held 80")
                for sleeper in sleepers { sleeper.signal(SIGSTOP) }
                let before = try Self.memory(of: service.id)
                // What a service keeps for a peer that reads nothing: its events, and a portion that was on its way to the socket. The rest is for what the allocator does not give back.
                let ceiling = before + stopped * (eventBytes + 128 << 10) + 16 << 20
                var most = 0
                for _ in 0..<100 {
                    try await Self.shower(client, drops)
                    most = max(most, try Self.memory(of: service.id))
                }
                #expect(most < ceiling, "\((most - before) >> 20) MiB more than before, with 100 MiB of events for each of \(stopped)")
                // 80 MB of answers for two of them, of which one user's connections may hold 32 MiB: the culprits are closed, which they will not know before they read.
                _ = try await client.call("now", payload: [])
                while try await client.serviceMetrics().gauges["calls_in_flight"] != 0 { most = max(most, try Self.memory(of: service.id)) }
                most = max(most, try Self.memory(of: service.id))
                // Answers that are made at the same moment are in their handlers' hands before they count for anybody.
                let inHands = 32 << 20
                #expect(most < ceiling + userBytes + inHands, "\((most - before) >> 20) MiB more than before, with 80 MB of answers")
                // Those who only listened go on, and are told how much they missed.
                for sleeper in sleepers { sleeper.signal(SIGCONT) }
                for sleeper in sleepers.prefix(2) {
                    try await sleeper.line("over")
                    #expect(try await sleeper.ask("report").hasSuffix(" failed 40"))
                }
                try await service.line("log warning \(ended(.slowReader))")
                #expect(try await Self.connections(client) == stopped - 1)
                for sleeper in sleepers.dropFirst(2) {
                    try await Self.shower(client, drops)
                    var words: [Int] = []
                    repeat { words = try await sleeper.ask("report").split(separator: " ").compactMap { Int($0) } } while words[0] + words[1] < 16 * 121
                    #expect(words[1] > 16 * 50)
                }
            }
        }
    }

    /// A MiB of events for everybody, of which this one misses none.
    private static func shower(_ client: Client, _ drops: EventStream<Drop>) async throws {
        _ = try await client.call("shower", payload: [])
        var iterator = drops.makeAsyncIterator()
        for _ in 0..<16 {
            guard case .event = await iterator.next() else {
                Issue.record("an event was missed")
                return
            }
        }
    }

    // MARK: Gone

    @Test(.enabled(if: countsMemory)) func `five hundred clients that connect and vanish leave nothing with the service`() async throws {
        try await withDirectory { directory in
            let service = try Child(["serve", "--endpoint", directory + "/s"])
            try await service.line("listening")
            try await Client.connect(to: .path(directory + "/s")) { client in
                // What the first hundred bring about once is not theirs alone.
                try await Self.comeAndVanish(service, client, directory, failing: false)
                let (descriptors, memory) = (try Self.descriptors(of: service.id), try Self.memory(of: service.id))
                for round in 0..<5 { try await Self.comeAndVanish(service, client, directory, failing: round % 2 == 1) }
                #expect(try Self.descriptors(of: service.id) == descriptors)
                let grown = try Self.memory(of: service.id) - memory
                #expect(grown < 2 << 20, "\(grown >> 10) KiB more after 500 connections, \(grown / 500) bytes for each")
            }
        }
    }

    /// A hundred clients, half of them with a call in flight, end as processes do that are killed, or that fail.
    private static func comeAndVanish(_ service: Child, _ client: Client, _ directory: String, failing: Bool) async throws {
        let holding = try Child(["crowd", "--endpoint", directory + "/s", "--count", "50", "--hold", "yes"])
        let quiet = try Child(["crowd", "--endpoint", directory + "/s", "--count", "50"])
        for crowd in [holding, quiet] {
            try await crowd.line("crowded")
            #expect(crowd.lines.all == ["crowded"])
        }
        while try await connections(client) != 101 { await Task.yield() }
        for crowd in [holding, quiet] { if failing { try crowd.tell("fail") } else { crowd.kill() } }
        for crowd in [holding, quiet] {
            let status = try await crowd.status()
            #expect(status == (failing ? 3 : 256 + SIGKILL))
        }
        // Until here, or they end in order: nobody could give them orders any more.
        withExtendedLifetime((holding, quiet)) {}
        while try await connections(client) != 1 { await Task.yield() }
    }

    // MARK: Together

    @Test func `sixty-four clients that call, stream, send and reconnect all see their own results`() async throws {
        let crowd = try Child(["crowd", "--seconds", "3"], program: Child.directory + "/Soak")
        let status = try await crowd.status()
        try await crowd.lines.wait { $0.contains { $0.hasPrefix("all is well") || $0.contains("wrong") } }
        #expect(status == 0, "\(crowd.lines.all)")
        #expect(crowd.lines.all.last?.contains("64 clients") == true)
    }
}
