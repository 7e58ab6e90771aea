import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(2))) struct ChannelConformanceTests {
    static let kinds: [ChannelKind] = [
        .socketPair,
        .inProcess,
        .connected("listener and connect, in process") { .inProcess("conformance-\(try! Identity.random())") },
    ]

    @Test(arguments: kinds, ChannelConformance.clauses) func `a channel keeps the contract on one loop`(
        kind: ChannelKind, clause: ChannelConformance
    ) async throws {
        try await clause.check(kind, .oneLoop)
    }

    @Test(arguments: kinds, ChannelConformance.clauses) func `a channel keeps the contract between two loops`(
        kind: ChannelKind, clause: ChannelConformance
    ) async throws {
        try await clause.check(kind, .twoLoops)
    }

    @Test(arguments: ChannelConformance.clauses, ChannelConformance.Placement.allCases) func `a connected Unix socket keeps the contract`(
        clause: ChannelConformance, placement: ChannelConformance.Placement
    ) async throws {
        let directory = try ScratchDirectory()
        try await clause.check(.connected("listener and connect") { .path(directory.file("s")) }, placement)
    }
}
