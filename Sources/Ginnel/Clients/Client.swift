// A client: one connection to one service at a time, and the calls on it. Nothing starts before `run()` or `connect`, and everything has ended when they return.

public import GinnelCore
public import GinnelTransport

/// A client of a local service.
///
///     try await Client.connect(to: .named("recorder")) { client in
///         let started = try await client.call(StartRecording(display: 1), deadline: .seconds(5))
///     }
public final class Client: Sendable {
    enum Phase {
        /// `run()` was not called yet.
        case ready
        /// There is no connection on which a call could be made, but there may be one soon.
        case connecting
        case connected(Connection)
        case over(GinnelError)
    }

    struct State {
        var phase = Phase.ready
        /// The connection, also while it shakes hands.
        var connection: Connection?
        /// The stream over shared memory that is being opened for it.
        var opening: StreamOpening?
        /// `close()` was called, or the task was cancelled: nothing more is begun.
        var isLeaving = false
        /// `close()` was called, and what is not acknowledged yet is waited for.
        var isFlushing = false
        /// `run()` looks after that.
        var canFlush = false
        /// There will be no more connections.
        var hasStopped = false
        var handlers = HandlerTable()
        var establishment: Establishment?
        /// What it keeps of messages that are not acknowledged; with a file, once that is open.
        var sender: MessageSender?
        var reconnection: Reconnection
        var watchers = ConnectionWatchers()
        var breaker: CircuitBreaker?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    public let endpoint: Endpoint
    public let configuration: ClientConfiguration
    /// The engine, or why there is none.
    let chosenEngine: Swift.Result<Engine, GinnelError>
    let state: Guarded<State>
    let tasks = HandlerTasks()
    let hub = EventHub()
    let receiver: MessageReceiver
    let recorder: Recorder

    /// A client of the service at `endpoint`; it connects in `run()`.
    ///
    /// - Parameter reconnect: whether it waits for the service to appear and connects again when the connection is lost; instead of `configuration.reconnect`.
    public init(to endpoint: Endpoint, reconnect: ReconnectPolicy? = nil, configuration: ClientConfiguration = .defaults) {
        var configuration = configuration
        if let reconnect { configuration.reconnect = reconnect }
        // What was handed to this process can be connected to once.
        if endpoint.isInherited { configuration.reconnect = .never }
        self.endpoint = endpoint
        self.configuration = configuration
        recorder = Recorder(lanes: 1, configuration.instruments)
        receiver = MessageReceiver(configuration.inbox, tasks: tasks, metrics: recorder) { [log = configuration.log] event, what, keys in log(.warning, event, what, keys) }
        chosenEngine = Swift.Result { () throws(GinnelError) in try Engine.chosen(configured: configuration.engine) }
        state = Guarded(State(reconnection: Reconnection(configuration.reconnect), breaker: configuration.circuitBreaker.map(CircuitBreaker.init)))
    }

    // MARK: The connection

    /// The connection, once there is one. A call made before `run()` waits a moment for it and then fails by name.
    func connection() async throws -> Connection {
        if let connection = try connectionNow() { return connection }
        if isReady { try await waitForRun() }
        while true {
            if let connection = try connectionNow() { return connection }
            try Task.checkCancellation()
            await wait { if case .connecting = $0.phase { false } else { true } }
        }
    }

    /// The same, for a call that must have ended at `deadline` of the continuous clock: waiting for a connection is part of its time.
    func connection(until deadline: UInt64?) async throws -> Connection {
        guard let deadline, try connectionNow() == nil else { return try await connection() }
        let now = Moment.now.continuous
        let left = Duration.wholeNanoseconds(deadline > now ? deadline - now : 0)
        return try await withThrowingTaskGroup { group in
            group.addTask { try await self.connection() }
            group.addTask {
                try await System.sleep(for: left)
                throw CallError(.deadlineExceeded, "the deadline passed before there was a connection; the call was not begun")
            }
            defer { group.cancelAll() }
            guard let connection = try await group.next() else { throw CancellationError() }
            return connection
        }
    }

    /// The connection, if there is one now.
    func connectionNow() throws -> Connection? {
        try state.withLock { state in
            switch state.phase {
            case .connected(let connection): return connection
            case .over(let error): throw error
            case .ready, .connecting: return nil
            }
        }
    }

    /// Whether `run()` has not been called yet.
    private var isReady: Bool { if case .ready = state.withLock({ $0.phase }) { true } else { false } }

    private func waitForRun() async throws {
        await withTaskGroup { group in
            group.addTask { await self.wait { if case .ready = $0.phase { false } else { true } } }
            group.addTask { [configuration] in try? await System.sleep(for: configuration.startTimeout) }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
        if isReady {
            throw GinnelError(.notRunning, "run() of this client is not running; call it, or use Client.connect(to:)")
        }
    }

    /// Returns when the condition holds, or when the task is cancelled.
    func wait(until condition: @escaping @Sendable (borrowing State) -> Bool) async {
        while !Task.isCancelled, !state.withLock({ condition($0) }) {
            await withTaskCancellationHandler {
                await nextChange { condition($0) || Task.isCancelled }
            } onCancel: {
                move { _ in }
            }
        }
    }

    /// Returns when there will be no more connections. When the task is cancelled, or was, the one that there is ends at once.
    func waitUntilStopped() async {
        await withTaskCancellationHandler {
            while !state.withLock({ $0.hasStopped }) { await nextChange { $0.hasStopped } }
        } onCancel: {
            disconnect()
        }
    }

    /// Returns at the next change, or at once.
    private func nextChange(unless condition: @Sendable (borrowing State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let returns = state.withLock { state in
                if condition(state) { return true }
                state.waiters.append(continuation)
                return false
            }
            if returns { continuation.resume() }
        }
    }

    /// Changes the state and lets those look that wait for it.
    func move(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Whether the calling thread is the one on which the connection lives; false before there is one.
    package var isOnLoop: Bool { if case .connected(let connection) = state.withLock({ $0.phase }) { connection.loop.isCurrent } else { false } }

    /// How the connection is waited for; `.reactor` also where the environment names no engine, which `run()` says.
    public var engine: Engine { (try? chosenEngine.get()) ?? .reactor }

    // MARK: What the service said

    /// Who serves, as the kernel says; `nil` before it is connected.
    public var service: PeerIdentity? {
        state.withLock { state in if case .connected(let connection) = state.phase { connection.peer } else { nil } }
    }

    /// What carries the connection's bytes; `nil` before it is connected.
    public var transport: Transport? {
        state.withLock { state in if case .connected(let connection) = state.phase { connection.transport } else { nil } }
    }

    /// Whether everything that is said is sealed; false before it is connected.
    public var isEncrypted: Bool { state.withLock { $0.establishment?.isEncrypted ?? false } }

    /// Differs between two starts of the service; `nil` before it is connected.
    public var serviceInstance: Identity? { state.withLock { $0.establishment?.instance } }
}
