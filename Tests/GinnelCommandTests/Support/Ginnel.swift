// The built command, run as a process: what it prints, and what it ends with.

import CTestSupport
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
///
/// Not Foundation's `Process`: on Linux that looks for open descriptors with a copy of 256 bytes from each directory entry, the last of which are
/// not there at the end of the buffer, and the address sanitizer ends the tests.
final class Running: Sendable {
    let id: pid_t
    private let input: FileHandle
    private let output: FileHandle
    private let errors: FileHandle
    private let ended: AsyncStream<Int32>

    init(_ arguments: [String], program: URL = Ginnel.program, environment: [String: String] = [:]) throws {
        let (childInput, input) = try Self.pipe()
        let (output, childOutput) = try Self.pipe()
        let (errors, childErrors) = try Self.pipe()
        let surroundings = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        id = try Self.spawn(program.path, [program.path] + arguments, surroundings, [childInput, childOutput, childErrors])
        self.input = input
        self.output = output
        self.errors = errors
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        self.ended = ended
        Thread.detachNewThread { [id] in
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            // The low seven bits are the signal that ended it, the next eight its exit status.
            end.yield(status & 0x7F == 0 ? status >> 8 & 0xFF : 256 + status & 0x7F)
            end.finish()
        }
    }

    /// Both ends, which no other child inherits.
    private static func pipe() throws -> (reading: FileHandle, writing: FileHandle) {
        var ends: [Int32] = [0, 0]
        guard ts_pipe(&ends) else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (FileHandle(fileDescriptor: ends[0], closeOnDealloc: true), FileHandle(fileDescriptor: ends[1], closeOnDealloc: true))
    }

    private static func spawn(_ path: String, _ arguments: [String], _ environment: [String], _ standard: [FileHandle]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, handle) in standard.enumerated() { posix_spawn_file_actions_adddup2(&actions, handle.fileDescriptor, Int32(number)) }
        var words = (arguments + environment).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.insert(nil, at: arguments.count)
        words.append(nil)
        var id: pid_t = 0
        let failure = words.withUnsafeBufferPointer { words in
            words.baseAddress.map { posix_spawn(&id, path, &actions, nil, $0, $0 + arguments.count + 1) } ?? EINVAL
        }
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
        return id
    }

    func send(_ bytes: [UInt8]) {
        try? input.write(contentsOf: Data(bytes))
        try? input.close()
    }

    /// The next line of its output, without its end; empty at the end.
    func line() async -> String {
        let handle = output
        return await Self.blocking { Self.line(of: handle) }
    }

    private static func line(of handle: FileHandle) -> String {
        var line: [UInt8] = []
        while let byte = try? handle.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    /// Reads on to the line that contains this, however many come before, without a step of the test in between. Throws when its output ends before, with what it said of that.
    func wait(for text: String) async throws {
        let handle = output
        let isFound = await Self.blocking {
            while true {
                let line = Self.line(of: handle)
                if line.isEmpty || line.contains(text) { return !line.isEmpty }
            }
        }
        guard isFound else { throw EndedEarly(wanted: text, outcome: await outcome()) }
    }

    struct EndedEarly: Error {
        let wanted: String
        let outcome: Outcome
    }

    func signal(_ number: Int32) { kill(id, number) }

    /// Waits for its end. What was read before is not in it.
    func outcome() async -> Outcome {
        async let output = Self.everything(in: self.output)
        async let errors = Self.everything(in: self.errors)
        var status: Int32 = -1
        for await each in ended { status = each }
        return Outcome(status: status, output: await output, errors: await errors)
    }

    private static func everything(in handle: FileHandle) async -> String { await blocking { String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self) } }

    private static func blocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        // On a thread of its own: the shared queue has few, and where all of them wait for programs a line comes too late to mean anything.
        await withCheckedContinuation { continuation in Thread.detachNewThread { continuation.resume(returning: body()) } }
    }
}
