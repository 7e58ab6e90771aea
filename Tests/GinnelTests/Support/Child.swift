// A process of Tests/TestPeer, which tells what it does in lines.

import Foundation
import Ginnel
import GinnelTransport

final class Child: Sendable {
    /// Where the test's own executable lies, and TestPeer beside it.
    static let directory = URL(fileURLWithPath: PeerIdentity.own.executable ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    static let program = directory + "/TestPeer"
    static let isRoot = geteuid() == 0

    /// What it has said.
    let lines = Recorded<String>()
    let process: ChildProcess
    private let control: Guarded<Int32>

    /// `inheriting[i]` becomes its descriptor 3 + i.
    init(_ arguments: [String], program: String = Child.program, environment: [String: String] = [:], inheriting: [Int] = []) throws {
        let (ours, theirs) = try Self.pair()
        let (reading, writing) = try Self.pair()
        defer {
            close(theirs)
            close(writing)
        }
        control = Guarded(ours)
        var environment = environment
        environment["TESTPEER_CONTROL"] = "\(3 + inheriting.count)"
        process = try ChildProcess(program, arguments, environment: environment, inheriting: inheriting + [Int(theirs)], output: Int(writing))
        Self.read(reading, into: lines)
    }

    deinit { end() }

    /// Two ends of one socket, which no other child inherits.
    private static func pair() throws -> (Int32, Int32) {
        let (first, second) = try PlatformChannel.pair()
        let descriptors = (Int32(first.release()!), Int32(second.release()!))
        for descriptor in [descriptors.0, descriptors.1] { _ = fcntl(descriptor, F_SETFL, 0) }
        return descriptors
    }

    private static func read(_ descriptor: Int32, into lines: Recorded<String>) {
        Thread.detachNewThread {
            var rest: [UInt8] = []
            while let bytes = try? RawSocket.read(descriptor), !bytes.isEmpty {
                rest += bytes
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.append(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeSubrange(...end)
                }
            }
            close(descriptor)
            lines.complete()
        }
    }

    var id: UInt32 { process.id }

    /// Gives an order.
    func tell(_ order: String) throws { try control.withLock { try RawSocket.send(Array((order + "\n").utf8), to: $0) } }

    /// The first line that begins so, said already or to come.
    @discardableResult
    func line(_ beginning: String) async throws -> String { try await lines.first { $0.hasPrefix(beginning) } }

    /// Gives an order and returns the line that is said after it.
    func ask(_ order: String) async throws -> String {
        let count = lines.count
        try tell(order)
        try await lines.wait { $0.count > count }
        return lines.all[count]
    }

    /// Lets it go: it ends by itself.
    func end() {
        control.withLock { control in
            if control >= 0 { close(control) }
            control = -1
        }
    }

    /// SIGKILL.
    func kill() { process.end(atOnce: true) }

    /// SIGSTOP, SIGCONT.
    func signal(_ number: Int32) { _ = Foundation.kill(pid_t(id), number) }

    /// Its exit status, or 256 and the signal, once it has ended.
    func status() async throws -> Int32 {
        let id = process.id
        return try await offPool {
            var information = siginfo_t()
            while waitid(P_PID, id, &information, WEXITED | WNOWAIT) != 0 { guard errno == EINTR else { throw RawSocketError.last("waitid") } }
            return 0
        } + (process.status ?? -1)
    }
}
