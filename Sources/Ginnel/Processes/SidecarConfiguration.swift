// How a sidecar is started, watched and ended. Every limit has a default.

internal import Foundation
public import GinnelCore
public import GinnelTransport

/// The configuration of a sidecar.
public struct SidecarConfiguration: Sendable {
    /// Variables added to those of this program.
    public var environment: [String: String] = [:]
    /// What it takes for the program to be ready. Default `.started`.
    public var readiness = SidecarReadiness.started
    /// How long it may take until it is ready; then it is ended, which counts as a failure. Default 10 s.
    public var readinessTimeout: Duration = .seconds(10)
    /// What becomes of it when it ends or is not ready in time.
    public var restarts = RestartPolicy.defaults
    /// From SIGTERM to SIGKILL, when it is ended. Default 5 s. Windows cannot ask a program to end, and ends it at once.
    public var grace: Duration = .seconds(5)
    /// Bytes of the longest line of output that is handed on whole; longer ones come in parts. Default 16,384; 4 or more.
    public var lineLimit = 16_384
    /// Takes what it says, line by line, on a thread of its own; while that is held up, so is the program once its pipe is full. Default: to our own standard output and error, as if it had them.
    public var output: @Sendable (SidecarLine) -> Void = { $0.forward() }
    public var log = Log.standardError

    public static let defaults = SidecarConfiguration()

    public init() {}
}

/// When a sidecar is ready.
@nonexhaustive public enum SidecarReadiness: Sendable, Hashable {
    /// As soon as it runs.
    case started
    /// When somebody accepts connections at each of these endpoints. The program finds the first in the variable `GINNEL_ENDPOINT` (`Endpoint.handedDown`).
    case listening([Endpoint])
    /// When a line of its standard output begins so.
    case line(String)

    public static func listening(at endpoint: Endpoint) -> SidecarReadiness { .listening([endpoint]) }
}

/// A line that a sidecar wrote.
public struct SidecarLine: Sendable, Hashable {
    public enum Stream: Sendable, Hashable { case output, errors }

    public var stream: Stream
    /// Without its end. What is not UTF-8 has become U+FFFD; control characters are as they came.
    public var text: String
    /// It is longer than `lineLimit`, and the next piece of the same stream goes on with it.
    public var isCut: Bool

    /// Writes it to our own standard output or error.
    func forward() {
        let file = stream == .output ? FileHandle.standardOutput : FileHandle.standardError
        try? file.write(contentsOf: Data((isCut ? text : text + "\n").utf8))
    }
}

/// How a program ended.
public struct SidecarEnd: Sendable, Hashable, CustomStringConvertible {
    /// Its exit status, 0 to 255; `nil` when a signal ended it.
    public var status: Int32?
    /// The signal that ended it; `nil` when it ended by itself. 0 where the system ended it and gives no number.
    public var signal: Int32?

    public var isSuccess: Bool { status == 0 }
    public var description: String { status.map { "exit status \($0)" } ?? "ended by signal \(signal ?? 0)" }

    /// As the platform says it: a status, or 256 and the signal.
    package init(_ raw: Int32) {
        if raw < 256 { status = raw } else { signal = raw - 256 }
    }
}

/// What a sidecar is doing.
@nonexhaustive public enum SidecarState: Sendable, Hashable {
    /// `run()` was not called yet.
    case idle
    case starting
    /// It is ready; `process` is its id.
    case ready(process: UInt32)
    /// It has ended or was not ready in time, and is started again at `until`, for the `count`-th time in a row.
    case restarting(count: Int, until: ContinuousClock.Instant, reason: String)
    /// It runs no more and is not started again. `nil` when it could not be started.
    case ended(SidecarEnd?)
}
