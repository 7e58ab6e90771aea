// Sending items, at the pace of whoever reads them.

internal import GinnelCore

/// Sends the items of a stream. Any number of tasks may do so; each item is sent whole, in an order of their making.
public struct ItemWriter<Item: WireValue>: Sendable {
    private let send: @Sendable (Codec, [UInt8]) -> Acceptance
    private let gate: CreditGate
    /// Waits until what was sent on the connection has left.
    private let room: @Sendable () async -> Void

    init(_ gate: CreditGate, room: @escaping @Sendable () async -> Void, _ send: @escaping @Sendable (Codec, [UInt8]) -> Acceptance) {
        self.gate = gate
        self.room = room
        self.send = send
    }

    /// Sends one item; waits first while the reader has not taken what it was sent before.
    ///
    /// - Throws: `CallError` with `cancelled` once the call has ended, with `tooLarge` for an item over the reader's limit; whatever `encoded()` throws.
    public func send(_ item: Item) async throws {
        let bytes = try item.encoded()
        try await inTurn(bytes.count) { send(Item.codec, bytes) }
    }

    /// Submits an item of so many bytes, or the end of all items, again and again until it is taken: while its call waits for the peer's permission to start, neither is.
    func inTurn(_ count: Int, _ submit: () -> Acceptance) async throws {
        var openings: UInt64?
        while true {
            switch submit() {
            case .taken: return
            case .ended: throw CallError(.cancelled, "the call has ended; nobody reads its items")
            case .tooLarge(let limit): throw CallError(.tooLarge, "an item of \(count) bytes, over the reader's limit of \(limit) (maximumMessage)")
            case .noCredit:
                // The gate is read before the next try, so that an opening between the two is not missed.
                guard let seen = openings else {
                    openings = gate.openings
                    continue
                }
                await gate.pass(after: seen)
                openings = nil
                if Task.isCancelled { throw Self.cancelled }
            case .noRoom:
                await room()
                if Task.isCancelled { throw Self.cancelled }
            }
        }
    }

    private static var cancelled: CallError { CallError(.cancelled, "the task was cancelled while it waited to send an item") }
}
