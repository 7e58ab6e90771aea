// Where the producers of items wait for their consumer.

internal import GinnelTransport

final class CreditGate: Sendable {
    private struct State {
        /// How often the gate was opened.
        var openings: UInt64 = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    /// Read before a try; what opens the gate after that lets `pass` through.
    var openings: UInt64 { state.withLock { $0.openings } }

    /// Lets all producers try again.
    func open() {
        let waiters = state.withLock { state in
            state.openings += 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the gate has been opened more often than `openings`, or when the task is cancelled.
    func pass(after openings: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let passes = state.withLock { state in
                    if state.openings > openings || Task.isCancelled { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if passes { continuation.resume() }
            }
        } onCancel: {
            open()
        }
    }
}
