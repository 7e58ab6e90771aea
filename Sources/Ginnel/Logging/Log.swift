// The log hook: one closure. A swift-log `Logger` attaches in a few lines (README, "Logging").

internal import Foundation
internal import GinnelCore

/// Where a service or client writes its log. Never payload bytes.
public struct Log: Sendable {
    public enum Level: Int, Sendable, Comparable, CaseIterable {
        case debug
        case info
        case notice
        case warning
        case error

        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    private let write: @Sendable (Level, String, [String: String]) -> Void
    /// What is below is not written.
    public var level: Level

    /// Writes through `write`: level, message, metadata. Called on any thread; must not block.
    public init(level: Level = .warning, _ write: @escaping @Sendable (Level, String, [String: String]) -> Void) {
        self.write = write
        self.level = level
    }

    /// Warnings and errors to standard error, a line each. The default.
    public static let standardError = Log { level, message, metadata in
        let fields = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        StandardError.write("ginnel \(level): \(message)\(fields)\n")
    }

    /// Nothing.
    public static let off = Log(level: .error) { _, _, _ in }

    /// The only way to write: every line says which event it is.
    func callAsFunction(_ level: Level, _ event: LogEvent, _ message: @autoclosure () -> String, _ metadata: @autoclosure () -> [String: String] = [:]) {
        guard level >= self.level else { return }
        // Sentences and names may be a peer's: they stay on their line.
        write(level, message().printable, metadata().mapValues(\.printable).merging(["event": event.rawValue]) { $1 })
    }
}

/// Standard error, a whole line at a time.
private enum StandardError {
    static func write(_ line: String) { FileHandle.standardError.write(Data(line.utf8)) }
}
