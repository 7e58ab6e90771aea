// What a client asks: calls, streams, uploads, exchanges, events. All throw `CallError` for what the call ended with, and `GinnelError` when there is no connection.

public import GinnelCore
internal import GinnelTransport

extension Client {
    /// Calls a method and waits for its one answer.
    ///
    /// - Parameters:
    ///   - deadline: how long the call may take; it ends on both sides then. `nil`, the default: as long as the handler that makes this call has left, or for ever.
    ///   - priority: how urgent it is among what waits on this connection. Default `.normal`.
    /// - Throws: `CallError`; `GinnelError` when there is no connection. Cancelling the task cancels the handler. With a `reconnect` policy a call made while there is no connection waits
    ///   for one; one that was in flight when the connection was lost ends with `connectionLost`, whose outcome is unknown, unless its request is idempotent: then it is made again, at most
    ///   `configuration.repeats` times.
    public func call<R: WireRequest>(_ request: R, deadline: Duration? = nil, priority: Priority = .normal) async throws -> R.Response {
        let reply = try await call(
            R.method, codec: R.codec, payload: try request.encoded(), deadline: deadline, priority: priority, isIdempotent: R.isIdempotent, isSensitive: R.isSensitive)
        return try reply.decoded(R.Response.self, of: R.method)
    }

    /// Calls a method with bytes. The same parameters and errors.
    ///
    /// - Parameters:
    ///   - isIdempotent: whether it may be made again when the connection was lost while it was in flight; as `WireRequest.isIdempotent`.
    ///   - isSensitive: whether it fails with `encryptionRequired` where the connection is not encrypted; as `WireRequest.isSensitive`.
    public func call(
        _ method: String, codec: Codec = .raw, payload: [UInt8], deadline: Duration? = nil, priority: Priority = .normal, isIdempotent: Bool = false,
        isSensitive: Bool = false
    ) async throws -> Reply {
        let request = OutgoingRequest(
            method: method, codec: codec, payload: payload, deadline: CallContext.absolute(deadline), lane: priority.lane, isSensitive: isSensitive)
        let permit = try permit()
        var repeats = 0
        while true {
            do {
                let connection = if let connection = try connectionNow() { connection } else { try await connection(until: request.deadline) }
                do {
                    let reply = try await connection.call(request)
                    note(permit, nil)
                    return reply
                } catch {
                    guard await isWorthRepeating(error, isIdempotent, connection) else { throw error }
                    // One that had begun may be what has ended the service.
                    if error.code == .connectionLost { repeats += 1 }
                    if repeats > configuration.repeats { throw error.afterRepeats(configuration.repeats) }
                }
            } catch {
                note(permit, error)
                throw error
            }
        }
    }

    /// Opens a stream. The items come as fast as they are read.
    public func open<R: StreamRequest>(_ request: R, deadline: Duration? = nil, priority: Priority = .normal) async throws -> IncomingItems<R.Item> {
        try await open(request, until: CallContext.absolute(deadline), priority)
    }

    func open<R: StreamRequest>(_ request: R, until deadline: UInt64?, _ priority: Priority) async throws -> IncomingItems<R.Item> {
        let call = try await begin(R.method, R.codec, try request.encoded(), deadline, priority, itemsFollow: false, isSensitive: R.isSensitive)
        return IncomingItems(call.items, Lifeline(call))
    }

    /// Sends items, at the pace of the handler that reads them, and waits for its answer.
    public func upload<R: UploadRequest, Items: AsyncSequence & Sendable>(
        _ request: R, items: Items, deadline: Duration? = nil, priority: Priority = .normal
    ) async throws -> R.Response where Items.Element == R.Upload {
        let call = try await begin(
            R.method, R.codec, try request.encoded(), CallContext.absolute(deadline), priority, itemsFollow: true, isSensitive: R.isSensitive)
        let result = await withTaskGroup { group in
            group.addTask { await call.feed(items) }
            let result = await call.result()
            group.cancelAll()
            return result
        }
        return try result.get().decoded(R.Response.self, of: R.method)
    }

