// Calls that end before their work is done. On both sides: work that nobody waits for is not carried on.

import Foundation
import Ginnel

extension Step {
    static let deadline = Step(title: "A deadline ends a call on both sides") { stage, narrator in
        try await stage.connected { client in
            let began = clock
            var ending: CallError?
            do {
                _ = try await client.call(Work(label: "deadline"), deadline: .milliseconds(250))
            } catch let error as CallError {
                ending = error
            }
            let waited = clock - began
            try require(ending?.code == .deadlineExceeded, "the call ended with \(ending.map { "\($0)" } ?? "a reply")")
            narrator.say("work of ten seconds, called with a deadline of 250 ms, ends after \(Figure.time(waited)): \(FailureCode.deadlineExceeded)")
            let seen = try await client.call(Seen(label: "deadline", what: .ended, count: 1), deadline: .seconds(5))
            try require(seen.ending == "cancelled" && seen.milliseconds < 5_000, "the service says \(seen)")
            narrator.quote("my handler was \(seen.ending) after \(seen.milliseconds.formatted) ms; it does not work for nobody")
            narrator.note("client_milliseconds", .number(Double(waited) / 1e6))
            narrator.note("service_milliseconds", .number(seen.milliseconds))
        }
    }

    static let cancellation = Step(title: "A client changes its mind") { stage, narrator in
        try await stage.connected { client in
            let (ending, waited) = try await cancelledCall(client, narrator)
            try require(ending?.code == .cancelled, "the call ended with \(ending.map { "\($0)" } ?? "a reply")")
            narrator.say("the call ends at once, after \(Figure.time(waited)): \(FailureCode.cancelled)")
            let seen = try await client.call(Seen(label: "cancelled", what: .ended, count: 1), deadline: .seconds(5))
            try require(seen.ending == "cancelled" && seen.milliseconds < 5_000, "the service says \(seen)")
            narrator.quote("my handler was \(seen.ending) after \(seen.milliseconds.formatted) ms")
            narrator.note("service_milliseconds", .number(seen.milliseconds))
        }
    }

    /// What a call ends with whose task is cancelled once the service has begun it, and how long that takes.
    private static func cancelledCall(_ client: Client, _ narrator: Narrator) async throws -> (CallError?, UInt64) {
        try await withThrowingTaskGroup(of: CallError?.self) { group in
            group.addTask {
                do {
                    _ = try await client.call(Work(label: "cancelled"))
                    return nil
                } catch let error as CallError {
                    return error
                }
            }
            _ = try await client.call(Seen(label: "cancelled", what: .begun, count: 1), deadline: .seconds(5))
            narrator.say("the same work, without a deadline; the service has begun it, and the client's task is cancelled")
            let began = clock
            group.cancelAll()
            let ending = try await group.next() ?? nil
            return (ending, clock - began)
        }
    }
}

extension Double {
    /// With one decimal.
    fileprivate var formatted: String { String(format: "%.1f", self) }
}
