// A doorbell may ring for nothing now and then: both sides looked at the same time. A peer that rings for ever would keep us awake for nothing, so there is a limit.

internal import GinnelCore

/// On the loop, which hears the doorbell.
struct FruitlessRings {
    /// Rings within one second that may come without anything published or given back between them (docs/shared-memory.md §3).
    static let limit = 1000

    private var produced: UInt64 = 0
    private var consumed: UInt64 = 0
    private var count = 0
    private var began: UInt64 = 0

    /// The bell was heard. `produced` is what the peer has published by now, `consumed` what it has given back; `now` is on the awake clock.
    mutating func note(produced: UInt64, consumed: UInt64, _ now: UInt64) throws(RingViolation) {
        let hasMoved = Self.isAhead(produced, of: self.produced) || Self.isAhead(consumed, of: self.consumed)
        if hasMoved || now &- began > 1_000_000_000 {
            self.produced = produced
            self.consumed = consumed
            began = now
            count = 0
        }
        count += 1
        if count > Self.limit { throw RingViolation(sentence: "the doorbell was rung \(count) times within a second, and nothing had come") }
    }

    /// A counter that goes back and forth is no sign of life; that it does is noticed by whoever reads it.
    private static func isAhead(_ counter: UInt64, of earlier: UInt64) -> Bool { counter != earlier && counter &- earlier <= .max / 2 }
}
