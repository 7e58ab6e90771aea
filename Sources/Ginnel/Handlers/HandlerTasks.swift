// The one place where Ginnel makes unstructured tasks: a request that arrives on the loop has no task to be the child of.
//
// They are owned all the same. Each is known here from its first step to its last, is cancelled with its call, its deadline or its connection, and `run()`
// does not return before the last one has ended.

internal import GinnelTransport

final class HandlerTasks: Sendable {
    private struct State {
        var count = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    /// Starts `body` on `loop`, or on the global executor.
    func start(on loop: EventLoop?, _ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        state.withLock { $0.count += 1 }
        return Task(executorPreference: loop) { [self] in
            await body()
            noteEnd()
        }
    }

    private func noteEnd() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.count -= 1
            guard state.count == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Handlers that run now.
    var count: Int { state.withLock { $0.count } }

    /// Returns when no handler runs.
    func waitForAll() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.count > 0 { state.waiters.append(continuation) }
                return state.count == 0
            }
            if isIdle { continuation.resume() }
        }
    }
}
