// Loops for the length of a test, and threads that use them.

import Dispatch
import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport

@discardableResult
func withLoop<Result>(_ configuration: LoopConfiguration = .defaults, _ body: (EventLoop) async throws -> Result) async throws -> Result {
    let loop = try EventLoop(name: "test", configuration)
    try loop.start()
    let result = await Swift.Result { () async throws in try await body(loop) }
    await loop.stop()
    return try result.get()
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

/// Keeps a loop's thread busy, so that nothing but what other threads do can happen meanwhile.
struct HeldLoop: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    init(_ loop: EventLoop) async throws {
        let holds = Handover<Void>()
        loop.post { [semaphore] in
            holds.give()
            semaphore.wait()
        }
        try await holds.value
    }

    func release() { semaphore.signal() }
}

/// Runs `body` on `count` threads of its own at the same time and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) async throws {
    let done = Watched(0)
    for index in 0..<count {
        Thread.detachNewThread {
            body(index)
            done.change { $0 += 1 }
        }
    }
    try await done.wait { $0 == count }
}

/// A member that does what a test says.
final class TestMember: LoopMember {
    private let ready: @Sendable (Readiness) -> Void
    private let timed: @Sendable (Moment) -> Void
    private let flushed: @Sendable () -> Void

    init(
        ready: @escaping @Sendable (Readiness) -> Void = { _ in }, timed: @escaping @Sendable (Moment) -> Void = { _ in },
        flushed: @escaping @Sendable () -> Void = {}
    ) {
        self.ready = ready
        self.timed = timed
        self.flushed = flushed
    }

    func isReady(_ readiness: Readiness) { ready(readiness) }
    func timeHasCome(_ now: Moment) { timed(now) }
    func flush() { flushed() }
}

/// Uses the processor for that long.
func spin(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end {}
}
