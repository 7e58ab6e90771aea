import GinnelTesting
import Testing

@testable import GinnelTransport

@Suite(.timeLimit(.minutes(5))) struct EventLoopEndTests {
    @Test func `a loop that stops runs first what waits`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        let count = Watched(0)
        let held = try await HeldLoop(loop)
        for _ in 0..<100 { loop.post { count.change { $0 += 1 } } }
        let tasks = (0..<100).map { _ in Task(executorPreference: loop) { count.change { $0 += 1 } } }
        let stopping = Task { await loop.stop() }
        held.release()
        await stopping.value
        for task in tasks { await task.value }
        #expect(count.value == 200)
    }

    @Test func `several may stop a loop, and all of them return`() async throws {
        for _ in 0..<20 {
            let loop = try EventLoop(name: "test")
            try loop.start()
            await withTaskGroup { group in
                for _ in 0..<4 { group.addTask { await loop.stop() } }
            }
            await loop.stop()
        }
    }

    @Test func `a task that prefers the loop may stop it, and goes on elsewhere`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        await withTaskExecutorPreference(loop) {
            #expect(loop.isCurrent)
            await loop.stop()
            #expect(!loop.isCurrent)
        }
    }

    @Test func `tasks of a loop that has stopped run elsewhere`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        await loop.stop()
        let isCurrent = await Task(executorPreference: loop) {
            await Task.yield()
            return loop.isCurrent
        }.value
        #expect(!isCurrent)
    }

    @Test func `a thread that was started after the loop's end is not taken for its thread`() async throws {
        // The system gives a new thread the memory, and with it the number, of one that has ended.
        for _ in 0..<50 {
            let loop = try EventLoop(name: "test")
            try loop.start()
            await loop.stop()
            let mistaken = Watched(0)
            try await onThreads(2) { _ in if loop.isCurrent { mistaken.change { $0 += 1 } } }
            #expect(mistaken.value == 0)
        }
    }

    @Test func `a note for a loop that has stopped is dropped, and whoever would wait for it is told`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        await loop.stop()
        loop.post { Issue.record("a note ran on a loop that has stopped") }
        let error = await #expect(throws: GinnelError.self) { try await loop.run {} }
        #expect(error?.code == .notRunning)
    }

    @Test func `a scoped loop runs its body on itself and gives back what it returns`() async throws {
        let (loop, isCurrent) = try await EventLoop.run { loop in (loop, loop.isCurrent) }
        #expect(isCurrent)
        await #expect(throws: GinnelError.self) { try await loop.run {} }
    }

    @Test func `a scoped loop throws what its body throws, and is over then`() async throws {
        let kept = Watched<EventLoop?>(nil)
        await #expect(throws: CancellationError.self) {
            try await EventLoop.run { loop in
                kept.change { $0 = loop }
                throw CancellationError()
            }
        }
        await #expect(throws: GinnelError.self) { try await kept.value?.run {} }
    }

    @Test func `a group hands out its loops one after the other`() async throws {
        let group = try await EventLoopGroup.start(name: "test", count: 3, .defaults)
        let names = (0..<6).map { _ in ObjectIdentifier(group.next()) }
        #expect(Set(names).count == 3)
        #expect(names[..<3] == names[3...])
        await group.stop()
    }
}
