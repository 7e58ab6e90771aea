// A circuit that opens when a service keeps failing.

import GinnelCore
import Testing

@Suite struct CircuitBreakerTests {
    let start = Moment(awake: 1_000_000_000, continuous: 0)

    private func call(_ breaker: inout CircuitBreaker, _ succeeded: Bool?, after: Duration = .zero) -> Bool {
        let now = start.advanced(by: after)
        guard case .success(let permit) = breaker.permit(at: now) else { return false }
        breaker.ended(permit, succeeded: succeeded, at: now)
        return true
    }

    private func opened(_ policy: CircuitBreakerPolicy = .defaults) -> CircuitBreaker {
        var breaker = CircuitBreaker(policy)
        for _ in 0..<policy.failures { _ = call(&breaker, false) }
        return breaker
    }

    @Test func `four failures leave it closed, and the fifth opens it`() {
        var breaker = CircuitBreaker(.defaults)
        for _ in 0..<4 { _ = call(&breaker, false) }
        #expect(breaker.state == .closed)
        _ = call(&breaker, false)
        #expect(breaker.state == .open(until: 31_000_000_000))
    }

    @Test func `a success between failures begins the count anew`() {
        var breaker = CircuitBreaker(.defaults)
        for _ in 0..<100 {
            for _ in 0..<4 { _ = call(&breaker, false) }
            _ = call(&breaker, true)
        }
        #expect(breaker.state == .closed)
    }

    @Test func `open it lets nothing through and says how long`() {
        var breaker = opened()
        #expect(breaker.permit(at: start.advanced(by: .seconds(10))).refusedFor == .seconds(20))
        #expect(!call(&breaker, true, after: .milliseconds(29_999)))
    }

    @Test func `after the pause three calls are tried at once, and no more`() {
        var breaker = opened()
        let later = start.advanced(by: .seconds(30))
        let permits = (0..<3).compactMap { _ in try? breaker.permit(at: later).get() }
        #expect(permits.count == 3)
        #expect(breaker.permit(at: later).refusedFor == .zero)
        breaker.ended(permits[0], succeeded: nil, at: later)
        #expect((try? breaker.permit(at: later).get()) != nil)
    }

    @Test func `three successes after the pause close it`() {
        var breaker = opened()
        for _ in 0..<2 { _ = call(&breaker, true, after: .seconds(30)) }
        #expect(breaker.state == .halfOpen)
        _ = call(&breaker, true, after: .seconds(30))
        #expect(breaker.state == .closed)
    }

    @Test func `one failure after the pause opens it again`() {
        var breaker = opened()
        _ = call(&breaker, true, after: .seconds(30))
        _ = call(&breaker, false, after: .seconds(31))
        #expect(breaker.state == .open(until: 62_000_000_000))
    }

    @Test func `a call that ends late says nothing about a later round`() {
        var breaker = CircuitBreaker(.defaults)
        guard case .success(let late) = breaker.permit(at: start) else { return #expect(Bool(false), "it was closed") }
        for _ in 0..<5 { _ = call(&breaker, false) }
        breaker.ended(late, succeeded: true, at: start)
        #expect(breaker.state == .open(until: 31_000_000_000))
    }

    @Test func `answers that refuse a request do not speak against the service`() {
        #expect(FailureCode.invalidRequest.speaksAgainstService == false)
        #expect(FailureCode(rawValue: 1000).speaksAgainstService == false)
        #expect(FailureCode.cancelled.speaksAgainstService == nil)
        #expect(FailureCode.connectionLost.speaksAgainstService == true)
    }
}

extension Result<CircuitBreaker.Permit, CircuitBreaker.Refusal> {
    fileprivate var refusedFor: Duration? { if case .failure(let refusal) = self { refusal.left } else { nil } }
}
