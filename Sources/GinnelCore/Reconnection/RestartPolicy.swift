// Whether a program that has ended is started again, and when. A function of what happened and of a random number: whoever acts on it has the clock.

/// What becomes of a child process that has ended.
public struct RestartPolicy: Sendable, Equatable {
    public enum When: Sendable, Equatable {
        /// However it ended.
        case always
        /// Unless it ended by itself with status 0.
        case onFailure
        case never
    }

    /// Default `.always`.
    public var when: When
    /// How often in a row it is started again; `nil` for no end. Default 5.
    public var maximum: Int?
    /// How long to wait before each start.
    public var backoff: Backoff
    /// A program that was ready for so long has recovered: counting begins anew. Default 60 s.
    public var steadyAfter: Duration

    /// Restarts after 100 ms, 200 ms, and so on to 30 s, each shortened by up to a half at random; gives up when five in a row did not help.
    public static let defaults = RestartPolicy()
    public static let never = RestartPolicy(.never)

    public init(_ when: When = .always, maximum: Int? = 5, backoff: Backoff = Backoff(), steadyAfter: Duration = .seconds(60)) {
        self.when = when
        self.maximum = maximum
        self.backoff = backoff
        self.steadyAfter = steadyAfter
    }
}

/// Counts the restarts of one program.
package struct Restarts: Sendable {
    package enum Decision: Equatable, Sendable {
        /// Start it again after this delay, for the `count`-th time in a row.
        case restart(after: Duration, count: Int)
        /// It has ended as it should and stays so.
        case stay
        /// It has not, and is not started again.
        case giveUp
    }

    private let policy: RestartPolicy
    private var count = 0

    package init(_ policy: RestartPolicy) { self.policy = policy }

    /// The program has ended. `isSuccess`: by itself, with status 0. `readyFor`: how long it was ready; `nil` when it never was. `random`: any number.
    package mutating func next(isSuccess: Bool, readyFor: Duration?, random: UInt64) -> Decision {
        if policy.when == .never || policy.when == .onFailure && isSuccess { return isSuccess ? .stay : .giveUp }
        if let readyFor, readyFor >= policy.steadyAfter { count = 0 }
        if let maximum = policy.maximum, count >= maximum { return .giveUp }
        count += 1
        return .restart(after: policy.backoff.delay(after: count, random: random), count: count)
    }
}
