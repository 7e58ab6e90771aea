// One thread that waits for many channels and runs what follows: handlers, clients' code, timers.
//
// A turn of the loop:
//   1. wait (or look, while polling) for readiness, at most until the next timer;
//   2. members that are ready read and perform what came of it, plain handlers included;
//   3. members whose time has come are told. Reading came first, so a late loop takes no peer for dead whose bytes lie waiting;
//   4. notes from other threads, then jobs of Swift's concurrency;
//   5. members that gathered output flush it, each with one write.
//
// The loop is a serial executor and a task executor, so a task that prefers it runs between its reads and writes without a thread hop.
// What is marked "loop only" is touched by the loop's thread alone; everything else is behind `inbox`.

internal import CGinnelPlatform
package import GinnelCore
internal import Synchronization

/// `@unchecked Sendable`: the stored variables are loop only, but for `inbox`, which is locked, and what is constant after `start`.
public final class EventLoop: @unchecked Sendable {
    package typealias Note = @Sendable () -> Void

    enum Phase { case ready, running, stopping, stopped }

    struct Inbox {
        var jobs: [UnownedJob] = []
        var notes: [Note] = []
        var phase = Phase.ready
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let inbox = Guarded(Inbox())
    /// There is something in the inbox: set after it was put there, cleared before it is taken out. Saves a turn without mail the lock.
    private let hasMail = Atomic(false)
    /// The thread waits in the poller, or is about to, and must be woken. Whoever brings mail sets `hasMail` and then looks here; the thread sets this and then
    /// looks at `hasMail`: both sequentially consistent, so that one of the two sees the other.
    private let sleeps = Atomic(false)
    package let poller: OpaquePointer
    private let name: String
    private let pollingTime: UInt64
    let reportAfter: UInt64
    /// Told when a handler held the loop too long: what, and for how many nanoseconds. Set before `start`.
    package var reportsSlowness: (@Sendable (String, UInt64) -> Void)?
    private var thread: OpaquePointer?
    /// 0 until the thread runs.
    private let threadNumber = Atomic<UInt64>(0)

    // Loop only. One thread touches these, and no access spans a call that could come back to them, so the run-time check of exclusive access is spared.
    @exclusivity(unchecked) var localJobs: [UnownedJob] = []
    @exclusivity(unchecked) private var jobBatch: [UnownedJob] = []
    @exclusivity(unchecked) private var members: [UInt64: any LoopMember] = [:]
    @exclusivity(unchecked) private var nextToken: UInt64 = 1
    @exclusivity(unchecked) private var timers = TimerHeap()
    @exclusivity(unchecked) private var toFlush = MemberBatches()
    @exclusivity(unchecked) private var toRead = MemberBatches()
    /// Now, as of the beginning of the turn or the last handler.
    @exclusivity(unchecked) package private(set) var now = Moment.now
    @exclusivity(unchecked) private var lastWork: UInt64 = 0
    /// `stop` was called, or may have been.
    @exclusivity(unchecked) private var mayBeOver = false
    @exclusivity(unchecked) private var lastActive: UInt64 = 0
    @exclusivity(unchecked) private var clocksReadAt: UInt64 = 0
    @exclusivity(unchecked) private var clockDifference: UInt64 = 0
    /// Memory that members share, since one of them works at a time.
    package let scratch = LoopScratch()

    package init(name: String, _ configuration: LoopConfiguration = .defaults) throws {
        var poller: OpaquePointer?
        var error = gn_error()
        guard gn_poller_open(&poller, &error) == GN_DONE, let poller else {
            throw GinnelError(.init(error.code), "no event loop", cause: SystemError(error))
        }
        self.poller = poller
        self.name = name
        pollingTime = System.processors > 1 ? configuration.polling.wholeNanoseconds : 0
        reportAfter = configuration.reportAfter.wholeNanoseconds
    }

    deinit { gn_poller_close(poller) }

    // MARK: Beginning and end

    package func start() throws {
        inbox.withLock { $0.phase = .running }
        var error = gn_error()
        let context = Unmanaged.passRetained(self)
        let outcome = gn_thread_start(name, { context in
            guard let context else { return }
            let loop = Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
            loop.runTurns()
        }, context.toOpaque(), &thread, &error)
        guard outcome == GN_DONE else {
            context.release()
            inbox.withLock { $0.phase = .stopped }
            throw GinnelError(.init(error.code), "no thread for an event loop", cause: SystemError(error))
        }
    }

