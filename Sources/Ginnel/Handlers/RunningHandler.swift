// An async handler at work: its task, the items that reach it, and the credit it waits for.

internal import GinnelCore
internal import GinnelTransport

final class RunningHandler: Sendable {
    private struct Life {
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    let call: UInt32
    let connection: Connection
    /// Items that the caller sends; `nil` when it sends none.
    let items: ItemBuffer?
    let gate = CreditGate()
    private let life = Guarded(Life())

    init(call: UInt32, connection: Connection, receivesItems: Bool) {
        self.call = call
        self.connection = connection
        items = receivesItems ? ItemBuffer { [weak connection] bytes in connection?.submit(.accept(call: call, bytes: bytes)) } : nil
    }

    func attach(_ task: Task<Void, Never>) {
        let isCancelled = life.withLock { life in
            life.task = task
            return life.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    /// The session wants it to stop.
    func cancel(_ failure: Failure) {
        let task = life.withLock { life in
            life.isCancelled = true
            return life.task
        }
        task?.cancel()
        items?.finish(CallError(failure))
        gate.open()
    }

    func finish() { life.withLock { $0.task = nil } }

    func received(_ codec: Codec, _ payload: Payload?, _ input: borrowing RawSpan) {
        guard let items else { return }
        if let payload { items.append(Reply(codec: codec, bytes: payload.copied(of: input))) } else { items.finish(nil) }
    }

    func carryOn() { gate.open() }
}
