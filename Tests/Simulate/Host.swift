// The machine on which everything runs: one thread, a virtual clock, and a scheduler that draws who comes next.
//
// Three kinds of work lie ready: turns of event loops, jobs of tasks that prefer no loop, and what the agenda says for this moment. While there is some, the clock stands, but for a few
// microseconds that work may take; when there is none it jumps to the next timer. So hours cost nothing, and which of two things happens first follows from the seed, as on a real machine it
// follows from the weather.

import CTestSupport
import GinnelCore
import GinnelTesting
import GinnelTransport

/// `@unchecked Sendable`: one thread touches it.
final class Host: Simulator, @unchecked Sendable {
    /// Who takes the jobs of this process.
    nonisolated(unsafe) private static var current: Host?

    private(set) var now: UInt64 = 1_000_000_000
    /// Draws that belong to nobody else: how long things take, which portions come.
    var random: SplitMix64
    private var order: SplitMix64
    private var agenda = Agenda()
    private var loops: [EventLoop] = []
    private var jobs: [UnownedJob] = []
    private lazy var pool = Pool(self)
    private var sleepers: [UInt64: CheckedContinuation<Void, Never>] = [:]
    private var lastSleeper: UInt64 = 0
    /// Who is connected when a program asks for it.
    var connects: (String) throws -> any Channel = { _ in throw GinnelError(.notFound, "there is no network") }
    /// One sleep in so many is slept for ever: a fault.
    var timersLost = 0
    private let clockLimit: UInt64
    private var stepsLeft = 3_000_000

    init(seed: UInt64, seconds: UInt64) {
        random = SplitMix64(seed: seed ^ 0x51)
        order = SplitMix64(seed: seed ^ 0x52)
        clockLimit = now + seconds * 1_000_000_000
        Simulation.seedChance(seed ^ 0x53)
        Simulation.setClocks(to: now)
    }

    /// Takes over threads, timers and connections of this process, for itself and whoever is made after it. False where the runtime does not let it.
    func takeOver() -> Bool {
        Host.current = self
        Simulation.simulator = self
        return ts_take_jobs { job in
            if let job { Host.current?.enqueue(unsafeBitCast(job, to: UnownedJob.self)) }
        }
    }

    // MARK: The course of things

    /// Goes on until `isOver`. False when nothing can happen any more before, or nothing but the same for ever.
    func run(until isOver: () -> Bool) -> Bool {
        while !isOver() {
            while let action = agenda.popDue(now) { action() }
            if !step() {
                let next = loops.reduce(agenda.next) { earliest, loop in [earliest, loop.nextTimer].compactMap(\.self).min() }
                guard let next, next < clockLimit else { return false }
                pass(to: next)
            }
            stepsLeft -= 1
            if stepsLeft == 0 { return false }
        }
        return true
    }

    /// Something that lies ready; false when nothing does.
    private func step() -> Bool {
        let due = loops.indices.filter { loops[$0].isDue(at: now) }
        let choices = due.count + min(jobs.count, 2)
        guard choices > 0 else { return false }
        let choice = choices == 1 ? 0 : order.number(in: 0...choices - 1)
        if choice < due.count {
            let loop = loops[due[choice]]
            if loop.simulateTurn() { loops.removeAll { $0 === loop } }
        } else {
            jobs.remove(at: order.number(in: 0...jobs.count - 1)).runSynchronously(on: pool.asUnownedTaskExecutor())
        }
        if order.oneIn(4) { pass(to: now + UInt64(order.number(in: 0...20_000))) }
        return true
    }

    private func pass(to time: UInt64) {
        now = max(now, time)
        Simulation.setClocks(to: now)
    }

    /// No loop is left, nobody sleeps and nothing lies ready.
    var isIdle: Bool { loops.isEmpty && jobs.isEmpty && sleepers.isEmpty }

    /// Forgets what was still to happen, and with it those who would have done it.
    func clear() { agenda = Agenda() }

    /// Does something after so many nanoseconds.
    func after(_ delay: UInt64, _ action: @escaping () -> Void) { agenda.add(at: now + delay, action) }

    /// Some time between nothing and so many nanoseconds.
    func someTime(_ most: Int) -> UInt64 { UInt64(random.number(in: 0...max(most, 1))) }

    // MARK: Simulator

    func adopt(_ loop: EventLoop) { loops.append(loop) }

    func enqueue(_ job: UnownedJob) { jobs.append(job) }

    func connect(to name: String) throws -> any Channel { try connects(name) }

    func sleep(for duration: Duration) async throws {
        lastSleeper += 1
        let number = lastSleeper
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume() }
                sleepers[number] = continuation
                if timersLost > 0, order.oneIn(timersLost) { return }
                agenda.add(at: now.adding(duration.wholeNanoseconds)) { [self] in wake(number) }
            }
        } onCancel: {
            wake(number)
        }
        try Task.checkCancellation()
    }

    private func wake(_ number: UInt64) { sleepers.removeValue(forKey: number)?.resume() }
}

/// Where jobs run that prefer nothing: what they make in turn goes the same way.
private final class Pool: TaskExecutor {
    private unowned let host: Host

    init(_ host: Host) { self.host = host }

    func enqueue(_ job: consuming ExecutorJob) { host.enqueue(UnownedJob(job)) }
}
