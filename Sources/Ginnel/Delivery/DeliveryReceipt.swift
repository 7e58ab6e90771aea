// What a sender holds in its hand: whether its message is kept, and what became of it.

internal import GinnelCore
internal import GinnelTransport

/// A message that was sent, and what becomes of it.
public final class DeliveryReceipt: Sendable {
    private struct State {
        var isKept = false
        var outcome: Result<Void, CallError>?
        var waiters = Waiters<Void>()
    }

    private let state: Guarded<State>

    init(settled: Bool = false) { state = Guarded(State(isKept: settled, outcome: settled ? .success(()) : nil)) }

    /// Returns when the receiver's program has dealt with the message.
    ///
    /// - Throws: `CallError`: the code with which the receiver refused it for good; `resourceExhausted` when it was given up for a newer one; `unavailable` when this program's client ended first (a durable
    ///   message is sent when the program runs again); `cancelled` with the task, which changes nothing for the message.
    public func acknowledged() async throws(CallError) {
        try await wait { $0.outcome != nil }
        if let outcome = state.withLock({ $0.outcome }) { try outcome.get() }
    }

    /// Whether it is known what became of the message.
    public var isSettled: Bool { state.withLock { $0.outcome != nil } }

    /// Returns when it is kept. Throws when it could not be.
    func kept() async throws(CallError) {
        try await wait { $0.isKept || $0.outcome != nil }
        if let outcome = state.withLock({ $0.isKept ? nil : $0.outcome }) { try outcome.get() }
    }

    func noteKept() { change { $0.isKept = true } }

    func settle(_ outcome: Result<Void, CallError>) { change { $0.outcome = $0.outcome ?? outcome } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            return state.waiters.takeAll()
        }.resume()
    }

    private func wait(until condition: @Sendable (borrowing State) -> Bool) async throws(CallError) {
        while !state.withLock({ condition($0) }) {
            if Task.isCancelled { throw CallError(.cancelled, "the task that waited for an acknowledgement was cancelled; the message is kept all the same") }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isMet = state.withLock { state in
                        if condition(state) || Task.isCancelled { return true }
                        state.waiters.add(continuation)
                        return false
                    }
                    if isMet { continuation.resume() }
                }
            } onCancel: {
                change { _ in }
            }
        }
    }
}
