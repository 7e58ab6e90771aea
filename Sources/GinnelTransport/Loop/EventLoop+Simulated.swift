// A loop without a thread: a simulator makes its turns, one at a time. It waits for nothing; what it would wait for, the simulator brings about.

internal import CGinnelPlatform
internal import Synchronization

extension EventLoop {
    /// Whether a turn at this time of the awake clock has anything to do.
    package func isDue(at time: UInt64) -> Bool {
        if hasMail.load(ordering: .relaxed) || !localJobs.isEmpty || !toRead.isEmpty || !toFlush.isEmpty || !roused.isEmpty { return true }
        return timers.earliest.map { $0 <= time } ?? false
    }

    /// When its next timer is due, on the awake clock.
    package var nextTimer: UInt64? { timers.earliest }

    /// One turn, in the calling thread, which is the loop's meanwhile. True when the loop is over.
    package func simulateTurn() -> Bool {
        threadNumber.store(gn_thread_current(), ordering: .relaxed)
        defer { threadNumber.store(0, ordering: .relaxed) }
        return turn(UnsafeMutableBufferPointer<gn_event>(start: nil, count: 0)[...])
    }
}
