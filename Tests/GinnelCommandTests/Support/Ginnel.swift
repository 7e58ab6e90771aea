// The built command, run as a process: what it prints, and what it ends with.

import Foundation
import Testing

/// What became of one run.
struct Outcome {
    var status: Int32
    var output: String
    var errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as JSON, an object a line; fails the test for a line that is none.
    func objects() throws -> [[String: Any]] {
        try lines.map { line in try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "no object: \(line)") }
    }
}

enum Ginnel {
    /// `GINNEL_COMMAND`, or the product beside the tests, wherever the build put them.
    static let program: URL = {
        if let path = ProcessInfo.processInfo.environment["GINNEL_COMMAND"] { return URL(fileURLWithPath: path) }
        let places = [URL(fileURLWithPath: CommandLine.arguments[0]), Bundle.main.bundleURL] + Bundle.allBundles.map(\.bundleURL)
        let candidates = places.flatMap { place in [place.deletingLastPathComponent(), place.deletingLastPathComponent().deletingLastPathComponent()] }
        return candidates.map { $0.appendingPathComponent("ginnel") }.first { FileManager.default.isExecutableFile(atPath: $0.path) }
            ?? candidates[0].appendingPathComponent("ginnel")
    }()

    /// Runs to the end.
    static func run(_ arguments: String..., input: [UInt8] = [], environment: [String: String] = [:]) async throws -> Outcome {
        let running = try Running(arguments, environment: environment)
        running.send(input)
        return await running.outcome()
    }
}

/// A run that goes on.
final class Running: @unchecked Sendable {
    // Everything is set before the process starts, and only read afterwards.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private let ended: AsyncStream<Int32>

    var id: Int32 { process.processIdentifier }

    init(_ arguments: [String], program: URL = Ginnel.program, environment: [String: String] = [:]) throws {
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        self.ended = ended
        process.terminationHandler = { process in
            end.yield(process.terminationReason == .exit ? process.terminationStatus : 256 + process.terminationStatus)
            end.finish()
        }
        try process.run()
    }

    func send(_ bytes: [UInt8]) {
        try? input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try? input.fileHandleForWriting.close()
    }

    /// The next line of its output, without its end; empty at the end.
    func line() async -> String {
        let handle = output.fileHandleForReading
        return await Self.blocking {
            var line: [UInt8] = []
            while let byte = try? handle.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { line.append(byte) }
            return String(decoding: line, as: UTF8.self)
        }
    }

    func signal(_ number: Int32) { kill(id, number) }

    /// Waits for its end. What was read before is not in it.
    func outcome() async -> Outcome {
        async let output = Self.everything(in: output.fileHandleForReading)
        async let errors = Self.everything(in: errors.fileHandleForReading)
        var status: Int32 = -1
        for await each in ended { status = each }
        return Outcome(status: status, output: await output, errors: await errors)
    }

    private static func everything(in handle: FileHandle) async -> String { await blocking { String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self) } }

    private static func blocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in DispatchQueue.global().async { continuation.resume(returning: body()) } }
    }
}
