// What both processes do: call, serve, send, receive, and compare.

import Ginnel
import GinnelTesting
import GinnelTransport

/// Something that is not as it should be.
struct Mismatch: Error, CustomStringConvertible {
    let description: String
}

enum Traffic {
    /// The method that both sides serve: the same bytes, back to front.
    static let method = "turn"

    static func turn(_ bytes: [UInt8]) -> [UInt8] { bytes.reversed() }

    /// Calls one after the other and compares; how many were answered. Throws the error of the call that failed, or a mismatch.
    static func call(_ plan: Plan, _ way: UInt64, _ tally: Tally, _ call: (String, [UInt8]) async throws -> [UInt8]) async throws {
        var payloads = plan.bytes(way, longest: plan.longestCall)
        var pauses = Pauses(plan.seed &+ way)
        for number in 0..<plan.calls {
            let payload = payloads.next()
            let reply = try await call(method, payload)
            guard reply == turn(payload) else { throw Mismatch(description: "the reply to call \(number) of caller \(way) is not what it should be") }
            tally.note(calls: 1, bytes: payload.count)
            await pauses.pause()
        }
    }

    /// Sends all messages of one way.
    static func send(_ plan: Plan, _ way: UInt64, to stream: SharedMemoryStream) async throws {
        var messages = plan.bytes(way, longest: plan.longestMessage)
        var pauses = Pauses(plan.seed &+ way)
        for _ in 0..<plan.messages {
            try await stream.send(messages.next())
            await pauses.pause()
        }
    }

    /// Receives all messages of one way and compares. Throws what ends it before; `closed` when the peer ended the stream early.
    static func receive(_ plan: Plan, _ way: UInt64, _ tally: Tally, from stream: SharedMemoryStream) async throws {
        var messages = plan.bytes(way, longest: plan.longestMessage)
        var pauses = Pauses(plan.seed &+ 7 &* way)
        for number in 0..<plan.messages {
            guard let message = try await stream.receive() else { throw GinnelError(.closed, "the stream ended before message \(number) of \(plan.messages)") }
            guard message == messages.next() else { throw Mismatch(description: "message \(number) of stream \(way) is not what it should be") }
            tally.note(messages: 1, bytes: message.count)
            await pauses.pause()
        }
    }

    /// Both at once on one stream.
    static func exchange(_ plan: Plan, out: UInt64, in way: UInt64, _ tally: Tally, on stream: SharedMemoryStream) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await send(plan, out, to: stream) }
            group.addTask { try await receive(plan, way, tally, from: stream) }
            try await group.waitForAll()
        }
    }
}

/// What was done so far.
final class Tally: Sendable {
    struct Counts: Sendable {
        var rounds = 0
        var kills = 0
        var calls = 0
        var messages = 0
        var bytes = 0
    }

    private let state = Guarded(Counts())

    var counts: Counts { state.withLock { $0 } }

    func note(rounds: Int = 0, kills: Int = 0, calls: Int = 0, messages: Int = 0, bytes: Int = 0) {
        state.withLock { counts in
            counts.rounds += rounds
            counts.kills += kills
            counts.calls += calls
            counts.messages += messages
            counts.bytes += bytes
        }
    }
}

extension Tally.Counts: CustomStringConvertible {
    var description: String { "\(rounds) rounds, \(kills) of them with a kill, \(calls) calls, \(messages) messages, \(bytes >> 20) MiB" }
}
