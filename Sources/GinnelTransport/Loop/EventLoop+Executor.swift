// The loop as an executor of Swift's concurrency.

internal import CGinnelPlatform

extension EventLoop: SerialExecutor, TaskExecutor {
    /// Runs the job on the loop; on the global executor once the loop has stopped, so that no task is left behind.
    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        if isCurrent {
            localJobs.append(unowned)
            return
        }
        enum Next { case wake, nothing, elsewhere }
        let next = inbox.withLock { inbox -> Next in
            guard inbox.phase != .stopped else { return .elsewhere }
            inbox.jobs.append(unowned)
            defer { inbox.sleeps = false }
            return inbox.sleeps ? .wake : .nothing
        }
        switch next {
        case .wake: gn_poller_wake(poller)
        case .nothing: break
        case .elsewhere: globalConcurrentExecutor.enqueue(unowned)
        }
    }

    public func checkIsolated() {
        precondition(isCurrent, "this code must run on its event loop")
    }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}
