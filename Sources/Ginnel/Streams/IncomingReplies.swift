// A stream as bytes, for programs that learn a method's name and types only when they run.

public import GinnelCore

extension Client {
    /// Opens a stream with bytes. The items come as they were written, each with its codec, as fast as they are read. The same parameters and errors as `call`.
    public func open(
        _ method: String, codec: Codec = .raw, payload: [UInt8], deadline: Duration? = nil, priority: Priority = .normal
    ) async throws -> IncomingReplies {
        let call = StreamCall(try await connection())
        call.begin(OutgoingRequest(method: method, codec: codec, payload: payload, deadline: CallContext.absolute(deadline), lane: priority.lane))
        return IncomingReplies(buffer: call.items, lifeline: Lifeline(call))
    }
}

/// The items of a stream as bytes. Otherwise as `IncomingItems`.
public struct IncomingReplies: AsyncSequence, Sendable {
    public typealias Element = Reply
    public typealias Failure = CallError

    let buffer: ItemBuffer
    let lifeline: Lifeline

    public func makeAsyncIterator() -> Iterator { Iterator(buffer: buffer, lifeline: lifeline) }

    public struct Iterator: AsyncIteratorProtocol {
        let buffer: ItemBuffer
        let lifeline: Lifeline

        public mutating func next() async throws(CallError) -> Reply? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(CallError) -> Reply? { try await buffer.next() }
    }
}
