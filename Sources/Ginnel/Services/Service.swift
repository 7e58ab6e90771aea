// A service: endpoints, handlers, connections. Nothing starts before `run()`, and everything has ended when it returns.

public import GinnelCore
public import GinnelTransport

/// A local service.
///
///     let service = Service(at: .named("recorder"))
///     service.handle(StartRecording.self) { request, context in
///         RecordingStarted(id: try await recorder.start(display: request.display))
///     }
///     try await service.run()
public final class Service: Sendable {
    struct State {
        var listenings: [Listening]
        var handlers = HandlerTable()
        var phase = Phase.ready
        /// `run()` was called.
        var hasRun = false
        var connections: [ObjectIdentifier: Connection] = [:]
        /// Connections to be, whose streams over shared memory are being opened.
        var openings = 0
        /// It listens nowhere: it was given the connections that it has.
        var endsWithLastConnection = false
        /// Resumed when the phase changes or the last connection ends.
        var waiters: [CheckedContinuation<Void, Never>] = []

        var hasNobody: Bool { connections.isEmpty && openings == 0 }
    }

    enum Phase: Sendable, Equatable {
        case ready
        case running
        /// No new connections and calls; those in flight go on.
        case stopping
        /// Everything is being cut off.
        case cancelled
        case over
    }

    public let configuration: ServiceConfiguration
    /// The engine, or why there is none.
    let chosenEngine: Swift.Result<Engine, GinnelError>
    /// Differs between two starts of the service.
    public let instance: Identity
    let state: Guarded<State>
    let tasks = HandlerTasks()
    let events = EventHub()
    let receiver: MessageReceiver
    let senders: MessageSenders
    let recorder: Recorder
    /// What waits for the peers of each user.
    let accounts: Guarded<OutputAccounts<ObjectIdentifier>>
    /// What is in hand for them, where handlers outlive their connection.
    let requests: Guarded<RequestAccounts>

    /// A service that listens at `endpoint` once it runs.
    ///
    /// - Parameters:
    ///   - format: how it speaks there. Default `.native`.
    ///   - transports: what carries a connection's bytes. `[.socket]`, the default: the socket. `[.socket, .sharedMemory]`: it begins on the socket, and clients that want to go on
    ///     through shared memory may; `.native` only. `[.sharedMemory]`: through shared memory from the beginning, in any format, for clients of which the same is said.
    ///   - access: which users the file system lets in. Default `.currentUser`.
    ///   - policy: which peers are talked to; asked before a byte is read. Default `.sameUser`, and `.anyLocalUser` where `access` lets others in.
    public init(
        at endpoint: Endpoint, format: WireFormat = .native, transports: Set<Transport> = [.socket], access: Access = .currentUser,
        policy: PeerPolicy? = nil, configuration: ServiceConfiguration = .defaults
    ) {
        self.configuration = configuration
        accounts = Guarded(OutputAccounts(limit: configuration.connections.bufferedBytesPerUser))
        requests = Guarded(RequestAccounts(limit: configuration.connections.requestBytesPerUser))
        recorder = Recorder(lanes: EventLoopGroup.defaultCount(configuration.loops), configuration.instruments)
        chosenEngine = Swift.Result { () throws(GinnelError) in try Engine.chosen(configured: configuration.engine) }
        // A generator that fails is reported by `run()`, which needs it too; an identity of zeros is never sent.
        instance = (try? Identity.random()) ?? Identity(high: 0, low: 0)
        let senders = MessageSenders(instance, configuration.outbox, configuration.outboxes, metrics: recorder)
        self.senders = senders
        receiver = MessageReceiver(
            configuration.inbox, tasks: tasks, metrics: recorder, isKeptFor: { senders.keeps($0) },
            warn: { [log = configuration.log] event, what, keys in log(.warning, event, what, keys) })
        state = Guarded(State(listenings: [Listening(endpoint, format, transports, access, policy)]))
    }

    /// Listens at a further endpoint, with its own format, access and policy. Before `run()`.
    public func listen(
        at endpoint: Endpoint, format: WireFormat = .native, transports: Set<Transport> = [.socket], access: Access = .currentUser,
        policy: PeerPolicy? = nil
    ) {
        state.withLock { $0.listenings.append(Listening(endpoint, format, transports, access, policy)) }
    }

    /// Adds a handler to the table. Before `run()`.
    func add(_ method: String, _ handler: Handler) {
        precondition(!method.hasPrefix(HandlerTable.reservedPrefix), "method names that begin with \(HandlerTable.reservedPrefix) are taken")
        state.withLock { state in
            precondition(state.phase == .ready, "handlers are added before run()")
            state.handlers.add(method, handler)
        }
    }

    /// Those that are connected now, tools at the control endpoint excepted.
    public var connections: [Connection] { allConnections.filter { !$0.isControl } }

    var allConnections: [Connection] { state.withLock { Array($0.connections.values) } }
    /// How connections are waited for; `.reactor` also where the environment names no engine, which `run()` says.
    public var engine: Engine { (try? chosenEngine.get()) ?? .reactor }

    /// Sends an event to all that are connected; how many took it.
    @discardableResult
    public func broadcast(_ event: some Event, priority: Priority = .normal) throws -> Int {
        try send(event, to: connections, priority: priority)
    }

    /// Events that clients send, of one kind, from now on. `capacity`: how many may wait for a slow subscriber. Default 256.
    public func events<Received: Event>(of type: Received.Type, capacity: Int = 256) -> EventStream<Received> { EventStream(events, capacity: capacity) }

    /// Stops gracefully: no new connections and calls; `run()` returns when those in flight have ended, or when `shutdownTimeout` has passed. Any thread.
    /// Before `run()`: it will return at once.
    public func beginGracefulShutdown() { move(from: [.ready, .running], to: .stopping) }

    func move(from: Set<Phase>, to phase: Phase) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard from.contains(state.phase) else { return [] }
            state.phase = phase
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    var phase: Phase { state.withLock { $0.phase } }
}
