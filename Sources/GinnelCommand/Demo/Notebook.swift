// What the demo's service has seen, for the client to ask: that is how the demo can show both sides of one thing.

import GinnelTransport

final class Notebook: Sendable {
    struct Note: Sendable {
        var begun = 0
        var ended = 0
        var ending = ""
        var milliseconds = 0.0
    }

    struct Content: Sendable {
        var works: [String: Note] = [:]
        var refusals: [String] = []
        var pages = PagesSent.Response(sent: 0, isWaiting: false)
        fileprivate var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let content = Guarded(Content())

    func write(_ body: (inout Content) -> Void) {
        let waiters = content.withLock { content in
            body(&content)
            defer { content.waiters = [] }
            return content.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func read<Result>(_ body: (Content) -> Result) -> Result { content.withLock { body($0) } }

    /// Waits until `body` finds what it looks for; the caller's deadline is the limit.
    func find<Result: Sendable>(_ body: @Sendable (Content) -> Result?) async throws -> Result {
        while true {
            if let result = read(body) { return result }
            try Task.checkCancellation()
            await waitForChange { body($0) != nil }
        }
    }

    private func waitForChange(unless isThere: @Sendable (Content) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = content.withLock { content in
                    if isThere(content) || Task.isCancelled { return true }
                    content.waiters.append(continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            write { _ in }
        }
    }
}
