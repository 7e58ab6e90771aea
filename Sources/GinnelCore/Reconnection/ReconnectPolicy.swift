// Whether and how often a client tries again.

/// What a client does when it has no connection.
public struct ReconnectPolicy: Sendable, Equatable {
    /// How long it waits between attempts.
    public var backoff: Backoff
    /// How many attempts in a row may fail before it gives up; `nil` for no end. Default 10. A connection that lasted longer than the wait before it begins the count anew.
    public var attempts: Int?

    /// One attempt, and none after the connection is lost.
    public static let never = ReconnectPolicy(backoff: Backoff(), attempts: 1, isRepeated: false)

    /// Waits for the service to appear, and connects again whenever the connection is lost: 100 ms after the first failure, twice as long after each further one, 30 s at most, each
    /// delay shortened by up to a half at random, and 10 attempts in a row.
    ///
    /// - Parameter attempts: how many may fail in a row, 1 or more; `nil` for no end.
    public static func exponential(_ backoff: Backoff = Backoff(), attempts: Int? = 10) -> ReconnectPolicy {
        ReconnectPolicy(backoff: backoff, attempts: attempts.map { max($0, 1) }, isRepeated: true)
    }

    /// False for `.never`.
    package let isRepeated: Bool

    private init(backoff: Backoff, attempts: Int?, isRepeated: Bool) {
        self.backoff = backoff
        self.attempts = attempts
        self.isRepeated = isRepeated
    }
}
