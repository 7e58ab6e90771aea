// A process of Tests/TestPeer, which lives as long as this object.

import CTestSupport
import GinnelCore
import GinnelTransport

final class TestPeer: Sendable {
    private let process: ChildProcess
    /// When this ends, so does the process.
    private let control: PlatformChannel
    /// What it says, which nobody reads.
    private let said: PlatformChannel

    init(_ arguments: [String], inheriting: [Int]) throws {
        let own = PeerIdentity.own.executable ?? ""
        let directory = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let (ours, theirs) = try Self.pair()
        let (reading, writing) = try Self.pair()
        defer {
            ts_close(theirs)
            ts_close(writing)
        }
        control = ours
        said = reading
        process = try ChildProcess(
            directory + "/TestPeer", arguments, environment: ["TESTPEER_CONTROL": "\(3 + inheriting.count)"],
            inheriting: inheriting + [Int(theirs)], output: Int(writing))
    }

    /// A channel for here and a descriptor for there, on which reads wait.
    private static func pair() throws -> (PlatformChannel, Int32) {
        let (ours, theirs) = try PlatformChannel.pair()
        let descriptor = Int32(theirs.release() ?? -1)
        ts_make_blocking(descriptor)
        return (ours, descriptor)
    }

    func end() { process.end() }
}
