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
        var stopWaiters: [Note] = []
    }

    let inbox = Guarded(Inbox())
    /// There is something in the inbox: set after it was put there, cleared before it is taken out. Saves a turn without mail the lock.
    let hasMail = Atomic(false)
    /// The thread waits in the poller, or is about to, and must be woken. Whoever brings mail sets `hasMail` and then looks here; the thread sets this and then
    /// looks at `hasMail`: both sequentially consistent, so that one of the two sees the other.
    let sleeps = Atomic(false)
    package let poller: OpaquePointer
    private let name: String
    let engine: Engine
    /// Nanoseconds; 0 where looking would keep the only processor from whoever has something to say.
    let pollingTime: UInt64
    let reportAfter: UInt64
    /// Told when a handler held the loop too long: what, and for how many nanoseconds. Set before `start`.
    package var reportsSlowness: (@Sendable (String, UInt64) -> Void)?
    private var thread: OpaquePointer?
    /// 0 before the thread runs and after: the system gives its number to a later thread.
    let threadNumber = Atomic<UInt64>(0)

    // Loop only. One thread touches these, and no access spans a call that could come back to them, so the run-time check of exclusive access is spared.
    @exclusivity(unchecked) var localJobs: [UnownedJob] = []
    @exclusivity(unchecked) var jobBatch: [UnownedJob] = []
    @exclusivity(unchecked) var members: [UInt64: any LoopMember] = [:]
    @exclusivity(unchecked) private var nextToken: UInt64 = 1
    @exclusivity(unchecked) var timers = TimerHeap()
    @exclusivity(unchecked) var toFlush = MemberBatches()
    @exclusivity(unchecked) var toRead = MemberBatches()
    @exclusivity(unchecked) var quiet = QuietSources()
    /// Members that are to be told, those above all whose quiet sources have something.
    @exclusivity(unchecked) var roused: [UInt64] = []
    @exclusivity(unchecked) var rousedBatch: [UInt64] = []
    /// When the poller was last asked while there were quiet sources, on the awake clock.
    @exclusivity(unchecked) var polledAt: UInt64 = 0
    /// Now, as of the beginning of the turn or the last handler.
    @exclusivity(unchecked) package internal(set) var now = Moment.now
    @exclusivity(unchecked) var lastWork: UInt64 = 0
    /// `stop` was called, or may have been.
    @exclusivity(unchecked) var mayBeOver = false
    @exclusivity(unchecked) var lastActive: UInt64 = 0
    @exclusivity(unchecked) var clocksReadAt: UInt64 = 0
    @exclusivity(unchecked) var clockDifference: UInt64 = 0
    /// Memory that members share, since one of them works at a time.
    package let scratch: LoopScratch

    package init(name: String, _ configuration: LoopConfiguration = .defaults, engine: Engine = .reactor) throws {
        var poller: OpaquePointer?
        var error = gn_error()
        guard gn_poller_open(engine.pollerKind, &poller, &error) == GN_DONE, let poller else {
            throw GinnelError(.init(error.code), "no event loop", cause: SystemError(error))
        }
        self.poller = poller
        self.name = name
        self.engine = engine
        scratch = LoopScratch(readSize: engine.readSize)
        pollingTime = engine == .reactor && System.processors > 1 ? configuration.polling.wholeNanoseconds : 0
        reportAfter = configuration.reportAfter.wholeNanoseconds
    }

    deinit { gn_poller_close(poller) }

    // MARK: Beginning and end

    package func start() throws {
        inbox.withLock { $0.phase = .running }
        if let simulator = Simulation.simulator { return simulator.adopt(self) }
        var error = gn_error()
        let context = Unmanaged.passRetained(self)
        let outcome = gn_thread_start(
            name, engine.stackSize,
            { context in
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
        await withCheckedContinuation { continuation in beginStopping { continuation.resume() } }
        join()
    }

    /// The same without waiting: `whenStopped` is called after the last job, on the loop's thread, or at once when the loop has stopped. Somebody has to `join` then.
    package func beginStopping(_ whenStopped: @escaping Note) {
        let isOver = inbox.withLock { inbox in
            guard inbox.phase == .running || inbox.phase == .stopping else { return true }
            inbox.phase = .stopping
            inbox.stopWaiters.append(whenStopped)
            return false
        }
        if isOver { whenStopped() } else { noteMail() }
    }

    /// Waits until the thread of a loop that has stopped is gone, which it is at any moment. Not on that thread.
    package func join() { if let thread = inbox.withLock({ _ in thread.take() }) { gn_thread_join(thread) } }

    /// Whether the calling thread is the loop's.
    public var isCurrent: Bool { threadNumber.load(ordering: .relaxed) == gn_thread_current() }

    // MARK: From any thread

    /// Runs `note` on the loop, in the order of posting; never, when the loop has stopped.
    package func post(_ note: @escaping Note) { _ = postUnlessStopped(note) }

    /// The same; false when the loop has stopped.
    package func postUnlessStopped(_ note: @escaping Note) -> Bool {
        let isTaken = inbox.withLock { inbox in
            guard inbox.phase != .stopped else { return false }
            inbox.notes.append(note)
            return true
        }
        if isTaken { noteMail() }
        return isTaken
    }

    /// The inbox has something new.
    func noteMail() {
        hasMail.store(true, ordering: .sequentiallyConsistent)
        if sleeps.load(ordering: .sequentiallyConsistent), sleeps.exchange(false, ordering: .sequentiallyConsistent) { gn_poller_wake(poller) }
    }

    /// Runs `body` on the loop and waits for it. Throws `.notRunning` when the loop has stopped.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let isTaken = postUnlessStopped { continuation.resume(with: Swift.Result(catching: body)) }
            if !isTaken { continuation.resume(throwing: GinnelError(.notRunning, "the event loop has stopped")) }
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

    /// `source` has found nothing; its member hears of the next thing, by polling or by the doorbell.
    package func watchQuietly(_ source: any QuietSource, _ token: UInt64) { quiet.append(source, token) }

    /// The member of this token is told in this turn or the next that it may read and write.
    package func rouse(_ token: UInt64) { roused.append(token) }

    /// The source has ended.
    package func watchNoLonger(_ source: any QuietSource) { quiet.remove(source) }

    package func member(_ token: UInt64) -> (any LoopMember)? { members[token] }

    /// A handler has run on this thread; reports it when it took long. Returns nothing but keeps `now` fresh, so that each handler costs one look at
    /// the clock.
    package func noteWork(_ what: @autoclosure () -> String) {
        let awake = gn_clock_awake()
        let took = awake &- lastWork
        if took > reportAfter { reportsSlowness?(what(), took) }
        lastWork = awake
        now = Moment(awake: awake, continuous: awake &+ clockDifference)
    }
}
