// Where a receiver and a sender of one stream sleep, and how they are woken: by the doorbell, by the end of the stream, by their deadline, or by the cancellation of their task.
//
// A wake-up that comes before the sleep is remembered, so it cannot be lost between the last look and the sleep.

internal import GinnelCore
internal import Synchronization

/// Any thread.
final class StreamWaiting: Sendable {
    enum Side: CaseIterable, Sendable {
        case receiver
        case sender
    }

    enum Wake: Sendable {
        /// Look again.
        case news
        case timedOut
        case cancelled
    }

    /// Why there is nothing more to wait for.
    enum End: Sendable {
        /// This side closed the stream.
        case closedHere
        /// The peer has closed it; what it published before may still be read.
        case peerEnded
        /// The peer is gone and has not said that it would be; the same.
        case peerDied
        /// The peer broke a rule.
        case violated(String)

        /// Whether what the ring holds is still received.
        var leavesMessages: Bool {
            switch self {
            case .peerEnded, .peerDied: true
            case .closedHere, .violated: false
            }
        }
    }

    private struct Place {
        var continuation: CheckedContinuation<Wake, Never>?
        var wasRung = false
        /// On the awake clock.
        var deadline: UInt64?
    }

    private struct State {
        var receiver = Place()
        var sender = Place()
        var end: End?
        /// What the loop's timer is set to, or will be by a post that is under way; it may be for somebody who sleeps no more.
        var armed = UInt64.max

        subscript(_ side: Side) -> Place {
            get { side == .receiver ? receiver : sender }
            set { if side == .receiver { receiver = newValue } else { sender = newValue } }
        }
    }

    private let state = Guarded(State())
    /// Set after `end` was. Saves each message the lock.
    private let isOver = Atomic(false)

    var end: End? { isOver.load(ordering: .acquiring) ? state.withLock { $0.end } : nil }

    /// Sleeps until something happens. `arm` is called, once the place is taken, when the loop's timer is to come earlier than it would.
    func sleep(_ side: Side, until deadline: UInt64?, arm: () -> Void) async -> Wake {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (wake, isEarlier) = state.withLock { state -> (Wake?, Bool) in
                    if state.end != nil || state[side].wasRung {
                        state[side].wasRung = false
                        return (.news, false)
                    }
                    if Task.isCancelled { return (.cancelled, false) }
                    state[side].continuation = continuation
                    state[side].deadline = deadline
                    guard let deadline, deadline < state.armed else { return (nil, false) }
                    state.armed = deadline
                    return (nil, true)
                }
                if let wake { continuation.resume(returning: wake) } else if isEarlier { arm() }
            }
        } onCancel: {
            wake(side, .cancelled)
        }
    }

    func isAsleep(_ side: Side) -> Bool { state.withLock { $0[side].continuation != nil } }

    /// Somebody rang: both look again.
    func ring() { for side in Side.allCases { wake(side, .news) } }

    /// The stream is over; the first reason counts.
    func finish(_ end: End) {
        state.withLock { $0.end = $0.end ?? end }
        isOver.store(true, ordering: .releasing)
        ring()
    }

    /// What the loop's timer is to be set to: the next deadline of those who sleep, on the awake clock. Whoever comes later with a later one needs no `arm`.
    func deadlineToArm() -> UInt64? {
        state.withLock { state in
            let earliest = Side.allCases.compactMap { state[$0].continuation == nil ? nil : state[$0].deadline }.min()
            state.armed = earliest ?? .max
            return earliest
        }
    }

    /// Wakes those whose deadline has come.
    func timeOut(_ now: UInt64) {
        for side in Side.allCases {
            let sleeper = state.withLock { state -> CheckedContinuation<Wake, Never>? in
                guard let deadline = state[side].deadline, deadline <= now else { return nil }
                return state[side].continuation.take()
            }
            sleeper?.resume(returning: .timedOut)
        }
    }

    private func wake(_ side: Side, _ wake: Wake) {
        let sleeper = state.withLock { state -> CheckedContinuation<Wake, Never>? in
            let sleeper = state[side].continuation.take()
            if sleeper == nil, case .news = wake { state[side].wasRung = true }
            return sleeper
        }
        sleeper?.resume(returning: wake)
    }
}
