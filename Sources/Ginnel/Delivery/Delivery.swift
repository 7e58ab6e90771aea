// How much is promised for a one-way message, and how to send and receive those that are more than an event.

public import GinnelCore
internal import GinnelTransport

/// What is promised for a one-way message (docs/guarantees.md).
public enum Delivery: Sendable, Hashable {
    /// It arrives once or not at all: the loss of the connection loses it. What `send` does without saying more.
    case atMostOnce
    /// It is kept in memory until the receiver's program has dealt with it, and sent again on the next connection: once in one instance of the receiver, at least once over its restarts. The end
    /// of this program loses what is not acknowledged.
    case acknowledged
    /// The same, kept on disk (`ClientConfiguration.outbox.path`), so that the end of this program does not lose it.
    case durable
}

/// What a client keeps of messages that are not acknowledged.
public struct OutboxConfiguration: Sendable {
    public var limits = OutboxLimits.defaults
    /// The file of the outbox on disk, for `.durable` messages; `nil`, the default, for none. It needs the package trait `DurableOutbox`.
    public var path: String?
    /// How long `Client.connect` waits, once its body has returned, for what is not acknowledged. Default 30 s.
    public var flushTimeout: Duration = .seconds(30)
    /// What keeps durable messages in place of a file, for each client anew.
    package var store: (@Sendable () -> any OutboxStore)?

    public init() {}

    /// Whether there is a place for `.durable` messages.
    var outlivesProgram: Bool { path != nil || store != nil }
}

/// What a handler of messages knows of the one that it was handed.
public struct MessageContext: Sendable {
    public let name: String
    /// Who sends it: random, the same on all connections of the sender.
    public let sender: Identity
    /// Grows with each message of this sender in this priority.
    public let id: UInt64
    /// An earlier instance of this program may have dealt with it already. False: this is the first.
    public let isRedelivered: Bool
    public let priority: Priority
    public let codec: Codec
    /// Who was at the other end when the sender last connected, as the kernel says.
    public let peer: PeerIdentity?
}

/// What serves messages of one name.
struct MessageHandler: Sendable {
    let executor: HandlerExecutor
    let policy: PeerPolicy?
    let isSensitive: Bool
    let body: @Sendable ([UInt8], MessageContext) async throws -> Void

    init<Received: Event>(
        _ type: Received.Type, _ executor: HandlerExecutor, _ policy: PeerPolicy?, _ body: @escaping @Sendable (Received, MessageContext) async throws -> Void
    ) {
        self.executor = executor
        self.policy = policy
        isSensitive = Received.isSensitive
        self.body = { bytes, context in
            guard context.codec == Received.codec else {
                throw CallError(.unsupportedCodec, "\(context.name) is read from codec \(Received.codec.rawValue), and came in codec \(context.codec.rawValue)")
            }
            let message: Received
            do {
                message = try Received(decoding: bytes.span.bytes)
            } catch {
                throw CallError(.invalidRequest, "the message is no \(Received.self): \(error)")
            }
            try await body(message, context)
        }
    }
}

extension Service {
    /// Receives messages that clients send with `delivery: .acknowledged` or `.durable`. Before `run()`.
    ///
    /// Each is acknowledged when `body` returns; of one sender and priority they come one at a time and in order. When `body` throws, the message is refused for good and its sender is told: a
    /// `CallError` with its code, any other error as `internal`. The loss of the connection does not cancel it.
    ///
    /// - Parameter policy: who may send it; others are refused with `forbidden`.
    public func receive<Received: Event>(
        _ type: Received.Type, on executor: HandlerExecutor = .loop, allowing policy: PeerPolicy? = nil,
        _ body: @escaping @Sendable (Received, MessageContext) async throws -> Void
    ) {
        receiver.add(Received.name, MessageHandler(type, executor, policy, body))
    }
}

extension Client {
    /// Receives messages that the service sends with `delivery: .acknowledged`. Before `run()`. As `Service.receive`.
    public func receive<Received: Event>(
        _ type: Received.Type, on executor: HandlerExecutor = .loop, _ body: @escaping @Sendable (Received, MessageContext) async throws -> Void
    ) {
        receiver.add(Received.name, MessageHandler(type, executor, nil, body))
    }

