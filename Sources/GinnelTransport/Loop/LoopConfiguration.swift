// How many loops, and how they wait.

/// How a service or client waits for work. `count` and `polling` are for `Engine.reactor`; with `.threads` each connection has a thread that waits for it and never polls.
public struct LoopConfiguration: Sendable, Equatable {
    /// Loops, one thread each; `nil`, the default, for the number of processors this process may use, at most 4. Clients use one.
    public var count: Int?
    /// How long a loop looks for work without sleeping after there was some. Default 0. On virtual machines a wake-up across processors
    /// costs 20 µs and more, so 50 µs of looking is worth a factor of five in latency, for one busy processor while there is traffic. Ignored where the process may use only one.
    public var polling: Duration = .zero
    /// A handler that holds its loop longer than this is reported. Default 50 ms.
    public var reportAfter: Duration = .milliseconds(50)

    public static let defaults = LoopConfiguration()
    /// The same with 50 µs of polling.
    public static var lowLatency: LoopConfiguration {
        var configuration = LoopConfiguration()
        configuration.polling = .microseconds(50)
        return configuration
    }

    public init() {}
}
