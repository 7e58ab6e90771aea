// When a program is started again.

import GinnelCore
import Testing

@Suite struct RestartPolicyTests {
    private static let backoff = Backoff(base: .milliseconds(100), factor: 2, cap: .milliseconds(300), jitter: 0)

    @Test func `the delays grow to their cap, and after the last restart it gives up`() {
        var restarts = Restarts(RestartPolicy(maximum: 4, backoff: Self.backoff))
        for (count, delay) in [(1, 100), (2, 200), (3, 300), (4, 300)] {
            #expect(restarts.next(isSuccess: false, readyFor: nil, random: 0) == .restart(after: .milliseconds(delay), count: count))
        }
        #expect(restarts.next(isSuccess: false, readyFor: nil, random: 0) == .giveUp)
    }

    @Test func `a program that was ready for long enough begins anew, and one that was not does not`() {
        var restarts = Restarts(RestartPolicy(maximum: 1, backoff: Self.backoff, steadyAfter: .seconds(60)))
        for _ in 0..<10 { #expect(restarts.next(isSuccess: false, readyFor: .seconds(60), random: 0) == .restart(after: .milliseconds(100), count: 1)) }
        #expect(restarts.next(isSuccess: false, readyFor: .seconds(59), random: 0) == .giveUp)
    }

    @Test func `without a maximum it never gives up`() {
        var restarts = Restarts(RestartPolicy(maximum: nil, backoff: Self.backoff))
        for count in 1...1000 {
            guard case .restart(_, count) = restarts.next(isSuccess: true, readyFor: nil, random: 0) else { return #expect(Bool(false), "gave up at \(count)") }
        }
    }

    @Test func `success is left at that, where the policy says so`() {
        var onFailure = Restarts(RestartPolicy(.onFailure, backoff: Self.backoff))
        #expect(onFailure.next(isSuccess: true, readyFor: nil, random: 0) == .stay)
        #expect(onFailure.next(isSuccess: false, readyFor: nil, random: 0) == .restart(after: .milliseconds(100), count: 1))
        var never = Restarts(.never)
        #expect(never.next(isSuccess: true, readyFor: nil, random: 0) == .stay)
        #expect(never.next(isSuccess: false, readyFor: nil, random: 0) == .giveUp)
        var always = Restarts(RestartPolicy(backoff: Self.backoff))
        #expect(always.next(isSuccess: true, readyFor: nil, random: 0) == .restart(after: .milliseconds(100), count: 1))
    }
}
