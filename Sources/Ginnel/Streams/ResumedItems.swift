// A stream that outlives its connection: when it breaks off, the rest is asked for on the next one.

internal import GinnelCore
internal import GinnelTransport

extension Client {
    /// Opens a stream that goes on when the connection was lost and there is another one: with the same service, or with one that was started anew where the request says so. Each item
    /// comes once. Without a `reconnect` policy as any other stream.
    public func open<R: ResumableStreamRequest>(_ request: R, deadline: Duration? = nil, priority: Priority = .normal) async throws -> ResumedItems<R> {
        let deadline = CallContext.absolute(deadline)
        let items = try await open(request, until: deadline, priority)
        return ResumedItems(client: self, request: request, deadline: deadline, priority: priority, items: items)
    }
}

/// The items of a stream that can be taken up again. Meant for one iteration; ends and throws as `IncomingItems`.
public struct ResumedItems<R: ResumableStreamRequest>: AsyncSequence, Sendable {
    public typealias Element = R.Item
    public typealias Failure = CallError

    let client: Client
    let request: R
    let deadline: UInt64?
    let priority: Priority
    let items: IncomingItems<R.Item>

    public func makeAsyncIterator() -> Iterator { Iterator(stream: self, request: request, items: items.makeAsyncIterator(), connection: items.connection) }

    public struct Iterator: AsyncIteratorProtocol {
        let stream: ResumedItems
        /// What is asked for when the stream breaks off now.
        var request: R
        var items: IncomingItems<R.Item>.Iterator
        var connection: Connection?
        /// How often it was taken up since the last item.
        private var repeats = 0

        init(stream: ResumedItems, request: R, items: IncomingItems<R.Item>.Iterator, connection: Connection?) {
            self.stream = stream
            self.request = request
            self.items = items
            self.connection = connection
        }

        public mutating func next() async throws(CallError) -> R.Item? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(CallError) -> R.Item? {
            while true {
                do {
                    guard let item = try await items.next(isolation: actor) else { return nil }
                    request = request.resumed(after: item)
                    repeats = 0
                    return item
                } catch {
                    try await resume(after: error)
                }
            }
        }

        /// Asks for the rest on the next connection. Throws `error` when there is none, or another service at its end.
        private mutating func resume(after error: CallError) async throws(CallError) {
            let client = stream.client
            guard let connection, await client.isWorthRepeating(error, true, connection) else { throw error }
            if error.code == .connectionLost { repeats += 1 }
            if repeats > client.configuration.repeats { throw error.afterRepeats(client.configuration.repeats) }
            do {
                let next = try await client.connection(until: stream.deadline)
                guard R.survivesRestart || next.instance == connection.instance else { throw error }
                let rest = try await client.open(request, until: stream.deadline, stream.priority)
                // The service may have been started anew in between.
                guard R.survivesRestart || rest.connection?.instance == connection.instance else { throw error }
                items = rest.makeAsyncIterator()
                self.connection = rest.connection
            } catch let late as CallError where late.code == .deadlineExceeded {
                throw late
            } catch {
                throw Task.isCancelled ? CallError(.cancelled, "the consumer's task was cancelled") : error as? CallError ?? CallError(.connectionLost, "\(error)")
            }
        }
    }
}
