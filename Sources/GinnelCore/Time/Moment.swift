// A moment on two clocks. The core reads no clock: whoever feeds a machine says what time it is.
//
// Liveness (heartbeats, idle limits, stalls) is judged on the clock that stands still while the computer sleeps, so that a closed
// laptop kills no connection. Deadlines are judged on the clock that goes on, since the caller's user waited through the night.

/// A moment, in nanoseconds since an arbitrary origin on each clock.
public struct Moment: Sendable, Equatable {
    /// The clock that stops while the machine sleeps.
    public var awake: UInt64
    /// The clock that does not.
    public var continuous: UInt64

    public init(awake: UInt64, continuous: UInt64) {
        self.awake = awake
        self.continuous = continuous
    }

    /// The same moment shifted on both clocks, for tests and for durations measured from now. Saturates.
    public func advanced(by span: Duration) -> Moment {
        let nanoseconds = span.wholeNanoseconds
        return Moment(awake: awake.adding(nanoseconds), continuous: continuous.adding(nanoseconds))
    }
}

extension Duration {
    /// Nanoseconds, rounded down; negative durations are 0 and very long ones saturate.
    package var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : scaled.adding(UInt64(attoseconds / 1_000_000_000))
    }

    package static func wholeNanoseconds(_ count: UInt64) -> Duration {
        .seconds(Int64(count / 1_000_000_000)) + .nanoseconds(Int64(count % 1_000_000_000))
    }
}

extension UInt64 {
    /// Addition that stops at the largest value: a time-out that long is for ever.
    package func adding(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// The earliest time at which a machine wants to be woken, on each clock; `nil` where it does not.
package struct WakeUp: Sendable, Equatable {
    package var awake: UInt64?
    package var continuous: UInt64?

    package init(awake: UInt64? = nil, continuous: UInt64? = nil) {
        self.awake = awake
        self.continuous = continuous
    }

    /// Whether either time has come.
    package func isDue(at now: Moment) -> Bool {
        (awake.map { $0 <= now.awake } ?? false) || (continuous.map { $0 <= now.continuous } ?? false)
    }

    /// Nanoseconds from `now` until the earlier of the two; `nil` when there is nothing to wait for.
    package func delay(from now: Moment) -> UInt64? {
        let first = awake.map { $0 > now.awake ? $0 - now.awake : 0 }
        let second = continuous.map { $0 > now.continuous ? $0 - now.continuous : 0 }
        switch (first, second) {
        case (let first?, let second?): return Swift.min(first, second)
        case (let only?, nil), (nil, let only?): return only
        case (nil, nil): return nil
        }
    }

    package mutating func include(awake other: UInt64?) {
        awake = Self.earlier(awake, other)
    }

    package mutating func include(continuous other: UInt64?) {
        continuous = Self.earlier(continuous, other)
    }

    private static func earlier(_ first: UInt64?, _ second: UInt64?) -> UInt64? {
        guard let first, let second else { return first ?? second }
        return Swift.min(first, second)
    }

    package mutating func include(_ other: WakeUp) {
        include(awake: other.awake)
        include(continuous: other.continuous)
    }
}
