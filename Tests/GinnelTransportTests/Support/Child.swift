// A process that a test starts: what it says, and how it ends.

import CTestSupport
import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport

final class Child: Sendable {
    /// Where the tests' own executable lies, and the other programs of the package beside it.
    static let directory = URL(fileURLWithPath: PeerIdentity.own.executable ?? CommandLine.arguments[0]).deletingLastPathComponent().path

    private let process: ChildProcess
    /// Everything that it has said, once its output has ended.
    private let output = Handover<String>()

    /// `inheriting[i]` becomes its descriptor 3 + i.
    init(_ path: String, _ arguments: [String], environment: [String: String] = [:], inheriting: [Int] = []) throws {
        let (reading, writing) = try PlatformChannel.pair()
        let theirs = Int32(writing.release() ?? -1)
        defer { ts_close(theirs) }
        process = try ChildProcess(path, arguments, environment: environment, inheriting: inheriting, output: Int(theirs))
        let ours = Int32(reading.release() ?? -1)
        ts_make_blocking(ours)
        Thread.detachNewThread { [output] in
            let said = try? FileHandle(fileDescriptor: ours, closeOnDealloc: true).readToEnd()
            output.give(String(decoding: said ?? Data(), as: UTF8.self))
        }
    }

    deinit { process.end(atOnce: true) }

    func kill() { process.end(atOnce: true) }

    /// Its output and its exit status, or 256 and the signal, once it has ended.
    func result() async throws -> (output: String, status: Int32) {
        let said = try await output.value
        // The output ends in the course of the process's end.
        while true {
            if let status = process.status { return (said, status) }
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// A process of Tests/TestPeer, which ends when this object does.
final class TestPeer: Sendable {
    let child: Child
    /// When this ends, so does the process.
    private let control: PlatformChannel

    init(_ arguments: [String], inheriting: [Int] = []) throws {
        let (ours, theirs) = try PlatformChannel.pair()
        let descriptor = Int32(theirs.release() ?? -1)
        ts_make_blocking(descriptor)
        defer { ts_close(descriptor) }
        control = ours
        child = try Child(
            Child.directory + "/TestPeer", arguments, environment: ["TESTPEER_CONTROL": "\(3 + inheriting.count)"],
            inheriting: inheriting + [Int(descriptor)])
    }
}
