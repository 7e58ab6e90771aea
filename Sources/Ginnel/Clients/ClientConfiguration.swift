// How a client behaves. Every limit has a default.

public import GinnelCore
public import GinnelTransport

/// The configuration of a client.
public struct ClientConfiguration: Sendable {
    /// Which service is talked to; asked before a byte is sent. `nil`, the default: `.systemService` for `.system` endpoints, `.sameUser` for all others.
    public var policy: PeerPolicy?
    public var format = WireFormat.native
    public var limits = SessionLimits.defaults
    public var timeouts = SessionTimeouts.defaults
    /// How long connecting may take, handshake not included, while the service's backlog is full. Default 30 s.
    public var connectTimeout: Duration = .seconds(30)
    /// Whether the client waits for its service to appear and connects again when the connection is lost. Default `.never`.
    public var reconnect = ReconnectPolicy.never
    /// How often one call is made again, at most, that was in flight when the connection was lost and is idempotent; and how often a stream is taken up again between two items. Default 3, not below 0.
    /// A call that brings the service down each time would do so for ever.
    public var repeats = 3
    /// Whether calls fail at once for a while when the service keeps failing. Default `nil`: they do not.
    public var circuitBreaker: CircuitBreakerPolicy?
    /// How long a call waits for `run()` to be called. Default 1 s.
    public var startTimeout: Duration = .seconds(1)
    /// How the connection is waited for. The environment variable `GINNEL_ENGINE` goes before it. Default `.reactor`.
    public var engine = Engine.reactor
    /// The loop that the client runs on: one of its own, the default, or one that several clients share. With `Engine.threads` each has its own whatever this says, and calls from tasks on
    /// the shared one cost a change of thread.
    public var loop = ClientLoop.own(.defaults)
    /// Whether small messages wait for others, so that many leave with one system call. Default: they do not.
    public var batching = Batching.none
    /// Whether CRC-32C is offered for every frame. Default false.
    public var checksums = false
    /// What may carry the connection's bytes. `nil`, the default: the socket, and shared memory when the format can go on there and the service offers it. `[.socket]`: the socket, whatever
    /// is offered. `[.sharedMemory]`: shared memory from the beginning, in any format, at a service of which the same is said.
    public var transports: Set<Transport>?
    /// What is taken when the service offers shared memory.
    public var sharedMemory = SharedMemoryOptions.defaults
    /// Whether payloads are compressed where the service wants it too; `.native` only. Default `nil`: never.
    public var compression: Compression?
    /// Whether the connection is encrypted; `.native` only. Default `nil`: never.
    public var encryption: Encryption?
    /// What is added to every call, for libraries that count or trace. Default none.
    public var instruments = Instruments()
    /// What is kept of messages that the service has not acknowledged.
    public var outbox = OutboxConfiguration()
    /// What is remembered of messages that the service sends with an acknowledgement.
    public var inbox = InboxLimits.defaults
    /// Name and version of the program, shown to the service.
    public var program = ""
    public var log = Log.standardError

    public static let defaults = ClientConfiguration()
    /// The same with a loop that looks for answers for 50 µs before it sleeps.
    public static var lowLatency: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.loop = .own(.lowLatency)
        return configuration
    }

    public init() {}
}

/// Which event loop a client runs on.
public enum ClientLoop: Sendable {
    /// One of its own: a thread for each client.
    case own(LoopConfiguration)
    /// One of `EventLoop.run`, for programs with many clients.
    case shared(EventLoop)
}
