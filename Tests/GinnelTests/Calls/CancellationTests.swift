// Cancelling a task ends the work at the other side, and so does leaving.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct CancellationTests {
    /// What a handler named `wait` has come to.
    private struct Handler {
        let begun = Recorded<Void>()
        let cancelled = Recorded<Void>()

        func add(to service: Service, on executor: HandlerExecutor = .loop) {
            service.handle("wait", on: executor) { [begun, cancelled] _, _ async throws -> [UInt8] in
                begun.signal()
                await DeadlineTests.waitForCancellation()
                cancelled.signal()
                return [1]
            }
        }
    }

    @Test(arguments: [HandlerExecutor.loop, .concurrent]) func `cancelling the caller's task cancels the handler`(executor: HandlerExecutor) async throws {
        let handler = Handler()
        try await withRunning {
            handler.add(to: $0, on: executor)
        } _: { running in
            try await running.connect { client in
                let caller = Task { try await client.call("wait", payload: []) }
                try await handler.begun.wait()
                caller.cancel()
                let caught = try await errorOf(CallError.self) { _ = try await caller.value }
                #expect(caught.code == .cancelled)
                try await handler.cancelled.wait()
                try await client.checkIsServed()
            }
        }
    }

    @Test func `a call made by a cancelled task is not begun`() async throws {
        let handler = Handler()
        try await withRunning {
            handler.add(to: $0)
        } _: { running in
            try await running.connect { client in
                let gate = Recorded<Void>()
                let caller = Task {
                    try? await gate.wait()
                    return try await client.call("wait", payload: [])
                }
                caller.cancel()
                gate.signal()
                let caught = try await errorOf(CallError.self) { _ = try await caller.value }
                #expect(caught.code == .cancelled)
                _ = try await client.call("echo", payload: [])
                #expect(handler.begun.count == 0)
            }
        }
    }

    @Test func `a peer that goes away cancels its handlers`() async throws {
        let handler = Handler()
        try await withRunning {
            handler.add(to: $0)
        } _: { running in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(.request(1, "wait"), .request(3, "wait"))
            try await handler.begun.wait(for: 2)
            peer.close()
            try await handler.cancelled.wait(for: 2)
        }
    }

    @Test func `a CANCEL is answered with one failure`() async throws {
        let handler = Handler()
        try await withRunning {
            handler.add(to: $0)
        } _: { running in
            let peer = try await RawPeer.greeted(at: running.path)
            try await peer.send(.request(1, "wait"))
            try await handler.begun.wait()
            try await peer.send(WireFrame(WireFrame.Kind.cancel, stream: 1, WireFrame.u32(1)))
            #expect(try await peer.frame()?.failureCode == FailureCode.cancelled.rawValue)
            // Nothing else came for that call before the answer to the next.
            let next = try await peer.call("echo", [5], stream: 3)
            #expect(next?.stream == 3 && next?.payload == [5])
        }
    }

    @Test func `cancelling the task of a scoped client ends its body, its connection and the handler`() async throws {
        let handler = Handler()
        try await withRunning {
            handler.add(to: $0)
        } _: { running in
            let program = Task {
                try await running.connect { client in _ = try await client.call("wait", payload: []) }
            }
            try await handler.begun.wait()
            program.cancel()
            let caught = try await errorOf(CallError.self) { try await program.value }
            #expect(caught.code == .cancelled)
            try await handler.cancelled.wait()
            try await running.log.entry("a connection ended")
            #expect(running.service.connections.isEmpty)
        }
    }

    @Test func `a thousand calls that are cancelled while they race with their answers each end once`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let ends = await withTaskGroup(of: Bool.self) { group in
                    for number in 0..<1000 {
                        group.addTask { (try? await client.call("echo_async", payload: [UInt8(truncatingIfNeeded: number)])) != nil }
                    }
                    var ends = 0
                    for await _ in group {
                        ends += 1
                        if ends == 100 { group.cancelAll() }
                    }
                    return ends
                }
                #expect(ends == 1000)
                try await client.checkIsServed()
            }
        }
    }
}
