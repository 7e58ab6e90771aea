// Deadlines end a call on both sides and are handed on to the calls that a handler makes.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct DeadlineTests {
    /// Waits until its task is cancelled.
    static func waitForCancellation() async {
        let forEver = AsyncStream<Void> { _ in }
        for await _ in forEver {}
    }

    @Test(arguments: [HandlerExecutor.loop, .concurrent]) func `a deadline ends the call and cancels the handler`(executor: HandlerExecutor) async throws {
        let cancelled = Recorded<Bool>()
        try await withRunning {
            $0.handle("wait", on: executor) { _, _ async throws -> [UInt8] in
                await Self.waitForCancellation()
                cancelled.append(Task.isCancelled)
                return []
            }
        } _: { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call("wait", payload: [], deadline: .milliseconds(20)) }
                #expect(caught.code == .deadlineExceeded)
                #expect(caught.outcome == .unknown)
                try await cancelled.wait { $0.count == 1 }
                #expect(cancelled.all == [true])
                try await client.checkIsServed()
            }
        }
    }

    @Test func `the service ends its own task when a caller forgets to`() async throws {
        let cancelled = Recorded<Void>()
        try await withRunning {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                await Self.waitForCancellation()
                cancelled.signal()
                return []
            }
        } _: { running in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(.request(1, "wait", timeLeft: 10_000_000))
            try await cancelled.wait()
            let frame = try await peer.frame()
            #expect(frame?.kind == 6)
            #expect(frame?.failureCode == FailureCode.deadlineExceeded.rawValue)
        }
    }

    @Test func `a handler knows what is left, and there is nothing where no deadline is`() async throws {
        let seen = Recorded<Duration?>()
        try await withRunning {
            $0.handle("plain") { _, context in
                seen.append(context.timeLeft)
                return []
            }
            $0.handle("async") { _, context async throws -> [UInt8] in
                seen.append(context.timeLeft)
                seen.append(CallContext.deadline)
                return []
            }
        } _: { running in
            try await running.connect { client in
                _ = try await client.call("plain", payload: [])
                _ = try await client.call("async", payload: [])
                #expect(seen.all == [nil, nil, nil])
                _ = try await client.call("plain", payload: [], deadline: .seconds(600))
                _ = try await client.call("async", payload: [], deadline: .seconds(600))
                for left in seen.all.dropFirst(3) {
                    let left = try #require(left)
                    #expect(left > .seconds(500) && left < .seconds(600))
                }
                #expect(CallContext.deadline == nil)
            }
        }
    }

    @Test func `the time that the caller has held its loop is not added to its deadline`() async throws {
        try await withRunning {
            $0.handle("left") { _, context in withUnsafeBytes(of: (context.timeLeft ?? .zero) < .seconds(600)) { [UInt8]($0) } }
        } _: { running in
            try await running.connect { client in
                let clock = ContinuousClock()
                let end = clock.now + .milliseconds(20)
                while clock.now < end {}
                let reply = try await client.call("left", payload: [], deadline: .seconds(600))
                #expect(reply.bytes == [1])
            }
        }
    }

    @Test func `a deadline is handed on and shrinks with every hop`() async throws {
        let seen = Recorded<Duration>()
        let innermost = Recorded<Void>()
        try await withRunning {
            $0.handle("end") { _, context async throws -> [UInt8] in
                seen.append(context.timeLeft ?? .zero)
                await Self.waitForCancellation()
                innermost.signal()
                return []
            }
        } _: { third in
            try await third.connect { toThird in
                try await withRunning {
                    $0.handle("middle") { _, context async throws -> [UInt8] in
                        seen.append(context.timeLeft ?? .zero)
                        // The longer of two deadlines does not count.
                        return try await toThird.call("end", payload: [], deadline: .seconds(3600)).bytes
                    }
                } _: { second in
                    try await second.connect { client in
                        let caught = try await errorOf(CallError.self) { _ = try await client.call("middle", payload: [], deadline: .milliseconds(300)) }
                        #expect(caught.code == .deadlineExceeded)
                        try await innermost.wait()
                        let left = seen.all
                        #expect(left.count == 2)
                        #expect(left[0] < .milliseconds(300) && left[1] < left[0])
                    }
                }
            }
        }
    }

    @Test func `a shorter deadline of an inner call counts`() async throws {
        try await withRunning {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                await Self.waitForCancellation()
                return []
            }
        } _: { inner in
            try await inner.connect { toInner in
                try await withRunning {
                    $0.handle("outer") { _, _ async throws -> [UInt8] in
                        do {
                            return try await toInner.call("wait", payload: [], deadline: .milliseconds(10)).bytes
                        } catch let error as CallError {
                            return Array("\(error.code)".utf8)
                        }
                    }
                } _: { outer in
                    try await outer.connect { client in
                        let reply = try await client.call("outer", payload: [], deadline: .seconds(600))
                        #expect(String(decoding: reply.bytes, as: UTF8.self) == "deadlineExceeded")
                    }
                }
            }
        }
    }

    @Test(arguments: [Duration.zero, .seconds(-5)]) func `a deadline that has passed ends the call before it begins`(deadline: Duration) async throws {
        try await withRunning { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: [], deadline: deadline) }
                #expect(caught.code == .deadlineExceeded)
            }
        }
    }

    @Test func `a deadline beyond all time is none that hurts`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let forEver = Duration.seconds(Int64.max)
                for method in ["echo", "echo_async"] {
                    let reply = try await client.call(method, payload: [1], deadline: forEver)
                    #expect(reply.bytes == [1])
                }
            }
        }
    }

    @Test func `a stream ends at its deadline`() async throws {
        let cancelled = Recorded<Void>()
        struct Ticks: StreamRequest {
            typealias Item = Sum
            static let method = "ticks"
        }
        try await withRunning {
            $0.handle(Ticks.self) { _, _, writer in
                try await writer.send(Sum(value: 1))
                await Self.waitForCancellation()
                cancelled.signal()
            }
        } _: { running in
            try await running.connect { client in
                var values: [Int] = []
                let caught = try await errorOf(CallError.self) {
                    for try await item in try await client.open(Ticks(), deadline: .milliseconds(50)) { values.append(item.value) }
                }
                #expect(caught.code == .deadlineExceeded)
                #expect(values == [1] || values.isEmpty)
                try await cancelled.wait()
            }
        }
    }
}
