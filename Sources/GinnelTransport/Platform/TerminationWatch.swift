// SIGINT and SIGTERM for everybody in this process who wants to hear of them. The platform watches while anybody does; with the last one things are as before, and a signal ends the process.

internal import CGinnelPlatform

package enum TerminationWatch {
    private struct State {
        var next = 0
        var listeners: [Int: @Sendable (Int32) -> Void] = [:]
    }

    private static let state = Guarded(State())
    /// Held while the platform's watch begins or ends. Telling needs `state` alone, and the end of the watch waits for it.
    private static let gate = Guarded(())

    /// From now on `told` is called with the number of each signal, on a thread of its own; it must not come back here. Returns what `remove` wants.
    package static func add(_ told: @escaping @Sendable (Int32) -> Void) throws -> Int {
        try gate.withLock { _ in
            if state.withLock({ $0.listeners.isEmpty }) { try begin() }
            return state.withLock { state in
                state.next += 1
                state.listeners[state.next] = told
                return state.next
            }
        }
    }

    package static func remove(_ id: Int) {
        gate.withLock { _ in
            let isLast = state.withLock { $0.listeners.removeValue(forKey: id) != nil && $0.listeners.isEmpty }
            if isLast { gn_termination_unwatch() }
        }
    }

    private static func begin() throws {
        var error = gn_error()
        let outcome = gn_termination_watch({ how, _ in TerminationWatch.tell(Int32(truncatingIfNeeded: how.rawValue)) }, nil, &error)
        guard outcome == GN_DONE else { throw GinnelError(.init(error.code), "signals cannot be watched", cause: SystemError(error)) }
    }

    private static func tell(_ number: Int32) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener(number) }
    }
}
