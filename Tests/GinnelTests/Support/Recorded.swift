// A list that grows while a test looks on, and a way to wait for what is to come without a clock: what a log has been told, what a handler has seen, what a
// child process has printed.

import GinnelTransport

final class Recorded<Element: Sendable>: Sendable {
    /// The list is complete and what was waited for is not in it.
    struct Ended: Error, CustomStringConvertible {
        let elements: [Element]
        var description: String { "ended after \(elements)" }
    }

    private struct Waiter {
        let isMet: @Sendable ([Element]) -> Bool
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var elements: [Element] = []
        var waiters: [Int: Waiter] = [:]
        var next = 0
        var isComplete = false
    }

    private let state = Guarded(State())

    var all: [Element] { state.withLock { $0.elements } }
    var count: Int { state.withLock { $0.elements.count } }

    func append(_ element: Element) {
        change { $0.elements.append(element) }
    }

    /// Nothing will be appended any more.
    func complete() {
        change { $0.isComplete = true }
    }

    private func change(_ body: (inout State) -> Void) {
        let (met, lost, elements) = state.withLock { state in
            body(&state)
            let met = state.waiters.filter { $0.value.isMet(state.elements) }
            for id in met.keys { state.waiters[id] = nil }
            var lost: [Int: Waiter] = [:]
            if state.isComplete { swap(&lost, &state.waiters) }
            return (met.values, lost.values, state.elements)
        }
        for waiter in met { waiter.continuation.resume() }
        for waiter in lost { waiter.continuation.resume(throwing: Ended(elements: elements)) }
    }

    /// Returns once `isMet` holds for the list. Throws when it is complete without, or when the task is cancelled.
    func wait(until isMet: @escaping @Sendable ([Element]) -> Bool) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if isMet(state.elements) { return .success(()) }
                    if state.isComplete { return .failure(Ended(elements: state.elements)) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[id] = Waiter(isMet: isMet, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }

    /// The first element that matches, now or to come.
    @discardableResult
    func first(where matches: @escaping @Sendable (Element) -> Bool) async throws -> Element {
        try await wait { $0.contains(where: matches) }
        return all.first(where: matches)!
    }
}

extension Recorded where Element == Void {
    /// Something has happened.
    func signal() { append(()) }

    /// Waits until it has happened so many times.
    func wait(for count: Int = 1) async throws { try await wait { $0.count >= count } }
}
