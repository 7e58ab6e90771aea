// Where a client is between having no connection and having one. It reads no clock and connects to nothing: it is told what happened and says what to do next.
//
//     connecting ──► connected ──► waiting ──► connecting …
//          └──────► waiting ──► …                └──► gaveUp
//
// A connection that lasted longer than the wait before it begins the count anew. A service that accepts and dies at once is thereby tried less and less often, as one that is not there.

/// What a client does about its connection.
public enum ConnectionState: Sendable, Equatable {
    /// `run()` was not called yet.
    case idle
    /// It tries for the `attempt`-th time since it last had a connection that lasted.
    case connecting(attempt: Int)
    case connected
    /// The next attempt begins at this time of the continuous clock. The failure is why the last one, or the connection, ended.
    case waiting(until: Moment, after: Failure)
    /// There will be no more attempts. The failure is why the last one, or the connection, ended.
    case gaveUp(Failure)
    /// It was told to end, and has.
    case closed
}

package struct Reconnection: Sendable {
    package enum Step: Sendable, Equatable {
        case connect
        /// Wait for so long, then call `waited`.
        case wait(Duration)
        case giveUp
    }

    package private(set) var state = ConnectionState.idle
    private let policy: ReconnectPolicy
    /// Attempts that have failed in a row, or whose connection did not last.
    private var failures = 0
    /// When the connection was made, on the awake clock: a sleeping machine keeps no connection alive.
    private var since: UInt64?
    private var lastDelay: UInt64 = 0

    package init(_ policy: ReconnectPolicy) { self.policy = policy }

    package mutating func begin() -> Step { connect() }

    /// The wait that was asked for is over.
    package mutating func waited() -> Step { connect() }

    private mutating func connect() -> Step {
        state = .connecting(attempt: failures + 1)
        return .connect
    }

    package mutating func connected(at now: Moment) {
        since = now.awake
        state = .connected
    }

    /// The attempt has failed, or the connection has ended.
    ///
    /// - Parameters:
    ///   - isFinal: trying again would not help, such as where one side refuses the other.
    ///   - random: any number; spreads the attempts of clients that were cut off together.
    package mutating func ended(_ failure: Failure, isFinal: Bool, at now: Moment, random: UInt64) -> Step {
        if let since, now.awake - min(now.awake, since) > lastDelay { failures = 0 }
        since = nil
        failures += 1
        guard policy.isRepeated, !isFinal, policy.attempts.map({ failures < $0 }) ?? true else {
            state = .gaveUp(failure)
            return .giveUp
        }
        let delay = policy.backoff.delay(after: failures, random: random)
        lastDelay = delay.wholeNanoseconds
        state = .waiting(until: now.advanced(by: delay), after: failure)
        return .wait(delay)
    }

    package mutating func close() { state = .closed }
}