    /// Ends the thread once its jobs are done, and waits for that. Members must have left.
    package func stop() async {
        await withCheckedContinuation { continuation in
            let isOver = inbox.withLock { inbox in
                guard inbox.phase == .running || inbox.phase == .stopping else { return true }
                inbox.phase = .stopping
                inbox.stopWaiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() } else { noteMail() }
        }
        if let thread = thread.take() { gn_thread_join(thread) }
    }

    /// Whether the calling thread is the loop's.
    public var isCurrent: Bool { threadNumber.load(ordering: .relaxed) == gn_thread_current() }

    // MARK: From any thread

    /// Runs `note` on the loop, in the order of posting; never, when the loop has stopped.
    package func post(_ note: @escaping Note) {
        let isTaken = inbox.withLock { inbox in
            guard inbox.phase != .stopped else { return false }
            inbox.notes.append(note)
            return true
        }
        if isTaken { noteMail() }
    }

    /// The inbox has something new.
    func noteMail() {
        hasMail.store(true, ordering: .sequentiallyConsistent)
        if sleeps.load(ordering: .sequentiallyConsistent), sleeps.exchange(false, ordering: .sequentiallyConsistent) { gn_poller_wake(poller) }
    }

    /// Runs `body` on the loop and waits for it.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            post { continuation.resume(with: Swift.Result(catching: body)) }
        }
    }

    // MARK: Members (loop only)

    package func add(_ member: any LoopMember) -> UInt64 {
        defer { nextToken += 1 }
        members[nextToken] = member
        return nextToken
    }

    package func remove(_ token: UInt64) {
        members[token] = nil
        timers.disarm(token)
    }

    /// Calls the member at `time` of the awake clock; replaces an earlier wish.
    package func arm(_ token: UInt64, at time: UInt64) { timers.arm(token, at: time) }

    package func flushAtEndOfTurn(_ member: any LoopMember) { toFlush.append(member) }

    /// The member stopped reading of its own accord and wants to go on in the next turn.
    package func readAgain(_ member: any LoopMember) { toRead.append(member) }

    package func member(_ token: UInt64) -> (any LoopMember)? { members[token] }

    /// A handler has run on this thread; reports it when it took long. Returns nothing but keeps `now` fresh, so that each handler costs one look at
    /// the clock.
    package func noteWork(_ what: @autoclosure () -> String) {
        let awake = gn_clock_awake()
        let took = awake &- lastWork
        if took > reportAfter { reportsSlowness?(what(), took) }
        lastWork = awake
    }

    // MARK: Turns (loop only)

    private func runTurns() {
        threadNumber.store(gn_thread_current(), ordering: .relaxed)
        withUnsafeTemporaryAllocation(of: gn_event.self, capacity: 128) { events in
            while !turn(events) {}
        }
    }

    /// One turn; true when the loop is over.
    private func turn(_ events: UnsafeMutableBufferPointer<gn_event>) -> Bool {
        let ready = wait(events)
        readClocks()
        for event in ready { members[event.token]?.isReady(Readiness(rawValue: event.kind)) }
        readOn()
        while let token = timers.popDue(now.awake) { members[token]?.timeHasCome(now) }
        let worked = runNotesAndJobs()
        flushAll()
        if !ready.isEmpty || worked { lastActive = now.awake }
        return isOver()
    }

    private func wait(_ events: UnsafeMutableBufferPointer<gn_event>) -> UnsafeMutableBufferPointer<gn_event>.SubSequence {
        let timeout = timeToWait()
        var count = 0
        var error = gn_error()
        let outcome = gn_poller_wait(poller, events.baseAddress, events.count, timeout, &count, &error)
        if timeout != 0 { sleeps.store(false, ordering: .relaxed) }
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
        guard let next = timers.earliest else { return .max }  // GN_WAIT_FOR_EVER
        // What the turn has used up of this is too little to read the clock again; a timer that comes early looks at the time and is armed anew.
        return next > lastWork ? next - lastWork : 0
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
        let waiters: [CheckedContinuation<Void, Never>]? = inbox.withLock { inbox in
            mayBeOver = inbox.phase == .stopping
            guard inbox.phase == .stopping, inbox.jobs.isEmpty, inbox.notes.isEmpty, localJobs.isEmpty else { return nil }
            inbox.phase = .stopped
            defer { inbox.stopWaiters = [] }
            return inbox.stopWaiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume() }
        return true
    }
}

/// Memory that the members of a loop share; loop only.
package final class LoopScratch {
    /// What one read takes at most.
    package static let readSize = 256 * 1024

    package let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LoopScratch.readSize, alignment: 64)
    @exclusivity(unchecked) package var output = OutputBuffer()
    @exclusivity(unchecked) package var actions: [Action] = []

    init() {}

    deinit { readBuffer.deallocate() }
}
