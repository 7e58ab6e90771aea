// The one place where Ginnel makes unstructured tasks: a request that arrives on the loop has no task to be the child of.
//
// They are owned all the same. Each is known here from its first step to its last, is cancelled with its call, its deadline or its connection, and `run()`
// does not return before the last one has ended.

internal import GinnelTransport

final class HandlerTasks: Sendable {
    private struct State {
        /// `nil` for a moment while it is being started.
        var running: [UInt64: Task<Void, Never>?] = [:]
        var last: UInt64 = 0
        /// Whoever starts now is cancelled at once.
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    /// Starts `body` on `loop`, or on the global executor.
    func start(on loop: EventLoop?, _ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        let number = state.withLock { state in
            state.last += 1
            state.running.updateValue(nil, forKey: state.last)
            return state.last
        }
        let task = Task(executorPreference: loop) { [self] in
            await body()
            noteEnd(number)
        }
        let isTooLate = state.withLock { state in
            // Unless it has ended already.
            if state.running[number] != nil { state.running[number] = task }
            return state.isOver
        }
        if isTooLate { task.cancel() }
        return task
    }

    private func noteEnd(_ number: UInt64) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running[number] = nil
            guard state.running.isEmpty else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Handlers that run now.
    var count: Int { state.withLock { $0.running.count } }

    /// Cancels those that run: also of formats whose handlers outlive their connection.
    func cancelAll() {
        let running = state.withLock { state in
            state.isOver = true
            return state.running.values.compactMap { $0 }
        }
        for task in running { task.cancel() }
    }

    /// Returns when no handler runs.
    func waitForAll() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.running.isEmpty { state.waiters.append(continuation) }
                return state.running.isEmpty
            }
            if isIdle { continuation.resume() }
        }
    }
}
