// Stops asking a service that keeps failing, for a while, so that callers hear at once what they would hear late.
//
//     closed ──failures──► open ──time──► half open ──successes──► closed
//                            ◄──────failure──────┘
//
// What counts as a failure is what says that the service is not well: no connection, a lost one, a deadline that passed, an internal error. An answer that refuses a request is an answer.

/// When a circuit opens and closes.
public struct CircuitBreakerPolicy: Sendable, Equatable {
    /// Failures in a row that open it; 1 or more. Default 5.
    public var failures = 5
    /// How long nothing is asked once it is open. Default 30 s.
    public var pause: Duration = .seconds(30)
    /// Calls in a row that must succeed, once the pause is over, to close it again; 1 or more. As many may be in flight then. Default 3.
    public var successes = 3

    public static let defaults = CircuitBreakerPolicy()

    public init() {}
}

package struct CircuitBreaker: Sendable {
    package enum State: Sendable, Equatable {
        case closed
        /// Until this time of the awake clock.
        case open(until: UInt64)
        case halfOpen
    }

    package private(set) var state = State.closed
    private let policy: CircuitBreakerPolicy
    private var failures = 0
    private var successes = 0
    /// Calls that were let through half open and have not ended.
    private var trials = 0
    /// Grows with every change of state: what was let through before says nothing about what is now.
    private var round: UInt64 = 0

    package init(_ policy: CircuitBreakerPolicy) { self.policy = policy }

    /// A call that was let through.
    package struct Permit: Sendable, Equatable {
        fileprivate let round: UInt64
    }

    /// Lets a call through, or says how long nothing will be asked; zero while others try whether the service is well again.
    package mutating func permit(at now: Moment) -> Result<Permit, Refusal> {
        if case .open(let until) = state {
            guard now.awake >= until else { return .failure(Refusal(left: .wholeNanoseconds(until - now.awake))) }
            change(to: .halfOpen)
        }
        if state == .halfOpen {
            guard trials < max(policy.successes, 1) else { return .failure(Refusal(left: .zero)) }
            trials += 1
        }
        return .success(Permit(round: round))
    }

    package struct Refusal: Error, Equatable {
        package let left: Duration
    }

    /// A call that was let through has ended. `succeeded`: `nil` when that says nothing about the service, as when its caller lost interest.
    package mutating func ended(_ permit: Permit, succeeded: Bool?, at now: Moment) {
        guard permit.round == round else { return }
        if state == .halfOpen { trials -= 1 }
        guard let succeeded else { return }
        if !succeeded { return noteFailure(now) }
        failures = 0
        guard state == .halfOpen else { return }
        successes += 1
        if successes >= max(policy.successes, 1) { change(to: .closed) }
    }

    private mutating func noteFailure(_ now: Moment) {
        failures += 1
        if state == .halfOpen || failures >= max(policy.failures, 1) {
            change(to: .open(until: now.awake.adding(policy.pause.wholeNanoseconds)))
        }
    }

    private mutating func change(to next: State) {
        state = next
        round += 1
        failures = 0
        successes = 0
        trials = 0
    }
}

extension FailureCode {
    /// Whether a call that ended so says that its service is not well; `nil` where it says nothing.
    package var speaksAgainstService: Bool? {
        switch self {
        case .connectionLost, .deadlineExceeded, .internal, .unavailable, .resourceExhausted: true
        case .cancelled: nil
        default: false
        }
    }
}
