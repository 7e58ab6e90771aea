// Handlers, typed and raw. A handler that does not await is called on its connection's loop without a task; an async one gets a task there, or on the
// global executor when it asks for it. Typed handlers decode JSON (or whatever the type says) and answer `invalidRequest` when that fails.

public import GinnelCore

extension Service {
    // MARK: One answer

    /// Serves a request without awaiting anything.
    public func handle<R: WireRequest>(
        _ type: R.Type, allowing policy: PeerPolicy? = nil, _ body: @escaping @Sendable (R, CallContext) throws -> R.Response
    ) {
        let work = Handler.Work.plain { bytes, context in
            try Reply(body(R(request: bytes, context), context))
        }
        add(R.method, Handler(work: work, shape: .call, policy: policy, isSensitive: R.isSensitive))
    }

    /// Serves a request, awaiting what it needs.
    public func handle<R: WireRequest>(
        _ type: R.Type, on executor: HandlerExecutor = .loop, allowing policy: PeerPolicy? = nil,
        _ body: @escaping @Sendable (R, CallContext) async throws -> R.Response
    ) {
        let work = Handler.Work.async { bytes, context in
            try Reply(await body(R(request: bytes.span.bytes, context), context))
        }
        add(R.method, Handler(work: work, shape: .call, executor: executor, policy: policy, isSensitive: R.isSensitive))
    }

    /// Serves raw bytes without awaiting anything: the fastest path. The bytes are lent.
    public func handle(
        _ method: String, allowing policy: PeerPolicy? = nil, _ body: @escaping @Sendable (borrowing RawSpan, CallContext) throws -> [UInt8]
    ) {
        add(method, Handler(work: .plain { bytes, context in Reply(codec: .raw, bytes: try body(bytes, context)) }, shape: .call, policy: policy))
    }

    /// Serves raw bytes, awaiting what it needs.
    public func handle(
        _ method: String, on executor: HandlerExecutor = .loop, allowing policy: PeerPolicy? = nil,
        _ body: @escaping @Sendable ([UInt8], CallContext) async throws -> [UInt8]
    ) {
        let work = Handler.Work.async { bytes, context in
            Reply(codec: .raw, bytes: try await body(bytes, context))
        }
        add(method, Handler(work: work, shape: .call, executor: executor, policy: policy))
    }

    // MARK: Many items

    /// Serves a stream: `body` sends items through the writer, which waits for the reader; the stream ends when it returns.
    public func handle<R: StreamRequest>(
        _ type: R.Type, on executor: HandlerExecutor = .loop, allowing policy: PeerPolicy? = nil,
        _ body: @escaping @Sendable (R, CallContext, ItemWriter<R.Item>) async throws -> Void
    ) {
        let work = Handler.Work.streaming { bytes, context, running in
            try await body(R(request: bytes.span.bytes, context), context, running.writer())
            return Reply(codec: .raw, bytes: [])
        }
        add(R.method, Handler(work: work, shape: .stream, executor: executor, policy: policy, isSensitive: R.isSensitive))
    }

    /// Serves a call whose caller sends items.
    public func handle<R: UploadRequest>(
        _ type: R.Type, on executor: HandlerExecutor = .loop, allowing policy: PeerPolicy? = nil,
        _ body: @escaping @Sendable (R, CallContext, IncomingItems<R.Upload>) async throws -> R.Response
    ) {
        let work = Handler.Work.streaming { bytes, context, running in
            try Reply(await body(R(request: bytes.span.bytes, context), context, running.incomingItems()))
        }
        add(R.method, Handler(work: work, shape: .upload, executor: executor, policy: policy, isSensitive: R.isSensitive))
    }

    /// Serves a call in which both sides send items.
    public func handle<R: ExchangeRequest>(
        _ type: R.Type, on executor: HandlerExecutor = .loop, allowing policy: PeerPolicy? = nil,
        _ body: @escaping @Sendable (R, CallContext, IncomingItems<R.Upload>, ItemWriter<R.Item>) async throws -> Void
    ) {
        let work = Handler.Work.streaming { bytes, context, running in
            try await body(R(request: bytes.span.bytes, context), context, running.incomingItems(), running.writer())
            return Reply(codec: .raw, bytes: [])
        }
        add(R.method, Handler(work: work, shape: .exchange, executor: executor, policy: policy, isSensitive: R.isSensitive))
    }
}

extension Service {
    // MARK: Events

    /// Takes events of one kind as they arrive, on their connection's loop. What is no such value is passed over; `events(of:)` counts it.
    public func handle<Received: Event>(event type: Received.Type, _ body: @escaping @Sendable (Received, Connection) -> Void) {
        events.handle(Received.name) { codec, bytes, _, connection in
            guard connection.admits(Received.name, isSensitive: Received.isSensitive) else { return }
            if codec == Received.codec, let event = try? Received(decoding: bytes) { body(event, connection) }
        }
    }

    /// Takes events as bytes, which are lent.
    public func handle(event name: String, _ body: @escaping @Sendable (borrowing RawSpan, Connection) -> Void) {
        events.handle(name) { _, bytes, _, connection in body(bytes, connection) }
    }
}

extension WireValue {
    /// Decodes a request, or says that it is none.
    init(request bytes: borrowing RawSpan, _ context: CallContext) throws {
        guard context.codec == Self.codec else {
            throw CallError(.unsupportedCodec, "\(context.method) is written in codec \(context.codec.rawValue) where \(Self.self) is read from codec \(Self.codec.rawValue)")
        }
        do {
            self = try Self(decoding: bytes)
        } catch {
            throw CallError(.invalidRequest, "the payload of \(context.method) is no \(Self.self): \(error)")
        }
    }
}

extension Reply {
    init<Value: WireValue>(_ value: Value) throws { self.init(codec: Value.codec, bytes: try value.encoded()) }

    /// Decodes an answer, or says that it is none.
    func decoded<Value: WireValue>(_ type: Value.Type, of method: String) throws(CallError) -> Value {
        guard codec == Value.codec || bytes.isEmpty else {
            throw CallError(.invalidReply, "the answer of \(method) is written in codec \(codec.rawValue) where \(Value.self) is read from codec \(Value.codec.rawValue)")
        }
        do {
            return try Value(decoding: bytes.span.bytes)
        } catch {
            throw CallError(.invalidReply, "the answer of \(method) is no \(Value.self): \(error)")
        }
    }
}

extension CallStream {
    func writer<Item: WireValue>() -> ItemWriter<Item> {
        ItemWriter(gate, room: connection.waitForRoom) { [connection, call] codec, bytes in connection.submit(.item(call: call, codec: codec, payload: bytes)) }
    }

    /// What the caller sends; nothing when it said that it would send none.
    func incomingItems<Item: WireValue>() -> IncomingItems<Item> {
        if let items { return IncomingItems(items) }
        let none = ItemBuffer { _ in }
        none.finish(nil)
        return IncomingItems(none)
    }
}
