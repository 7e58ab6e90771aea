// The items of an incoming call: those that its caller sends wait in a buffer, and those that its handler sends wait for credit at a gate.

internal import GinnelCore

final class CallStream: Sendable {
    let call: UInt32
    let connection: Connection
    /// Items that the caller sends; `nil` when it sends none.
    let items: ItemBuffer?
    let gate = CreditGate()

    init(call: UInt32, connection: Connection, receivesItems: Bool) {
        self.call = call
        self.connection = connection
        items = receivesItems ? ItemBuffer { [weak connection] bytes in connection?.submit(.accept(call: call, bytes: bytes)) } : nil
    }

    func received(_ codec: Codec, _ payload: Payload?, _ input: borrowing RawSpan) {
        guard let items else { return }
        if let payload { items.append(Reply(codec: codec, bytes: payload.copied(of: input))) } else { items.finish(nil) }
    }

    func carryOn() { gate.open() }

    /// Nobody waits for the items any more, and no more will come.
    func cancel(_ failure: Failure) {
        items?.finish(CallError(failure))
        gate.open()
    }
}
