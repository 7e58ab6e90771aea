import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

private actor Resident {
    let loop: EventLoop
    var numbers: [Int] = []

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func isOnLoop() -> Bool { loop.isCurrent }

    func note(_ number: Int) { numbers.append(number) }

    nonisolated func countWithoutWaiting() -> Int { assumeIsolated { $0.numbers.count } }
}

@Suite(.timeLimit(.minutes(5))) struct EventLoopExecutorTests {
    @Test func `an actor whose executor is the loop runs on its thread`() async throws {
        try await withLoop { loop in
            let resident = Resident(loop)
            #expect(await resident.isOnLoop())
            #expect(!loop.isCurrent)
        }
    }

    @Test func `code on the loop's thread may assume the isolation of an actor that lives there`() async throws {
        try await withLoop { loop in
            let resident = Resident(loop)
            await resident.note(1)
            let result = try await loop.run { resident.countWithoutWaiting() }
            #expect(result == 1)
        }
    }

    @Test func `an actor on the loop is never in two places at once`() async throws {
        try await withLoop { loop in
            let resident = Resident(loop)
            await withTaskGroup { group in
                for number in 0..<1000 { group.addTask { await resident.note(number) } }
            }
            #expect(await resident.numbers.sorted() == Array(0..<1000))
        }
    }

    @Test func `a task that prefers the loop stays on it across its pauses, and so do its children`() async throws {
        try await withLoop { loop in
            await withTaskExecutorPreference(loop) {
                #expect(loop.isCurrent)
                await Task.yield()
                #expect(loop.isCurrent)
                async let child = loop.isCurrent
                #expect(await child)
                await withTaskGroup { group in
                    for _ in 0..<10 { group.addTask { loop.isCurrent } }
                    for await isCurrent in group { #expect(isCurrent) }
                }
            }
        }
    }

    @Test func `jobs run in the order in which they came`() async throws {
        try await withLoop { loop in
            let order = Watched([Int]())
            let held = try await HeldLoop(loop)
            for number in 0..<200 { Task(executorPreference: loop) { order.change { $0.append(number) } } }
            held.release()
            let ran = try await order.wait { $0.count == 200 }
            #expect(ran == Array(0..<200))
        }
    }

    @Test func `tasks that resume each other without end let notes, timers and channels have their turn`() async throws {
        try await withLoop { loop in
            let isOver = Watched(false)
            let busy = Task(executorPreference: loop) { while !isOver.value { await Task.yield() } }

            let timed = Handover<Void>()
            try await loop.run {
                let token = loop.add(TestMember(timed: { _ in timed.give() }))
                loop.arm(token, at: loop.now.awake + 1_000_000)
            }
            try await timed.value

            let (near, far) = try PlatformChannel.pair()
            let ready = Handover<Void>()
            try await loop.run { try near.attach(to: loop, token: loop.add(TestMember(ready: { _ in ready.give() }))) }
            _ = [1].withUnsafeBytes { far.write($0) }
            try await ready.value

            try await loop.run { near.abort() }
            isOver.change { $0 = true }
            await busy.value
        }
    }
}
