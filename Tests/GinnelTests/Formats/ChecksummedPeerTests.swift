// Tests/Peers/checksummed.py, another implementation of the checksummed format with Google's protobuf, as the other side of a real socket; and its messages beside ours.

import Foundation
import Ginnel
import GinnelTesting
import ProcessMonitorSchema
import Testing

/// The script, and the Python that has what it needs.
private enum Peer {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..").standardizedFileURL.path
    static let python = root + "/.build/peers/bin/python3"
    static let script = root + "/Tests/Peers/checksummed.py"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: python)

    static func start(_ arguments: String...) throws -> Child { try Child(["-B", script] + arguments, program: python) }
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5)), .enabled(if: Peer.isInstalled, "needs what scripts/install-test-tools.sh installs"))
struct ChecksummedPeerTests {
    @Test func `a client of another implementation is served, whatever it does`() async throws {
        try await ChecksummedServiceTests.withMonitor { running in
            let child = try Peer.start("client", running.path)
            try await child.line("end")
            #expect(try await child.status() == 0)
            #expect(
                child.lines.all == [
                    "one one True [(1, 0, True, 'process 1'), (300, 0, True, 'process 300')]", "two two False boom", "three False Unknown task type: 42", "four True",
                    "no task: None", "no task: None", "zero: None", "greatest: None", "too large: None", "wrong checksum: None", "other polynomial: None", "changed: None",
                    "cut: None", "one that says nothing: True", "two at once a b", "in pieces", "end",
                ])
        }
    }

    @Test(arguments: [("ieee", Checksum.ieee), ("castagnoli", .castagnoli)])
    func `a service of another implementation serves`(name: String, checksum: Checksum) async throws {
        try await withDirectory { directory in
            let child = try Peer.start("service", directory + "/s", name)
            try await child.line("listening")
            let configuration = ChecksummedServiceTests.speaking(.checksummed(checksum: checksum))
            func ask(_ metadata: String) async throws -> DetectionResult {
                try await Client.connect(to: .path(directory + "/s"), configuration: configuration) { client in
                    var task = DetectionTask(metadata, .verifyExecutable)
                    task.metadata = metadata
                    task.processFilter = ProcessFilter()
                    task.processFilter?.processNames = ["ä", ""]
                    task.processFilter?.pids = [1, .max]
                    return try await client.call(task)
                }
            }
            let rich = try await ask("rich")
            try await child.line("task rich 3 rich ['ä', ''] [1, 4294967295]")
            let process = try #require(rich.processes.first)
            #expect(rich.success && process.ppid == 0 && process.cpuUsage == 0.5 && process.commandLine == ["init", "--quiet", ""] && process.memoryUsage == nil)
            #expect(rich.performanceEvents.map(\.value) == [-1.5])
            #expect(try await ask("failure") == DetectionResult("failure", failed: "boom"))
            #expect(try await ask("twice").success)
            for (metadata, part) in [
                ("zero", "a message of no bytes"), ("huge", "a message of 1048577 bytes"), ("wrong checksum", "with the checksum 00000001"),
                ("cut", "in the middle of a message"), ("leave", "before the reply"),
            ] {
                let lost = try await errorOf(CallError.self) { _ = try await ask(metadata) }
                #expect(lost.code == .connectionLost && lost.sentence.contains(part), "\(lost)")
            }
            let noMessage = try await errorOf(CallError.self) { _ = try await ask("no message") }
            #expect(noMessage.code == .invalidReply && noMessage.sentence.contains("field 1"), "\(noMessage)")
            _ = try await errorOf(CallError.self) { _ = try await ask("end") }
            #expect(try await child.status() == 0)
        }
    }

    // MARK: Protobuf beside Google's

    private static let types: [String: @Sendable ([UInt8]) throws -> [UInt8]] = [
        "DetectionTask": { try DetectionTask(serializedBytes: $0).serializedBytes() }, "HashCheck": { try HashCheck(serializedBytes: $0).serializedBytes() },
        "ProcessFilter": { try ProcessFilter(serializedBytes: $0).serializedBytes() }, "NetworkFilter": { try NetworkFilter(serializedBytes: $0).serializedBytes() },
        "FilesystemFilter": { try FilesystemFilter(serializedBytes: $0).serializedBytes() },
        "PerformanceFilter": { try PerformanceFilter(serializedBytes: $0).serializedBytes() },
        "DetectionResult": { try DetectionResult(serializedBytes: $0).serializedBytes() }, "HashResult": { try HashResult(serializedBytes: $0).serializedBytes() },
        "ProcessRecord": { try ProcessRecord(serializedBytes: $0).serializedBytes() }, "NetworkRecord": { try NetworkRecord(serializedBytes: $0).serializedBytes() },
        "FilesystemRecord": { try FilesystemRecord(serializedBytes: $0).serializedBytes() },
        "PerformanceRecord": { try PerformanceRecord(serializedBytes: $0).serializedBytes() },
        "CapabilityRequest": { try CapabilityRequest(serializedBytes: $0).serializedBytes() },
        "CapabilityResponse": { try CapabilityResponse(serializedBytes: $0).serializedBytes() },
        "CollectionCapabilities": { try CollectionCapabilities(serializedBytes: $0).serializedBytes() },
        "AdvancedCapabilities": { try AdvancedCapabilities(serializedBytes: $0).serializedBytes() },
    ]

    private static func bytes(_ hex: Substring) -> [UInt8] {
        let digits: [UInt8] = hex.utf8.map { $0 > 0x60 ? $0 - 0x57 : $0 - 0x30 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Runs the script over `input` and returns its lines.
    private static func run(_ mode: String, _ arguments: [String] = [], over input: [String], in directory: String) async throws -> [String] {
        let file = directory + "/input"
        try (input.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let child = try Child(["-c", "exec \"$0\" -B \"$@\" < '\(file)'", Peer.python, Peer.script, mode] + arguments, program: "/bin/sh")
        #expect(try await child.status() == 0)
        // Waits for the end of what it says.
        _ = try? await child.lines.wait { _ in false }
        return child.lines.all
    }

    @Test(arguments: [1, 2, 3]) func `random messages of every type are read and written as Google's protobuf does, and mean the same to it`(seed: Int) async throws {
        try await withDirectory { directory in
            let theirs = try await Self.run("messages", ["\(seed)", "800"], over: [], in: directory)
            #expect(theirs.count == 800)
            var kinds: Set<Substring> = []
            var ours: [String] = []
            var pairs: [String] = []
            for line in theirs {
                let parts = line.split(separator: " ", omittingEmptySubsequences: false)
                kinds.insert(parts[0])
                let rewrite = try #require(Self.types[String(parts[0])])
                let written = Self.hex(try rewrite(Self.bytes(parts[1])))
                if parts[2] != "maps" {
                    #expect(written == parts[1], "\(parts[0])")
                    ours.append("\(parts[0]) \(written)")
                }
                pairs.append("\(parts[0]) \(parts[1]) \(written)")
            }
            #expect(kinds.count == Self.types.count && ours.count > 600)
            #expect(try await Self.run("rewrite", over: ours, in: directory) == ours)
            #expect(try await Self.run("same", over: pairs, in: directory) == ["same 800"])
        }
    }
}
