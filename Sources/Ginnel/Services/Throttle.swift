// How often something may be said.

/// Lets some things pass in every second and counts the others.
struct Throttle: Sendable {
    private let limit: Int
    private var left: Int
    private var next: UInt64 = 0
    private var skipped = 0

    init(perSecond limit: Int) {
        self.limit = limit
        left = limit
    }

    /// How many were held back since the last one, when this one may pass.
    mutating func pass(_ now: UInt64) -> Int? {
        if now >= next {
            left = limit
            next = now.adding(1_000_000_000)
        }
        guard left > 0 else {
            skipped += 1
            return nil
        }
        left -= 1
        defer { skipped = 0 }
        return skipped
    }
}
