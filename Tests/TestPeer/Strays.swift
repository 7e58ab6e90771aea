// Descriptors that this process has got by accident: while one thread of a test process starts it, others open files and sockets, and not all of those are
// closed on the way. What a test says about this process's descriptors is about its own.

import Foundation

enum Strays {
    /// Closes everything behind the last descriptor that was handed over on purpose: that of the orders. Before anything else is opened.
    static func close() {
        guard let last = ProcessInfo.processInfo.environment["TESTPEER_CONTROL"].flatMap({ Int32($0) }) else { return }
        let limit = Int32(clamping: sysconf(Int32(_SC_OPEN_MAX)))
        for descriptor in (last + 1)..<max(last + 1, min(limit, 65_536)) { _ = Foundation.close(descriptor) }
    }
}
