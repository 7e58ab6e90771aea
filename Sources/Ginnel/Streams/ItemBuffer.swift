// Items that have arrived and wait for their consumer. Bounded by credit: the peer sends no more than the window that this side grants, and it is granted as the consumer takes.

internal import GinnelCore
internal import GinnelTransport

final class ItemBuffer: Sendable {
    private struct State {
        var items = Queue<Reply>()
        var isFinished = false
        var error: CallError?
        var waiters = Waiters<Void>()
    }

    private let state = Guarded(State())
    /// Told how many payload bytes the consumer has taken.
    private let consumed: @Sendable (Int) -> Void

    init(consumed: @escaping @Sendable (Int) -> Void) { self.consumed = consumed }

    func append(_ item: Reply) {
        let waiters = state.withLock { state -> Waiters<Void>? in
            guard !state.isFinished else { return nil }
            state.items.append(item)
            return state.waiters.takeAll()
        }
        waiters?.resume()
    }

    /// No more items; the consumer takes what is there and then sees the end, or this error at once.
    func finish(_ error: CallError?) {
        let waiters = state.withLock { state -> Waiters<Void>? in
            guard !state.isFinished else { return nil }
            state.isFinished = true
            state.error = error
            return state.waiters.takeAll()
        }
        waiters?.resume()
    }

    private enum Next {
        case item(Reply)
        case end
        case failure(CallError)
        case wait
    }

    /// The next item, or `nil` at the end. Of several consumers one gets each item, and one the error.
    func next() async throws(CallError) -> Reply? {
        while true {
            let next = state.withLock { state -> Next in
                if let item = state.items.popFirst() { return .item(item) }
                guard state.isFinished else { return .wait }
                if let error = state.error.take() { return .failure(error) }
                return .end
            }
            switch next {
            case .item(let item):
                consumed(item.bytes.count)
                return item
            case .end: return nil
            case .failure(let error): throw error
            case .wait:
                if Task.isCancelled { throw CallError(.cancelled, "the consumer's task was cancelled") }
                await wait()
            }
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.items.isEmpty || state.isFinished || Task.isCancelled { return true }
                    state.waiters.add(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.takeAll() }.resume()
        }
    }
}
