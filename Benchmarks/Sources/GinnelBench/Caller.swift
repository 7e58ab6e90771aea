// A connected client and the place to call it from: the body of its `connect`, where a call costs no change of thread, whichever engine there is.

import Ginnel

struct Caller: Sendable {
    private typealias Job = @Sendable (Client) async -> Void

    let client: Client
    private let jobs: AsyncStream<Job>.Continuation

    /// Runs `body` there.
    func run<Answer: Sendable>(_ body: @escaping @Sendable (Client) async throws -> Answer) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            jobs.yield { client in
                do {
                    continuation.resume(returning: try await body(client))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    /// Connects so many clients, and disconnects them when `body` returns or throws.
    static func withCallers<Answer: Sendable>(
        _ count: Int, to path: String, _ configuration: ClientConfiguration, _ body: ([Caller]) async throws -> Answer
    ) async throws -> Answer {
        let (connected, connections) = AsyncThrowingStream<Caller, any Error>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        try await Client.connect(to: .path(path), configuration: configuration) { client in
                            let (orders, jobs) = AsyncStream<Job>.makeStream()
                            connections.yield(Caller(client: client, jobs: jobs))
                            for await job in orders { await job(client) }
                        }
                    } catch {
                        connections.finish(throwing: error)
                    }
                }
            }
            var callers: [Caller] = []
            defer { for caller in callers { caller.jobs.finish() } }
            for try await caller in connected {
                callers.append(caller)
                if callers.count == count { break }
            }
            return try await body(callers)
        }
    }
}
