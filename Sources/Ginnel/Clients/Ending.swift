// The two moments of a connection that its client waits for: when it is established, and when it has ended.

internal import GinnelCore
internal import GinnelTransport

final class Ending: Sendable {
    private struct State {
        var isEstablished = false
        var reason: CloseReason?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    func established() { change { $0.isEstablished = true } }
    func end(_ reason: CloseReason) { change { $0.reason = reason } }

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// `nil` once established; the reason when it ended before.
    func waitForEstablishment() async -> CloseReason? {
        await waitUntil { $0.isEstablished || $0.reason != nil }
        return state.withLock { $0.isEstablished ? nil : $0.reason }
    }

    func wait() async -> CloseReason {
        await waitUntil { $0.reason != nil }
        return state.withLock { $0.reason } ?? CloseReason(by: .nobody, Failure(.connectionLost, ""))
    }

    /// The same; when the task is cancelled the client closes first.
    func wait(closingOnCancel client: Client) async -> CloseReason {
        await withTaskCancellationHandler {
            await wait()
        } onCancel: {
            client.disconnect()
        }
    }

    private func waitUntil(_ condition: @Sendable (borrowing State) -> Bool) async {
        while !state.withLock({ condition($0) }) {
            await withCheckedContinuation { continuation in
                let holds = state.withLock { state in
                    if condition(state) { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if holds { continuation.resume() }
            }
        }
    }
}
