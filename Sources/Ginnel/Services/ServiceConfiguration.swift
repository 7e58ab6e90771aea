// How a service behaves. Every limit has a default.

public import GinnelCore
public import GinnelTransport

/// The configuration of a service.
public struct ServiceConfiguration: Sendable {
    /// How many connections it takes, and how fast.
    public var connections = ConnectionLimits.defaults
    /// What it keeps for one peer.
    public var limits = SessionLimits.defaults
    public var timeouts = SessionTimeouts.defaults
    /// How long calls may go on once the service stops. Default 30 s.
    public var shutdownTimeout: Duration = .seconds(30)
    /// How connections are waited for. The environment variable `GINNEL_ENGINE` goes before it. Default `.reactor`. With `.threads` there are as many threads as connections, so
    /// `connections.maximum` is the limit of both; who comes when the system has no thread left is turned away.
    public var engine = Engine.reactor
    public var loops = LoopConfiguration.defaults
    /// Whether small messages wait for others, so that many leave with one system call. Default: they do not.
    public var batching = Batching.none
    /// Whether CRC-32C is offered for every frame. Default false: local kernels do not flip bits.
    public var checksums = false
    /// What is offered where a service's `transports` contain `.sharedMemory`. A connection there holds 2 × `ringBytes` of memory from the offer on, used or not.
    public var sharedMemory = SharedMemoryOptions.defaults
    /// Whether payloads are compressed for clients that want it too; `.native` only. Default `nil`: never.
    public var compression: Compression?
    /// Whether connections are encrypted; `.native` only. Default `nil`: never.
    public var encryption: Encryption?
    /// Where tools reach a service none of whose endpoints speaks native. Default `.automatic`.
    public var control = ControlEndpoint.automatic
    /// What is added to every call, for libraries that count or trace. Default none.
    public var instruments = Instruments()
    /// What is remembered of clients that send messages with an acknowledgement.
    public var inbox = InboxLimits.defaults
    /// What is kept, for each client, of messages that it has not acknowledged.
    public var outbox = OutboxLimits.defaults
    /// What is kept of such messages for all clients together.
    public var outboxes = OutboxTotals.defaults
    /// Name and version of the program, shown to peers.
    public var program = ""
    public var log = Log.standardError

    public static let defaults = ServiceConfiguration()

    public init() {}
}

/// One place where a service listens.
struct Listening: Sendable {
    var endpoint: Endpoint
    var format: WireFormat
    var transports: Set<Transport>
    var access: Access
    var policy: PeerPolicy
    /// It serves the reserved methods alone, to tools.
    var isControl = false
    /// What `transports` come to; found by `resolved()`.
    var beginning = Beginning.channel

    /// Who may connect when nothing is said: the same user where the endpoint is this user's, and whoever the files let in where it is meant for others.
    init(_ endpoint: Endpoint, _ format: WireFormat, _ transports: Set<Transport>, _ access: Access, _ policy: PeerPolicy?) {
        self.endpoint = endpoint
        self.format = format
        self.transports = transports
        self.access = access
        self.policy = policy ?? (access == .currentUser ? .sameUser : .anyLocalUser)
    }

    /// Ready to be opened. Throws `invalid` when format, transports and endpoint do not fit together.
    func resolved() throws -> Listening {
        var listening = self
        listening.beginning = try transports.beginning(of: format, at: endpoint)
        return listening
    }

    /// What a peer reads that is turned away: nothing where the format does not speak yet.
    func refusal(_ code: FailureCode) -> [UInt8] {
        if case .stream = beginning { [] } else { format.refusal(code) }
    }
}
