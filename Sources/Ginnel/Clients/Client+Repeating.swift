// Which calls are made again on the next connection, and when none are made for a while.

internal import GinnelCore
internal import GinnelTransport

extension Client {
    /// Whether a call that ended so on `connection` is made again on the next one.
    func isWorthRepeating(_ error: CallError, _ isIdempotent: Bool, _ connection: Connection) async -> Bool {
        guard configuration.reconnect.isRepeated, error.code == .unavailable || (error.code == .connectionLost && isIdempotent) else { return false }
        // The end of a call is told before the end of its connection, in the same turn of the loop. A handler may say the same of itself, on a connection that goes on.
        try? await connection.loop.run {}
        return state.withLock { state in
            switch state.phase {
            case .connecting: true
            case .connected(let current): current !== connection
            case .ready, .over: false
            }
        }
    }

    /// Asks the circuit breaker, where there is one.
    func permit() throws(CallError) -> CircuitBreaker.Permit? {
        guard configuration.circuitBreaker != nil else { return nil }
        let answer = state.withLock { $0.breaker?.permit(at: .now) }
        if case .failure(let refusal)? = answer {
            let wait = refusal.left == .zero ? "while a few calls try whether it is well again" : "for another \(refusal.left)"
            throw CallError(.unavailable, "the service kept failing and is not asked \(wait) (circuitBreaker); the call was not begun")
        }
        return try? answer?.get()
    }

    func note(_ permit: CircuitBreaker.Permit?, _ error: (any Error)?) {
        guard let permit else { return }
        let succeeded: Bool?
        switch error {
        case nil: succeeded = true
        case let error as CallError: succeeded = error.code.speaksAgainstService.map { !$0 }
        case is CancellationError: succeeded = nil
        default: succeeded = false
        }
        state.withLock { $0.breaker?.ended(permit, succeeded: succeeded, at: .now) }
    }
}

extension CallError {
    /// What a call ends with that was made as often as it may be.
    func afterRepeats(_ repeats: Int) -> CallError {
        CallError(code, "\(sentence); the connection was lost \(repeats + 1) times while it was in flight, and it is not made again (repeats)")
    }
}
