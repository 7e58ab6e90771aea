// The checksummed format (docs/formats/checksummed.md) through the same Service and Client as the native protocol, with the process monitor's messages: what its own tests ask of it.

import Foundation
import Ginnel
import GinnelTesting
import ProcessMonitorSchema
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ChecksummedServiceTests {
    private static let task = ChecksummedFrame.encoded(Array("\n\u{8}task-123".utf8))
    private static let result = ChecksummedFrame.encoded(Array("\n\u{8}task-123\u{10}\u{1}".utf8))

    /// A monitor whose tasks do what their metadata says.
    static func withMonitor<Result: Sendable>(
        _ configuration: ServiceConfiguration = .defaults, _ format: WireFormat = .checksummed(failures: DetectionResult.failures), _ body: (Running) async throws -> Result
    ) async throws -> Result {
        try await withRunning(configuration, format: format) {
            $0.handle(DetectionTask.self, Self.answer)
        } _: {
            try await body($0)
        }
    }

    @Sendable static func answer(_ task: DetectionTask, _ context: CallContext) async throws -> DetectionResult {
        switch task.metadata {
        case "fail": throw CallError(.internal, "boom")
        case "slow": await DeadlineTests.waitForCancellation()
        default: break
        }
        guard task.taskType == .enumerateProcesses else { throw CallError(.invalidRequest, "Unknown task type: \(task.taskType.rawValue)") }
        var result = DetectionResult(done: task.taskID)
        for id in task.processFilter?.pids ?? [] {
            var process = ProcessRecord()
            process.pid = id
            process.ppid = 0
            process.name = "process \(id)"
            result.processes.append(process)
        }
        return result
    }

    static func speaking(_ format: WireFormat = .checksummed()) -> ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = format
        return configuration
    }

    @Test func `golden requests are answered with golden bytes, with either polynomial`() async throws {
        try await Self.withMonitor { running in
            let peer = try RawPeer(connectingTo: running.path)
            for _ in 0..<3 {
                try await peer.send(Self.task)
                #expect(try await peer.read(Self.result.count) == Self.result)
            }
        }
        try await Self.withMonitor(.defaults, .checksummed(checksum: .castagnoli)) { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(ChecksummedFrame.encoded(Array(Self.task[8...]), .castagnoli))
            let expected = ChecksummedFrame.encoded(Array(Self.result[8...]), .castagnoli)
            #expect(try await peer.read(expected.count) == expected)
        }
    }

    @Test func `typed calls work, many at once, each with its own result`() async throws {
        try await Self.withMonitor { running in
            try await running.connect(Self.speaking()) { client in
                try await withThrowingTaskGroup { group in
                    for number in 0..<50 as Range<UInt32> {
                        group.addTask {
                            var task = DetectionTask("task \(number)", .enumerateProcesses)
                            task.processFilter = ProcessFilter()
                            task.processFilter?.pids = [number]
                            let result = try await client.call(task)
                            #expect(result.success && result.taskID == "task \(number)" && result.processes.map(\.pid) == [number])
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `failures are results of their task, and the connection stays`() async throws {
        try await Self.withMonitor { running in
            try await running.connect(Self.speaking()) { client in
                var task = DetectionTask("one", .enumerateProcesses)
                task.metadata = "fail"
                let failed = try await client.call(task)
                #expect(failed == DetectionResult("one", failed: "boom"))
                let unknown = try await client.call(DetectionTask("two", TaskType(rawValue: 42)))
                #expect(unknown == DetectionResult("two", failed: "Unknown task type: 42"))
                let good = try await client.call(DetectionTask("three", .enumerateProcesses))
                #expect(good == DetectionResult(done: "three"))
            }
        }
    }

    @Test func `a slow handler is stopped, and its caller told`() async throws {
        try await Self.withMonitor(.defaults, .checksummed(handlerTimeout: .milliseconds(200), failures: DetectionResult.failures)) { running in
            try await running.connect(Self.speaking()) { client in
                var task = DetectionTask("slow", .enumerateProcesses)
                task.metadata = "slow"
                let late = try await client.call(task)
                #expect(late == DetectionResult("slow", failed: "the request was not answered within 0.2 seconds"))
                let good = try await client.call(DetectionTask("next", .enumerateProcesses))
                #expect(good.success)
            }
        }
    }

    @Test(
        arguments: [
            ([0, 0, 0, 0], FailureCode.protocolViolation), ([255, 255, 255, 255], .frameTooLarge), (ChecksummedFrame.encoded([10, 1, 97], crc: 7), .checksumMismatch),
            (ChecksummedFrame.encoded([8, 1, 255]), .invalidRequest), (ChecksummedFrame.encoded([10, 0, 0], length: 10), .connectionLost),
        ] as [([UInt8], FailureCode)])
    func `a malformed frame ends its connection in silence, and a good task succeeds after it`(bytes: [UInt8], code: FailureCode) async throws {
        try await withDirectory { directory in
            let log = LogRecorder()
            var configuration = ServiceConfiguration.defaults
            configuration.log = log.log
            let running = Running(service: makeService(at: .path(directory + "/s"), configuration: configuration), path: directory + "/s", log: log)
            running.service.handle(DetectionTask.self, Self.answer)
            running.service.listen(at: .path(directory + "/c"), format: .checksummed(failures: DetectionResult.failures))
            try await withRunning(running) { running in
                try await log.entries.wait { $0.count { $0.message == "listening" } == 2 }
                try await running.connect { client in
                    try await Neighbour(client: client).check()
                    let stranger = try RawPeer(connectingTo: directory + "/c")
                    try await stranger.send(bytes)
                    if code == .connectionLost { stranger.endWriting() }
                    #expect(try await stranger.readToEnd().isEmpty)
                    let entry = try await log.entry("a connection ended", "\(code)")
                    #expect(entry.metadata["reason"] == "\(code)")
                    try await Neighbour(client: client).check()
                }
                let peer = try RawPeer(connectingTo: directory + "/c")
                try await peer.send(Self.task)
                #expect(try await peer.read(Self.result.count) == Self.result)
            }
        }
    }

    @Test func `of five clients two are served where two are allowed, and the others see the end`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 2
        try await Self.withMonitor(configuration) { running in
            let peers = try (0..<5).map { _ in try RawPeer(connectingTo: running.path) }
            var served = 0
            for peer in peers {
                try await peer.send(Self.task)
                if try await peer.read(Self.result.count) == Self.result { served += 1 } else { #expect(try await peer.readToEnd().isEmpty) }
            }
            #expect(served == 2)
            try await running.log.entries.wait { $0.count { $0.metadata["event"] == "turned-away" && $0.metadata["reason"] == "tooManyConnections" } >= 1 }
            #expect(running.service.metrics().reasons["refusals_total"]?["tooManyConnections"] == 3)
            peers[0].close()
            try await running.log.entry("a connection ended")
            let next = try RawPeer(connectingTo: running.path)
            try await next.send(Self.task)
            #expect(try await next.read(Self.result.count) == Self.result)
        }
    }

    @Test func `a limit of one kibibyte holds on both sides`() async throws {
        try await Self.withMonitor(.defaults, .checksummed(maximumMessage: 1024, failures: DetectionResult.failures)) { running in
            try await running.connect(Self.speaking(.checksummed(maximumMessage: 1024))) { client in
                var task = DetectionTask("t", .enumerateProcesses)
                task.metadata = String(repeating: "x", count: 2000)
                let tooLarge = try await errorOf(CallError.self) { _ = try await client.call(task) }
                #expect(tooLarge.code == .tooLarge)
                let good = try await client.call(DetectionTask("t", .enumerateProcesses))
                #expect(good.success)
            }
            try await running.connect(Self.speaking()) { client in
                var task = DetectionTask("t", .enumerateProcesses)
                task.metadata = String(repeating: "x", count: 2000)
                let lost = try await errorOf(CallError.self) { _ = try await client.call(task) }
                #expect(lost.code == .connectionLost)
            }
            try await running.log.entry("a connection ended", "over the limit of 1024 (maximumMessage)")
        }
    }

    @Test func `a client that says nothing is let go when the time is over`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.timeouts.idle = .milliseconds(200)
        try await Self.withMonitor(configuration) { running in
            let peer = try RawPeer(connectingTo: running.path)
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry("a connection ended", "timeouts.idle")
        }
    }

    @Test func `socket and directory are their owner's alone, and the socket goes with the service`() async throws {
        try await withDirectory { directory in
            let path = directory + "/s"
            let log = LogRecorder()
            var configuration = ServiceConfiguration.defaults
            configuration.log = log.log
            let service = Service(at: .path(path), format: .checksummed(), configuration: configuration)
            service.handle(DetectionTask.self, Self.answer)
            try await withRunning(Running(service: service, path: path, log: log)) { _ in
                #expect(FileManager.default.mode(of: path) == 0o600)
                #expect(FileManager.default.mode(of: directory) == 0o700)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `what the format has no bytes for fails at once`() async throws {
        try await Self.withMonitor { running in
            try await running.connect(Self.speaking()) { client in
                _ = try await errorOf(CallError.self) { _ = try await client.ping() }
                let other = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: [1]) }
                #expect(other.code == .unknownMethod)
                let empty = try await errorOf(CallError.self) { _ = try await client.call(DetectionTask()) }
                #expect(empty.code == .invalidRequest)
                let good = try await client.call(DetectionTask("t", .enumerateProcesses))
                #expect(good.success)
            }
        }
    }
}
