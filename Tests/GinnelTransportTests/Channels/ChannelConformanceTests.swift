import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(2))) struct ChannelConformanceTests {
    static let kinds: [ChannelKind] = [
        .socketPair,
        .inProcess,
        .sharedMemory(1 << 18),
        .sharedMemory(1 << 20),
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

    @Test(arguments: kinds, ChannelConformance.clauses) func `a channel keeps the contract between two threads that wait for nothing else`(
        kind: ChannelKind, clause: ChannelConformance
    ) async throws {
        try await clause.check(kind, .twoLoops, .threads)
    }

    @Test(arguments: ChannelConformance.clauses) func `a connected Unix socket keeps the contract on one thread that waits without a queue`(
        clause: ChannelConformance
    ) async throws {
        let directory = try ScratchDirectory()
        try await clause.check(.connected("listener and connect") { .path(directory.file("s")) }, .oneLoop, .threads)
    }

    @Test(arguments: ChannelConformance.clauses, ChannelConformance.Placement.allCases) func `a connected Unix socket keeps the contract`(
        clause: ChannelConformance, placement: ChannelConformance.Placement
    ) async throws {
        let directory = try ScratchDirectory()
        try await clause.check(.connected("listener and connect") { .path(directory.file("s")) }, placement)
    }

    @Test(arguments: ChannelConformance.clauses, ChannelConformance.Placement.allCases) func `a faulty channel keeps the contract too`(
        clause: ChannelConformance, placement: ChannelConformance.Placement
    ) async throws {
        let kind = ChannelKind("faulty") { _ in
            let (first, second) = try PlatformChannel.pair()
            return (FaultyChannel(first, seed: 1, .gentle), FaultyChannel(second, seed: 2, .gentle))
        }
        try await clause.check(kind, placement)
    }
}

extension FaultyChannel.Faults {
    /// Without reporting anything that the conformance suite would count.
    fileprivate static var gentle: Self {
        var faults = Self()
        faults.refusals = 0
        faults.echoes = 0
        return faults
    }
}