    /// Sends a message that is kept until the service has dealt with it, also while there is no connection. Returns when it is kept, `.durable` ones on disk.
    ///
    /// - Parameter delivery: `.acknowledged` or `.durable`; with `.atMostOnce` it is an event, which waits for a connection, and the receipt says no more than that it was taken to be sent.
    /// - Throws: `CallError` with `resourceExhausted` when the outbox is full and its policy does not wait, or the disk; `GinnelError`, `unsupported` for a format that acknowledges nothing or a
    ///   durable message without a file. `CallError` with `encryptionRequired` when the message is sensitive and would leave, now or later, on a connection that is not encrypted.
    @discardableResult
    public func send(_ message: some Event, delivery: Delivery, priority: Priority = .normal) async throws -> DeliveryReceipt {
        let encoded = try EncodedEvent(message, priority)
        guard delivery != .atMostOnce else {
            let connection = try await connection()
            try connection.check(encoded)
            guard await connection.sendEventInTurn(encoded) else {
                throw CallError(.tooLarge, "the event \(encoded.name) is longer than the service takes, or the connection has ended")
            }
            return DeliveryReceipt(settled: true)
        }
        guard configuration.format.delivers else {
            throw GinnelError(.unsupported, "the format \(configuration.format.name) acknowledges nothing; send it with .atMostOnce, or use the native format")
        }
        guard delivery == .acknowledged || configuration.outbox.outlivesProgram else {
            throw GinnelError(.unsupported, "a durable message needs a file: ClientConfiguration.outbox.path")
        }
        if encoded.isSensitive, !endpoint.isInProcess, configuration.encryption?.isRequired != true { throw CallError(.unkept(encoded.name)) }
        return try await outbox().send(
            OutboxMessage(name: encoded.name, codec: encoded.codec, payload: encoded.payload, lane: encoded.lane, isDurable: delivery == .durable))
    }

    /// Returns when all messages that were sent were acknowledged, or given up for good.
    ///
    /// - Throws: `GinnelError` with `timedOut` when `timeout` has passed before; the error with which the client ended.
    public func flush(timeout: Duration = .seconds(30)) async throws { try await outbox().flush(timeout) }

    /// Messages that are kept and not acknowledged.
    public var unacknowledged: Int { state.withLock { $0.sender }?.count ?? 0 }
}

extension Connection {
    /// Sends a message to this peer that is kept until it has dealt with it: over the loss of the connection too, for a peer that comes back within an hour.
    ///
    /// - Throws: `CallError`, as `Client.send`; `GinnelError` with `unsupported` when the peer acknowledges nothing.
    @discardableResult
    public func send(_ message: some Event, delivery: Delivery, priority: Priority = .normal) async throws -> DeliveryReceipt {
        let encoded = try EncodedEvent(message, priority)
        guard delivery != .durable else { throw GinnelError(.unsupported, "only clients keep messages on disk; send it with .acknowledged", peer: peer) }
        guard delivery != .atMostOnce else {
            try check(encoded)
            guard await sendEventInTurn(encoded) else { throw CallError(.tooLarge, "the event \(encoded.name) is longer than the peer takes, or the connection has ended") }
            return DeliveryReceipt(settled: true)
        }
        if encoded.isSensitive, !requiresPrivacy { throw CallError(.unkept(encoded.name)) }
        guard let sender = usedSender else { throw GinnelError(.unsupported, "this peer acknowledges no messages, or its handshake is not done", peer: peer) }
        return try await sender.send(OutboxMessage(name: encoded.name, codec: encoded.codec, payload: encoded.payload, lane: encoded.lane))
    }
}

extension Failure {
    /// A sensitive message that would be kept for connections that may not be encrypted.
    fileprivate static func unkept(_ name: String) -> Failure {
        Failure(.encryptionRequired, "\(name) is sensitive, and is kept only where every connection is encrypted: let encryption be required; it was not sent")
    }
}
