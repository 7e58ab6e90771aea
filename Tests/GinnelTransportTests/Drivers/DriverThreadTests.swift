// Invariants 2, 3 and 5: who does what on which thread, one flusher at a time, and nothing under the lock.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct DriverThreadTests {
    private static let roomy = NativeConfiguration.plain { $0.limits.eventBytes = 64 << 20 }

    /// Most are short, some are longer than a frame.
    private static func message(_ thread: Int, _ number: Int) -> [UInt8] {
        ChannelEnd.pattern((thread + number) % 10 == 0 ? 90_000 : 50, seed: UInt64(thread * 1000 + number))
    }

    @Test func `many threads write, one at a time, and what leaves is whole and in each one's order`() async throws {
        try await withLoop { loop in
            let channel = ScriptedChannel(duringWrite: { spin(.microseconds(20)) })
            var service = try await ScriptedService(on: loop, channel, configuration: Self.roomy)
            let end = service.end
            try await onThreads(8) { thread in
                for number in 0..<60 {
                    end.event("\(thread)", Self.message(thread, number))
                    // Now and then the channel is full for a moment.
                    if number % 20 == thread {
                        channel.setRoom(1000)
                        channel.setRoom(.max)
                    }
                }
            }
            await end.driver.waitForRoom()
            #expect(channel.script.value.overlaps == 0)
            service.listen()
            var counts = [Int](repeating: 0, count: 8)
            for case .event(let name, _, let payload, let missed) in service.peer.actions {
                let thread = Int(name) ?? 0
                #expect(missed == 0)
                #expect(payload == Self.message(thread, counts[thread]))
                counts[thread] += 1
            }
            #expect(counts == [Int](repeating: 60, count: 8))
        }
    }

    @Test func `what another thread says leaves at once, on that thread`() async throws {
        try await withLoop { loop in
            let service = try await ScriptedService(on: loop)
            let held = try await HeldLoop(loop)
            service.end.event("now")
            let script = service.channel.script.value
            held.release()
            #expect(WireFrame.all(in: script.taken).map(\.kind) == [WireFrame.Kind.event])
            #expect(script.writeCount == 1)
        }
    }

    @Test func `a thread with a great deal to say hands over to the loop after 256 KiB`() async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop)
            let channel = service.channel
            let held = try await HeldLoop(loop)
            let message = ChannelEnd.pattern(1_000_000)
            let (thread, written) = {
                service.end.event("large", message)
                return (System.currentThread, channel.script.value.taken.count)
            }()
            #expect(written >= 256 << 10)
            #expect(written < (256 + 128) << 10)
            #expect(channel.script.value.threadsOfWrites() == [thread])
            held.release()
            try await channel.script.wait { $0.taken.count > message.count }
            let loopThread = try await loop.run { System.currentThread }
            #expect(channel.script.value.threadsOfWrites() == [thread, loopThread])
            service.listen()
            #expect(service.peer.actions.contains(.event(name: "large", codec: .raw, payload: message, missed: 0)))
        }
    }

    @Test func `a hundred replies of one turn leave with one write`() async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop)
            let calls = (0..<100).map { service.peer.call("echo", [UInt8($0)]) }
            service.say()
            try await service.channel.script.wait { !$0.taken.isEmpty }
            try await loop.run {}
            #expect(service.channel.script.value.writeCount == 1)
            service.listen()
            for (index, call) in calls.enumerated() { #expect(call.reply == [UInt8(index)]) }
        }
    }

    @Test func `what a note on the loop sends in many pieces leaves with one write at the end of the turn`() async throws {
        try await withLoop { loop in
            let service = try await ScriptedService(on: loop)
            let end = service.end
            let script = service.channel.script
            let during = try await loop.run {
                for number in 0..<100 { end.event("\(number)") }
                return script.value.writeCount
            }
            #expect(during == 0)
            try await loop.run {}
            #expect(script.value.writeCount == 1)
            #expect(WireFrame.all(in: script.value.taken).count == 100)
        }
    }

    @Test func `the delegate hears of everything on the loop's thread, whoever caused it`() async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop)
            let end = service.end
            for number in 0..<50 { _ = service.call([UInt8(number)]) }
            try await onThreads(4) { thread in
                for _ in 0..<50 { end.event("e") }
                if thread == 0 { end.driver.submit(.farewell(Failure(.shuttingDown, ""))) }
            }
            end.driver.submit(.close(Failure(.shuttingDown, "")))
            _ = try await end.ending
            #expect(end.record.value.violations.isEmpty)
        }
    }

    @Test(arguments: [true, false]) func `the end of a call may start the next call, on whatever thread`(onLoop: Bool) async throws {
        try await withLoop { loop in
            let pair = try await DriverPair(PlatformChannel.pair(), clientLoop: loop, serviceLoop: loop)
            let done = Handover<Void>()
            @Sendable func next(_ number: Int) {
                if number == 200 { return done.give() }
                pair.client.call([1], ProbedCall(whenEnded: { next(number + 1) }))
            }
            if onLoop { loop.post { next(0) } } else { next(0) }
            try await done.value
            // A failure is told on the thread of the one who calls, and must find the lock free as well.
            try await pair.close()
            let failed = Handover<Void>()
            pair.client.call([1], ProbedCall(whenEnded: { pair.client.call([2], ProbedCall(whenEnded: { failed.give() })) }))
            try await failed.value
        }
    }

    @Test func `a responder may close the connection in the middle of a batch`() async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop) { request, driver in
                driver.submit(.reply(call: request.call, codec: .raw, payload: request.payload))
                if request.payload == [5] { driver.submit(.close(Failure(.shuttingDown, "enough"))) }
            }
            for number in 0..<10 { service.peer.call("echo", [UInt8(number)]) }
            service.say()
            let ending = try await service.end.ending
            #expect(ending.by == .us && ending.failure.code == .shuttingDown)
            #expect(service.end.record.value.violations.isEmpty)
            #expect(WireFrame.all(in: service.channel.script.value.taken).last?.kind == WireFrame.Kind.goodbye)
        }
    }
}
