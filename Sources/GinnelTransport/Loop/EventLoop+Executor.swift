// The loop as an executor of Swift's concurrency.

extension EventLoop: SerialExecutor, TaskExecutor {
    /// Runs the job on the loop; on the global executor once the loop has stopped, so that no task is left behind.
    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        if isCurrent {
            localJobs.append(unowned)
            return
        }
        let isTaken = inbox.withLock { inbox in
            guard inbox.phase != .stopped else { return false }
            inbox.jobs.append(unowned)
            return true
        }
        if isTaken { return noteMail() }
        if let simulator = Simulation.simulator { simulator.enqueue(unowned) } else { globalConcurrentExecutor.enqueue(unowned) }
    }

    public func checkIsolated() {
        precondition(isCurrent, "this code must run on its event loop")
    }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}
