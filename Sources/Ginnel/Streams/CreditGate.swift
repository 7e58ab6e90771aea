// Where a producer of items waits for its consumer.

internal import GinnelTransport

final class CreditGate: Sendable {
    private struct State {
        var isOpen = false
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state = Guarded(State())

    /// Lets the producer try again, now or when it next comes by.
    func open() {
        let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            state.isOpen = state.waiter == nil
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Returns when the gate has been opened since the last time, or when the task is cancelled.
    func pass() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let passes = state.withLock { state in
                    if state.isOpen || Task.isCancelled {
                        state.isOpen = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if passes { continuation.resume() }
            }
        } onCancel: {
            open()
        }
    }
}