    /// Sends items while `body` reads those that come back. Ends when `body` returns; what was not read or sent then is cancelled.
    public func exchange<R: ExchangeRequest, Items: AsyncSequence & Sendable, Result: Sendable>(
        _ request: R, sending items: Items, deadline: Duration? = nil, priority: Priority = .normal,
        _ body: (IncomingItems<R.Item>) async throws -> Result
    ) async throws -> Result where Items.Element == R.Upload {
        let call = try await begin(
            R.method, R.codec, try request.encoded(), CallContext.absolute(deadline), priority, itemsFollow: true, isSensitive: R.isSensitive)
        let lifeline = Lifeline(call)
        return try await withThrowingTaskGroup { group in
            group.addTask { await call.feed(items) }
            let result = try await body(IncomingItems(call.items, lifeline))
            group.cancelAll()
            return result
        }
    }

    private func begin(
        _ method: String, _ codec: Codec, _ payload: [UInt8], _ deadline: UInt64?, _ priority: Priority, itemsFollow: Bool, isSensitive: Bool
    ) async throws -> StreamCall {
        let call = StreamCall(try await connection(until: deadline))
        call.begin(
            OutgoingRequest(
                method: method, codec: codec, payload: payload, deadline: deadline, lane: priority.lane, itemsFollow: itemsFollow,
                isSensitive: isSensitive))
        return call
    }

    /// Events of one kind, from now on until the connection ends. Subscribe before the connection begins to miss none.
    /// `capacity`: how many may wait for a slow reader before the oldest are dropped. Default 256.
    public func events<Received: Event>(of type: Received.Type, capacity: Int = 256) -> EventStream<Received> { EventStream(hub, capacity: capacity) }

    /// Sends an event to the service; waits while a good deal of what was sent before has not left. False when it is longer than the service takes. Throws `CallError`,
    /// `encryptionRequired`, when it is sensitive and the connection is not encrypted.
    @discardableResult
    public func send(_ event: some Event, priority: Priority = .normal) async throws -> Bool {
        let connection = try await connection()
        let encoded = try EncodedEvent(event, priority)
        try connection.check(encoded)
        return await connection.sendEventInTurn(encoded)
    }

    /// The same with bytes.
    @discardableResult
    public func send(event name: String, codec: Codec = .raw, payload: [UInt8], priority: Priority = .normal) async throws -> Bool {
        try await connection().sendEventInTurn(EncodedEvent(name: name, codec: codec, payload: payload, priority))
    }

    /// Asks for a sign of life and returns how long it took to come. Throws when none can come (`Connection.ping`).
    public func ping() async throws -> Duration {
        let connection = try await connection()
        let began = Moment.now.continuous
        guard await connection.ping() else {
            try Task.checkCancellation()
            throw CallError(.connectionLost, "no answer can come: the connection has ended, or its format has no ping")
        }
        return .wholeNanoseconds(Moment.now.continuous - began)
    }
}

extension StreamCall {
    /// Sends every item and then the end. An error of the sequence abandons the call.
    func feed<Items: AsyncSequence>(_ items: Items) async where Items.Element: WireValue {
        let writer = ItemWriter<Items.Element>(gate, room: connection.waitForRoom) { [connection] codec, bytes in
            connection.submit(.sendItem(self, codec: codec, payload: bytes))
        }
        do {
            for try await item in items { try await writer.send(item) }
            // A cancelled sequence ends like one that is complete; the handler must not take the one for the other.
            try Task.checkCancellation()
            try await writer.inTurn(0) { connection.submit(.sendItem(self, codec: .raw, payload: nil)) }
        } catch {
            // After the call has ended there is nobody to abandon, and this does nothing.
            abandon("the items to send ended with an error: \(error)")
        }
    }
}
