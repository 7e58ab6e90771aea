// When the next request is sent: as soon as the last has been answered, or so many a second, which leaves both sides time to fall asleep in between.

struct Pace {
    /// Nanoseconds, 0 for none.
    private let interval: UInt64
    private var due = Processor.now

    init(_ options: Options) { interval = options.pace == 0 ? 0 : 1_000_000_000 / UInt64(options.pace) }

    /// Sleeps until the next request is due and returns the time then; `now` when there is no pace to keep. What is late is sent at once and not made up for.
    mutating func next(_ now: UInt64) async throws -> UInt64 {
        guard interval > 0 else { return now }
        due = max(due + interval, now)
        try await Task.sleep(for: .nanoseconds(due - now))
        return Processor.now
    }
}
