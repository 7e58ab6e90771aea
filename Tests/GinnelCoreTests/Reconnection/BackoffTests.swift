// Delays between attempts.

import GinnelCore
import GinnelTesting
import Testing

@Suite struct BackoffTests {
    @Test func `each delay is twice the one before, up to the cap`() {
        let backoff = Backoff(jitter: 0)
        let milliseconds = (1...12).map { backoff.delay(after: $0, random: 77) / .milliseconds(1) }
        #expect(milliseconds == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000])
    }

    @Test(arguments: [0, 0.25, 0.5, 1]) func `no delay is over its bound or under what jitter leaves of it`(jitter: Double) {
        var random = SplitMix64(seed: 1)
        let backoff = Backoff(base: .milliseconds(7), factor: 1.7, cap: .seconds(3), jitter: jitter)
        for attempt in 1...40 {
            let (delay, bound) = (backoff.delay(after: attempt, random: random.next()), backoff.bound(after: attempt))
            #expect(delay <= bound && bound <= .seconds(3))
            #expect(delay >= bound * (1 - jitter) - .nanoseconds(1))
        }
    }

    @Test func `clients that were cut off together do not come back together`() {
        let delays = Set((0..<1000).map { Backoff().delay(after: 5, random: $0 &* 0x9E37_79B9_7F4A_7C15) })
        #expect(delays.count > 990)
    }

    @Test(arguments: [
        Backoff(base: .zero), Backoff(base: .seconds(-1)), Backoff(factor: 0), Backoff(factor: .nan), Backoff(factor: .infinity), Backoff(cap: .zero),
        Backoff(cap: .seconds(-5)), Backoff(jitter: -1), Backoff(jitter: 2), Backoff(jitter: .nan), Backoff(base: .seconds(Int64.max), cap: .seconds(Int64.max)),
        Backoff(base: .nanoseconds(1), factor: 1.0000001),
    ]) func `values outside their ranges give a delay all the same`(backoff: Backoff) {
        for attempt in [Int.min, -1, 0, 1, 2, 1000] {
            for random in [0, 1, UInt64.max] {
                let delay = backoff.delay(after: attempt, random: random)
                #expect(delay >= .zero && delay <= max(backoff.cap, .zero))
            }
        }
    }
}
