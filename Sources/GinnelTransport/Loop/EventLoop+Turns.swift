// A turn of the loop, as the head of EventLoop.swift describes it. Everything here runs on the loop's thread.

internal import CGinnelPlatform
internal import GinnelCore
internal import Synchronization

extension EventLoop {
    func runTurns() {
        threadNumber.store(gn_thread_current(), ordering: .relaxed)
        withUnsafeTemporaryAllocation(of: gn_event.self, capacity: 128) { events in
            while !turn(wait(events)) {}
        }
    }

    /// One turn, for what the poller has found; true when the loop is over.
    func turn(_ ready: UnsafeMutableBufferPointer<gn_event>.SubSequence) -> Bool {
        readClocks()
        for event in ready { members[event.token]?.isReady(Readiness(rawValue: event.kind)) }
        let rouses = !roused.isEmpty
        if rouses { tellRoused() }
        readOn()
        while let token = timers.popDue(now.awake) { members[token]?.timeHasCome(now) }
        let worked = runNotesAndJobs()
        flushAll()
        if !ready.isEmpty || worked || rouses { lastActive = now.awake }
        return isOver()
    }

    private func wait(_ events: UnsafeMutableBufferPointer<gn_event>) -> UnsafeMutableBufferPointer<gn_event>.SubSequence {
        let timeout = timeToWait()
        if timeout == 0, !quiet.isEmpty, lookAround() { return events[..<0] }
        var count = 0
        var error = gn_error()
        let outcome = gn_poller_wait(poller, events.baseAddress, events.count, timeout, &count, &error)
        if timeout != 0 { sleeps.store(false, ordering: .relaxed) }
        if !quiet.isEmpty { polledAt = gn_clock_awake() }
        // A poller that fails has nothing to report; timers and jobs go on.
        return events[..<(outcome == GN_DONE ? count : 0)]
    }

    private func timeToWait() -> UInt64 {
        guard localJobs.isEmpty, toRead.isEmpty, toFlush.isEmpty else { return 0 }
        if pollingTime > 0, gn_clock_awake() &- lastActive < pollingTime { return 0 }
        sleeps.store(true, ordering: .sequentiallyConsistent)
        guard !hasMail.load(ordering: .sequentiallyConsistent) else {
            sleeps.store(false, ordering: .relaxed)
            return 0
        }
        quiet.declareSleep(into: &roused)
        guard roused.isEmpty else {
            sleeps.store(false, ordering: .relaxed)
            return 0
        }
        guard let next = timers.earliest else { return .max }  // GN_WAIT_FOR_EVER
        // What the turn has used up of this is too little to read the clock again; a timer that comes early looks at the time and is armed anew.
        return next > lastWork ? next - lastWork : 0
    }

    /// Looks at the quiet sources and the inbox for a few microseconds, which costs no system call. True when the poller need not be asked in this turn: there is news, and the poller
    /// was asked not long ago.
    private func lookAround() -> Bool {
        // Without polling one look is enough: the turn has other work to do.
        let isPolling = pollingTime > 0 && localJobs.isEmpty && toRead.isEmpty && toFlush.isEmpty
        var looksLeft = isPolling ? max(1, Self.looksBetweenPolls / quiet.count) : 1
        while !quiet.hasNews {
            looksLeft -= 1
            if looksLeft == 0 || hasMail.load(ordering: .relaxed) { return false }
            gn_relax()
        }
        quiet.takeNews(into: &roused)
        return gn_clock_awake() &- polledAt < Self.timeBetweenPolls
    }

    /// Some 3 µs, however many rings there are.
    private static let looksBetweenPolls = 64
    /// Nanoseconds that sockets wait at most for rings that always have something, besides the turn that is under way.
    private static let timeBetweenPolls: UInt64 = 100_000

    private func tellRoused() {
        swap(&rousedBatch, &roused)
        for token in rousedBatch { members[token]?.isReady([.readable, .writable]) }
        rousedBatch.removeAll(keepingCapacity: true)
    }

    /// The clocks' difference changes when the machine sleeps, which a running program notices as no time at all: one of them is enough for most turns.
    private func readClocks() {
        let awake = gn_clock_awake()
        lastWork = awake
        if awake &- clocksReadAt < 1_000_000 {
            now = Moment(awake: awake, continuous: awake &+ clockDifference)
        } else {
            clocksReadAt = awake
            now = Moment(awake: awake, continuous: gn_clock_continuous())
            clockDifference = now.continuous &- awake
        }
    }

    private func readOn() {
        guard !toRead.isEmpty else { return }
        let batch = toRead.take()
        for index in batch.indices { batch[index].isReady(.readable) }
        toRead.giveBack(consume batch)
    }

    private func runNotesAndJobs() -> Bool {
        var worked = hasMail.load(ordering: .relaxed)
        if worked { openMail() }
        // Jobs that these jobs made wait no longer than this: what a loop does between two reads stays bounded.
        for _ in 0..<8 where !localJobs.isEmpty {
            worked = true
            swap(&jobBatch, &localJobs)
            for job in jobBatch { run(job) }
            noteWork("a task")
            jobBatch.removeAll(keepingCapacity: true)
        }
        return worked
    }

    private func openMail() {
        hasMail.store(false, ordering: .sequentiallyConsistent)
        let (notes, jobs) = inbox.withLock { inbox in
            defer {
                inbox.notes = []
                inbox.jobs = []
            }
            return (inbox.notes, inbox.jobs)
        }
        for note in notes { note() }
        for job in jobs { run(job) }
        noteWork("a task")
        // A request to stop comes without a letter; it is looked at only in turns with mail.
        mayBeOver = true
    }

    private func run(_ job: UnownedJob) {
        job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    private func flushAll() {
        guard !toFlush.isEmpty else { return }
        let batch = toFlush.take()
        for index in batch.indices { batch[index].flush() }
        toFlush.giveBack(consume batch)
    }

    private func isOver() -> Bool {
        guard mayBeOver else { return false }
        let isIdle = inbox.withLock { inbox in
            mayBeOver = inbox.phase == .stopping
            return inbox.jobs.isEmpty && inbox.notes.isEmpty
        }
        guard mayBeOver, isIdle, localJobs.isEmpty else { return false }
        // What comes of this, jobs of those who waited for them above all, still runs.
        for member in Array(members.values) { member.loopEnds() }
        let waiters: [Note]? = inbox.withLock { inbox in
            guard inbox.jobs.isEmpty, inbox.notes.isEmpty, localJobs.isEmpty else { return nil }
            inbox.phase = .stopped
            defer { inbox.stopWaiters = [] }
            return inbox.stopWaiters
        }
        guard let waiters else { return false }
        // A waiter that prefers this loop goes on elsewhere, since nobody runs what is queued here any more.
        threadNumber.store(0, ordering: .relaxed)
        for waiter in waiters { waiter() }
        return true
    }
}
