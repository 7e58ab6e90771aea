// A file of lines that a process writes as it goes, to be read when it is dead: what stood in a line before a kill had happened. One write for each line; one that a kill has cut short has no end
// and counts as not written.

import Foundation
import Ginnel

final class Journal: Sendable {
    private let descriptor: Int32

    init(at path: String) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            say("cannot open the journal: error \(errno)")
            exit(74)
        }
    }

    func append(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            say("cannot write the journal: error \(errno)")
            exit(74)
        }
    }

    /// As if somebody had ended this process right here.
    static func die() -> Never {
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}

/// A message with its place among those of its sender and priority.
struct Numbered: Event {
    static let name = "numbered"
    var number: Int
}
