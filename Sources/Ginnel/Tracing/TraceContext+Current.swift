// The trace that calls inherit, as they inherit a deadline.

public import GinnelCore

extension TraceContext {
    /// The trace of the handler that runs, or the one that a program has set with `$current.withValue`. Calls made here carry it on.
    @TaskLocal public static var current: TraceContext?
}

extension CallContext {
    /// Runs a handler so that the calls that it makes inherit deadline and trace.
    func passingOn(_ handler: () async throws -> Reply) async throws -> Reply {
        guard deadlineTime != nil || trace != nil else { return try await handler() }
        return try await Self.$inheritedDeadline.withValue(deadlineTime) {
            try await TraceContext.$current.withValue(trace) { try await handler() }
        }
    }
}
