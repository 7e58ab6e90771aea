// Whole services and clients in virtual time (Tests/Simulate), in processes of their own, since clocks, threads and chance belong to a process.
//
// To look at a seed that fails, run the line that it prints, with `--trace`.

import CTestSupport
import Ginnel
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(10))) struct SimulationTests {
    /// What it says, once it has ended.
    private func simulate(_ arguments: String...) async throws -> (lines: [String], status: Int32) {
        let child = try Child(arguments, program: Child.directory + "/Simulate", environment: [Engine.variable: ""])
        let status = try await child.status()
        try? await child.lines.wait { _ in false }
        return (child.lines.all, status)
    }

    /// Those who look for wrong accesses need a tenth of them, and take as long for it.
    private let seeds = ts_is_sanitized() ? 200 : 2000

    @Test func `whatever happens to connections, programs and disks, services and clients keep what is guaranteed`() async throws {
        let (lines, status) = try await simulate("--seeds", "\(seeds)")
        #expect(status == 0, "\(lines.joined(separator: "\n"))")
        #expect(lines.last?.hasPrefix("\(seeds) seeds from 0: 0 failed") == true)
    }

    @Test(.enabled(if: !ts_is_sanitized())) func `each fault that is planted around services and clients is found`() async throws {
        let (lines, status) = try await simulate("--faults")
        #expect(status == 0, "\(lines.joined(separator: "\n"))")
        #expect(lines.filter { $0.contains(": found by seed ") }.count >= 8)
    }

    @Test func `a seed does the same alone and among others, in another process`() async throws {
        let (all, _) = try await simulate("--seeds", "60", "--digests")
        for seed in stride(from: 0, to: 60, by: 6) {
            let (alone, _) = try await simulate("--seed", "\(seed)", "--digests")
            #expect(alone.first == all[seed])
            #expect(alone.first?.hasPrefix("\(seed) ") == true)
        }
    }

    @Test func `a seed that fails prints one line that runs it again`() async throws {
        let (lines, status) = try await simulate("--seeds", "1", "--fault", "acknowledgesBeforeHandling")
        #expect(status == 1)
        #expect(lines.count == 2)
        let words = try #require(lines.first?.split(separator: " · again: ").last).split(separator: " ").dropFirst().map(String.init)
        let again = try Child(words, program: Child.directory + "/Simulate", environment: [Engine.variable: ""])
        #expect(try await again.status() == 1)
        try? await again.lines.wait { _ in false }
        #expect(again.lines.all.first == lines.first)
    }
}
