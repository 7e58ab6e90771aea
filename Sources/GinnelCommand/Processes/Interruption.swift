// Ctrl-C and SIGTERM, as something that a task can wait for.

import Foundation

enum Interruption {
    /// Each of these signals that arrives from now on, for as long as the stream is kept. They end the process no more.
    static func signals(_ numbers: [Int32] = [SIGINT, SIGTERM]) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            // Dispatch's sources may be used from any thread; its protocols do not say so.
            nonisolated(unsafe) let sources = numbers.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in for source in sources { source.cancel() } }
        }
    }

    /// Runs `body`, and cancels it at the first signal. The body sees an ordinary cancellation and may still report what it did.
    static func cancelling<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            let signals = signals()
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals { break }
                return nil
            }
            if let result = try await group.next() ?? nil {
                group.cancelAll()
                return result
            }
            group.cancelAll()
            // What a body throws that was cut short says nothing but that.
            guard let result = try? await group.next() ?? nil else { throw CancellationError() }
            return result
        }
    }
}
