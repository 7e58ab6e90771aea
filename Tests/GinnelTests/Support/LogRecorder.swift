// A log that a test can read.

import Ginnel

struct LogEntry: Sendable, CustomStringConvertible {
    let level: Log.Level
    let message: String
    let metadata: [String: String]

    var description: String { "\(level): \(message) \(metadata)" }
}

final class LogRecorder: Sendable {
    let entries = Recorded<LogEntry>()

    var log: Log { Log(level: .debug) { [entries] level, message, metadata in entries.append(LogEntry(level: level, message: message, metadata: metadata)) } }

    /// The first entry whose message contains all of these, now or to come.
    @discardableResult
    func entry(_ parts: String...) async throws -> LogEntry {
        try await entries.first { entry in parts.allSatisfy { entry.message.contains($0) } }
    }

    func count(_ part: String) -> Int { entries.all.count { $0.message.contains(part) } }
}
