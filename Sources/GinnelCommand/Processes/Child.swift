// Another process of this very program: it runs one of our commands, its output is read line by line, and it does not outlive us.

internal import CGinnelCommand
import Foundation
import Ginnel
import GinnelTransport

final class Child: Sendable {
    private let process: ChildProcess
    /// Closed when this goes, or the process does: the child ends then.
    private let lifeline: FileHandle
    /// What the child says, a line each; ends with the child.
    let lines: AsyncStream<String>

    var id: UInt32 { process.id }

    /// The program that runs here.
    static func ownProgram() throws -> String {
        guard let path = PeerIdentity.own.executable else { throw Trouble(.failed, code: "program", "this program's own path is not known") }
        return path
    }

    /// Starts `program`, this one by default, with one of our commands.
    init(_ arguments: [String], program: String? = nil) throws {
        let (output, outputEnd) = try Self.pipe()
        let (lifelineEnd, lifeline) = try Self.pipe()
        self.lifeline = lifeline
        process = try ChildProcess(
            program ?? Self.ownProgram(), arguments + ["--lifeline"], inheriting: [Int(lifelineEnd.fileDescriptor)], output: Int(outputEnd.fileDescriptor))
        try outputEnd.close()
        try lifelineEnd.close()
        lines = Self.lines(of: output)
    }

    private static func pipe() throws -> (FileHandle, FileHandle) {
        var read: Int32 = -1
        var write: Int32 = -1
        guard gnc_pipe(&read, &write) == 0 else { throw Trouble(.failed, code: "pipe", "no pipe for a child: \(String(cString: strerror(errno)))") }
        return (FileHandle(fileDescriptor: read, closeOnDealloc: true), FileHandle(fileDescriptor: write, closeOnDealloc: true))
    }

    /// Read on a thread of Dispatch, since reading blocks.
    private static func lines(of output: FileHandle) -> AsyncStream<String> {
        AsyncStream { continuation in
            DispatchQueue.global().async {
                var rest = Data()
                while case let more = output.availableData, !more.isEmpty {
                    rest += more
                    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                        rest = Data(rest[(end + 1)...])
                    }
                }
                if !rest.isEmpty { continuation.yield(String(decoding: rest, as: UTF8.self)) }
                continuation.finish()
            }
        }
    }

    /// Ends it at once, as `kill -9` does.
    func kill() { process.end(atOnce: true) }

    /// Asks it to end and waits for that; ends it at once when it takes longer than two seconds.
    func end() async {
        process.end()
        if await status(within: .seconds(2)) == nil {
            process.end(atOnce: true)
            _ = await status(within: .seconds(2))
        }
    }

    /// Its exit status (256 and more: ended by a signal), looked for every millisecond; `nil` when it still runs.
    func status(within limit: Duration) async -> Int32? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let status = process.status { return status }
            // Not to be cut short: whoever cleans up after a cancellation waits here, too.
            guard ContinuousClock.now < deadline else { return nil }
            await withCheckedContinuation { continuation in DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { continuation.resume() } }
        }
    }
}
