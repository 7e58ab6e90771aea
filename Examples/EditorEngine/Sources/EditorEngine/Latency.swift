// How long a round trip takes, measured here and now.

import Foundation
import Ginnel

struct Latency: Sendable {
    let directory: String

    private struct Result {
        /// Half of the round trips took at most this long, and 99 of 100.
        let half: Duration
        let nearlyAll: Duration

        init(_ times: [Duration]) {
            let sorted = times.sorted()
            half = sorted[sorted.count / 2]
            nearlyAll = sorted[sorted.count * 99 / 100]
        }
    }

    func show() async throws {
        let small = [UInt8](repeating: 7, count: 64)
        let rows: [(String, (Waiting) async throws -> Result)] = [
            ("64 bytes there and back, socket", { try await calls("echo", small, .nativeSocket, $0, 2_000) }),
            ("64 bytes there and back, shared memory", { try await calls("echo", small, .nativeSharedMemory, $0, 2_000) }),
            ("200 KB in a call, socket", { try await calls("context", Context.text, .nativeSocket, $0, 500) }),
            ("200 KB in a call, shared memory", { try await calls("context", Context.text, .nativeSharedMemory, $0, 500) }),
            ("200 KB in place, shared memory", { try await contexts($0, 500) }),
            ("of that, reading the 200 KB", { _ in try await reading(500) }),
        ]
        say("how long until the answer is there, in microseconds\(Self.isBuiltForDebugging ? ", built for debugging, which takes several times as long" : ""):")
        say(line("", "both sides sleep", "both look for 50 µs first"))
        say(line("", columns("half", "99 of 100"), columns("half", "99 of 100")))
        for (name, measure) in rows {
            let (asleep, looking) = (try await measure(.asleep), try await measure(.looking))
            say(line(name, columns(asleep), columns(looking)))
        }
    }

    // MARK: Measuring

    private func calls(_ method: String, _ payload: [UInt8], _ way: Way, _ waiting: Waiting, _ count: Int) async throws -> Result {
        try await Client.connect(to: way.endpoint(waiting, in: directory), configuration: way.configuration(waiting)) { engine in
            let result = try await Self.measure(count) { _ = try await engine.call(method, payload: payload) }
            guard engine.transport == (way == .nativeSocket ? .socket : .sharedMemory) else { throw GinnelError(.unsupported, "the connection stayed on the socket") }
            return result
        }
    }

    private func contexts(_ waiting: Waiting, _ count: Int) async throws -> Result {
        try await Context(directory: directory).connect(waiting) { stream in
            try await Self.measure(count) { _ = try await Context.handOver(through: stream) }
        }
    }

    /// What the engine does with each context, done here.
    private func reading(_ count: Int) async throws -> Result {
        let text = Context.text
        return try await Self.measure(count) { _ = Context.summary(of: text.span.bytes) }
    }

    #if DEBUG
    private static let isBuiltForDebugging = true
    #else
    private static let isBuiltForDebugging = false
    #endif

    /// The first tenth is for warming up.
    private static func measure(_ wanted: Int, _ roundTrip: () async throws -> Void) async throws -> Result {
        let count = isBuiltForDebugging ? wanted / 10 : wanted
        var times: [Duration] = []
        for number in 0..<count + count / 10 {
            let began = ContinuousClock.now
            try await roundTrip()
            if number >= count / 10 { times.append(ContinuousClock.now - began) }
        }
        return Result(times)
    }

    // MARK: The table

    private func line(_ name: String, _ first: String, _ second: String) -> String { "  \(pad(name, 38)) | \(pad(first, 20)) | \(second)" }
    private func columns(_ result: Result) -> String { columns(microseconds(result.half), microseconds(result.nearlyAll)) }
    private func columns(_ first: String, _ second: String) -> String { "\(pad(first, 9))\(second)" }
    private func pad(_ text: String, _ width: Int) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
    private func microseconds(_ time: Duration) -> String { String(format: "%.1f", time / .microseconds(1)) }
}
