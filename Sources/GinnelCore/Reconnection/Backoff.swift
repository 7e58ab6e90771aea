// How long to wait before the next try: longer after each failure, up to a cap, and not the same for all who failed together.
//
// A pure function of the attempt and a random number, so that the bound can be tested: no delay is ever longer than the cap. The part that is random is taken off the delay
// rather than added to it ("equal jitter" at the default of one half; "full jitter" at 1).

/// Delays between attempts, growing exponentially.
public struct Backoff: Sendable, Equatable {
    /// Before the second attempt. Default 100 ms.
    public var base: Duration
    /// Each delay is this many times the one before; 1 or more. Default 2.
    public var factor: Double
    /// No delay is longer. Default 30 s.
    public var cap: Duration
    /// The share of a delay that is random, 0 to 1. Default 0.5: each delay is between half of its bound and its bound.
    public var jitter: Double

    /// Values outside their ranges count as the nearest one inside.
    public init(base: Duration = .milliseconds(100), factor: Double = 2, cap: Duration = .seconds(30), jitter: Double = 0.5) {
        self.base = base
        self.factor = factor
        self.cap = cap
        self.jitter = jitter
    }

    /// The longest delay that may follow failure number `attempt`, counted from 1.
    public func bound(after attempt: Int) -> Duration {
        .wholeNanoseconds(boundInNanoseconds(attempt))
    }

    /// The delay that follows failure number `attempt`, counted from 1. `random`: any number; equal numbers give equal delays.
    public func delay(after attempt: Int, random: UInt64) -> Duration {
        let bound = boundInNanoseconds(attempt)
        let share = jitter.isNaN ? 0 : min(max(jitter, 0), 1)
        let largest = UInt64(Double(bound) * share)
        return .wholeNanoseconds(bound - (largest == 0 ? 0 : min(bound, random % (largest + 1))))
    }

    private func boundInNanoseconds(_ attempt: Int) -> UInt64 {
        let limit = min(cap.wholeNanoseconds, Self.longest)
        let growth = factor.isNaN ? 1 : max(factor, 1)
        var bound = min(base.wholeNanoseconds, limit)
        // Sooner or later it stands still: at the cap, or because it does not grow.
        for _ in 1..<max(attempt, 1) where bound < limit {
            let next = Double(bound) * growth
            guard next < Double(limit) else { return limit }
            guard UInt64(next) > bound else { break }
            bound = UInt64(next)
        }
        return bound
    }

    /// Ten years: what `Double` still counts in nanoseconds without harm.
    private static let longest: UInt64 = 315_360_000_000_000_000
}
