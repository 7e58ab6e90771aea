// Programs that tests start: the recorder's own, which lie beside the tests, and those of Tests/Peers.

import Foundation
import Ginnel

struct Program: Sendable {
    let path: String
    var arguments: [String] = []
    /// Beside what this program has.
    var environment: [String: String] = [:]

    static let recorder = Program(path: built + "/recorder")
    static let service = Program(path: built + "/recorder-service")
    /// Debian's own Python, which has Qt.
    static let systemPython = "/usr/bin/python3"
    static let hasQt = FileManager.default.fileExists(atPath: "/usr/lib/python3/dist-packages/PyQt5")

    private static let built = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    private static let peers = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../Tests/Peers").standardizedFileURL.path

    /// A script of Tests/Peers.
    static func peer(_ script: String, python: String? = nil) -> Program {
        Program(path: python ?? "/usr/bin/env", arguments: (python == nil ? ["python3"] : []) + ["-B", "\(peers)/\(script)"])
    }

    func with(_ more: String..., environment: [String: String] = [:]) -> Program {
        Program(path: path, arguments: arguments + more, environment: self.environment.merging(environment) { $1 })
    }

    struct Result: Sendable {
        var status: Int32
        var output: [String]
        var errors: String
    }

    /// Runs it to its end.
    func run() async throws -> Result { try await started { try await $0.ended() } }

    /// Runs it while `body` runs, and ends it if it is still there then.
    func started<Value: Sendable>(_ body: (Running) async throws -> Value) async throws -> Value {
        let running = try Running(self)
        defer { running.destroy() }
        return try await body(running)
    }

    /// A program that runs. What it says goes to files, so that nobody has to read it for it to go on.
    final class Running: Sendable {
        private let process: Process
        private let output: URL
        private let errors: URL
        private let end: AsyncStream<Int32>

        init(_ program: Program) throws {
            let directory = FileManager.default.temporaryDirectory
            let name = UUID().uuidString
            (output, errors) = (directory.appendingPathComponent("\(name).out"), directory.appendingPathComponent("\(name).err"))
            for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program.path)
            process.arguments = program.arguments
            process.environment = ProcessInfo.processInfo.environment.merging(program.environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            let (end, continuation) = AsyncStream.makeStream(of: Int32.self)
            process.terminationHandler = {
                continuation.yield($0.terminationStatus)
                continuation.finish()
            }
            try process.run()
            self.process = process
            self.end = end
        }

        deinit { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }

        func ended() async throws -> Result {
            var status: Int32 = -1
            for await each in end { status = each }
            return Result(status: status, output: try lines, errors: try String(contentsOf: errors, encoding: .utf8))
        }

        /// What it has said so far, in whole lines.
        var lines: [String] { get throws { try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map(String.init) } }

        /// Asks it to end.
        func terminate() { if process.isRunning { process.terminate() } }

        /// For a program that was not asked, or does not listen: what is started from a test inherits that its thread blocks signals, and a program that does not change that never sees this one.
        func destroy() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    }
}

/// A directory for one test, gone afterwards.
func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = NSTemporaryDirectory() + "/recorder-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
