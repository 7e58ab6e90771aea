// This program a second time, as the server.

import Foundation

final class SecondProcess: Sendable {
    private let process: Process
    /// Whether it has ended as it should; said once.
    private let ended: AsyncStream<Bool>

    /// With the arguments of this process, which thus mean the same to both.
    init(serving path: String) throws {
        let (ended, end) = AsyncStream<Bool>.makeStream()
        self.ended = ended
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = Array(CommandLine.arguments.dropFirst()) + ["--serve", path]
        process.terminationHandler = { process in
            end.yield(process.terminationReason == .exit && process.terminationStatus == 0)
            end.finish()
        }
        try process.run()
    }

    var identifier: Int32 { process.processIdentifier }

    func terminate() { if process.isRunning { process.terminate() } }

    /// Waits until it has ended, without keeping its processor busy meanwhile; false when it failed, or was waited for before.
    func end() async -> Bool {
        for await isGood in ended { return isGood }
        return false
    }
}
