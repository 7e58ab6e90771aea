// The test's line to this process, and back.

import Foundation
import GinnelTransport

/// Says a line to the test.
func say(_ line: String) {
    output.withLock { _ in FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

private let output = Guarded(())

enum Control {
    private static let (lines, continuation) = AsyncStream.makeStream(of: String.self)

    /// What the test wants, in order.
    static var orders: AsyncStream<String> { lines }

    /// Listens for orders; ends the process when there is nobody any more who could give them.
    static func begin() {
        guard let descriptor = ProcessInfo.processInfo.environment["TESTPEER_CONTROL"].flatMap({ Int32($0) }) else { return }
        Thread.detachNewThread {
            var rest: [UInt8] = []
            while true {
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { exit(0) }
                rest += buffer[..<count]
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeSubrange(...end)
                }
            }
        }
    }
}
