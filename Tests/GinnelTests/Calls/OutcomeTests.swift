// What a caller may conclude from the error of its call: never that nothing was done when something was.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct OutcomeTests {
    @Test func `how a call inside a handler ended is not how its caller's call ended`() async throws {
        try await withRunning {
            $0.handle("outer") { _, context async throws -> [UInt8] in
                // Clients have no methods: this ends with unknownMethod, which says that nothing was done.
                try await context.connection.call("inner", payload: []).bytes
            }
        } _: { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call("outer", payload: []) }
                #expect(caught.code == .internal)
                #expect(caught.outcome == .failed)
                #expect(!caught.sentence.contains("ginnel.describe"))
            }
        }
    }

    @Test func `a handler's own words reach its caller, but for those that only a caller can know`() async throws {
        try await withRunning {
            $0.handle("own") { _, _ in throw CallError(FailureCode(rawValue: 1234), "no such display") }
            $0.handle("lost") { _, _ in throw CallError(.connectionLost, "made up") }
        } _: { running in
            try await running.connect { client in
                let own = try await errorOf(CallError.self) { _ = try await client.call("own", payload: []) }
                #expect(own == CallError(FailureCode(rawValue: 1234), "no such display"))
                let lost = try await errorOf(CallError.self) { _ = try await client.call("lost", payload: []) }
                #expect(lost.code == .internal)
            }
        }
    }

    @Test func `waiting for a connection is part of a call's time`() async throws {
        try await withDirectory { directory in
            let listener = try RawListener(at: directory + "/s")
            let client = Client(to: .path(listener.path))
            async let running: Void = client.run()
            // Accepted, and not a word of a handshake.
            let silent = try await listener.accept()
            let caught = try await errorOf(CallError.self) { _ = try await client.call("any", payload: [], deadline: .milliseconds(20)) }
            #expect(caught.code == .deadlineExceeded)
            silent.close()
            _ = try? await running
        }
    }
}
