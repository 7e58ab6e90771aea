// Ctrl-C and SIGTERM for commands that do something and are done: they are cancelled.

import Ginnel

enum Interruption {
    /// Runs `body`, and cancels it at the first signal. The body sees an ordinary cancellation and may still report what it did. A second signal changes nothing,
    /// and a third ends the process at once.
    static func cancelling<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let requests = try TerminationRequest.all()
        return try await withThrowingTaskGroup(of: Step<Result>.self) { group in
            group.addTask { .done(try await body()) }
            group.addTask {
                for await request in requests { return .asked(request) }
                return .over
            }
            let first = try await group.next()
            group.cancelAll()
            switch first {
            case .done(let result): return result
            case .asked(let request):
                // What a body throws that was cut short says nothing but that.
                guard case .done(let result) = try? await group.next() else { throw Trouble(request) }
                return result
            case .over, nil: throw CancellationError()
            }
        }
    }

    private enum Step<Result: Sendable>: Sendable {
        case done(Result)
        case asked(TerminationRequest)
        /// The other task is done.
        case over
    }
}

extension Trouble {
    /// Ended before it was done.
    fileprivate init(_ request: TerminationRequest) {
        self.init(request == .terminate ? .terminated : .interrupted, code: "interrupted", request == .terminate ? "ended by SIGTERM" : "interrupted")
    }
}
