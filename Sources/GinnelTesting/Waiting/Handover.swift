// Waiting for what other threads do, without sleeping and without hanging: whoever waits is let go when its task is cancelled, as a test's time limit does.

import GinnelTransport

/// One value on its way from a callback to the tasks that wait for it.
package final class Handover<Value: Sendable>: Sendable {
    private let held = Watched<Result<Value, any Error>?>(nil)

    package init() {}

    /// The first value or error that is given counts.
    package func give(_ value: Value) { held.change { $0 = $0 ?? .success(value) } }

    package func fail(_ error: any Error) { held.change { $0 = $0 ?? .failure(error) } }

    package var value: Value {
        get async throws {
            guard let result = try await held.wait(until: { $0 != nil }) else { throw CancellationError() }
            return try result.get()
        }
    }
}

extension Handover<Void> {
    package func give() { give(()) }
}

/// A locked value that tasks can watch.
package final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let id: UInt64
        let condition: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Value, any Error>
    }

    private struct State {
        var value: Value
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
        /// Waiters that were cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
    }

    private let state: Guarded<State>

    package init(_ value: Value) { state = Guarded(State(value: value)) }

    package var value: Value { state.withLock { $0.value } }

    /// Changes the value and lets those go on who waited for what it has become.
    @discardableResult
    package func change<Result>(_ body: (inout Value) -> Result) -> Result {
        let (result, value, ready) = state.withLock { state in
            let result = body(&state.value)
            let value = state.value
            let ready = state.waiters.filter { $0.condition(value) }
            if !ready.isEmpty { state.waiters.removeAll { $0.condition(value) } }
            return (result, value, ready)
        }
        for waiter in ready { waiter.continuation.resume(returning: value) }
        return result
    }

    /// Returns the first value for which `condition` holds.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    @discardableResult
    package func wait(until condition: @escaping @Sendable (Value) -> Bool) async throws -> Value {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                let result = state.withLock { state -> Result<Value, any Error>? in
                    if condition(state.value) { return .success(state.value) }
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    state.waiters.append(Waiter(id: id, condition: condition, continuation: continuation))
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
