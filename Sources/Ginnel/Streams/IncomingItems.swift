// Items of a stream as an asynchronous sequence, for a client that reads what a service sends, and for a handler that reads what its caller sends.

internal import GinnelCore

/// The items that the other side sends. Taking one lets it send more; not taking any makes it wait.
///
/// Meant for one consumer; of several, one gets each item, and one the error. Ends when the other side has sent its last item; throws the `CallError` that ended the call otherwise. A client that lets go of the sequence and its iterators before the end cancels the call.
public struct IncomingItems<Item: WireValue>: AsyncSequence, Sendable {
    public typealias Element = Item
    public typealias Failure = CallError

    private let buffer: ItemBuffer
    private let lifeline: Lifeline?

    init(_ buffer: ItemBuffer, _ lifeline: Lifeline? = nil) {
        self.buffer = buffer
        self.lifeline = lifeline
    }

    /// For clients: what the items come on.
    var connection: Connection? { lifeline?.connection }

    public func makeAsyncIterator() -> Iterator { Iterator(buffer: buffer, lifeline: lifeline) }

    public struct Iterator: AsyncIteratorProtocol {
        let buffer: ItemBuffer
        let lifeline: Lifeline?

        public mutating func next() async throws(CallError) -> Item? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(CallError) -> Item? {
            guard let item = try await buffer.next() else { return nil }
            guard item.codec == Item.codec else {
                throw CallError(.invalidReply, "an item is written in codec \(item.codec.rawValue) where \(Item.self) is read from codec \(Item.codec.rawValue)")
            }
            do {
                return try Item(decoding: item.bytes.span.bytes)
            } catch {
                throw CallError(.invalidReply, "an item is no \(Item.self): \(error)")
            }
        }
    }
}

/// Cancels a stream when nobody holds it any more.
final class Lifeline: Sendable {
    private let call: StreamCall

    init(_ call: StreamCall) { self.call = call }

    var connection: Connection { call.connection }

    deinit { call.abandon("nobody reads the stream any more") }
}
