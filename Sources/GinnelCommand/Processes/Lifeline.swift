// How a child learns that its parent is gone, however it went: it holds the read end of a pipe whose other end only the parent has, and reads its end.

import Foundation

enum Lifeline {
    /// Where `ChildProcess` puts the first descriptor that it hands down.
    private static let descriptor: Int32 = 3

    /// In the child: from now on the end of the parent is a SIGTERM.
    static func hold() {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler {
            source.cancel()
            kill(getpid(), SIGTERM)
        }
        source.resume()
    }
}
