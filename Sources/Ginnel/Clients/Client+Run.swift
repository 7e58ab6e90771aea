// The life of a client: connect, serve the connection, clean up.

internal import GinnelCore
internal import GinnelTransport

extension Client {
    /// Connects and keeps the connection until it ends or the task is cancelled. Calls may be made while this runs.
    ///
    /// - Throws: `GinnelError` when the service cannot be reached, refuses us, is refused by our policy, or when the connection is lost; `invalid` when format and transports do not fit
    ///   together. Returns without an error after `close()` and after the task was cancelled.
    public func run() async throws {
        try begin()
        let loop: EventLoop
        do {
            loop = try startLoop()
        } catch {
            finish(error)
            throw error
        }
        let reason: CloseReason?
        do {
            reason = try await withTaskCancellationHandler {
                try await connect(on: loop)?.wait()
            } onCancel: {
                disconnect()
            }
        } catch {
            finish(error)
            await stop(loop)
            throw error
        }
        await end(loop)
        if let reason, let error = Self.error(of: reason) { throw error }
    }

    /// Connects, runs `body` with the connected client, and disconnects when it returns or throws.
    ///
    /// The body runs on the client's own loop, wherever this is called from: what it awaits from the client costs no thread hop. Child tasks inherit the loop; a long computation
    /// belongs on another executor.
    public static func connect<Result: Sendable>(
        to endpoint: Endpoint, configuration: ClientConfiguration = .defaults, _ body: @concurrent @Sendable (Client) async throws -> Result
    ) async throws -> Result {
        let client = Client(to: endpoint, configuration: configuration)
        try client.begin()
        let loop = try client.startLoop()
        let ending: Ending
        do {
            let opened = try await withTaskCancellationHandler {
                try await client.connect(on: loop)
            } onCancel: {
                client.disconnect()
            }
            // Nobody but a cancelled task can have asked it to leave.
            guard let opened else { throw CancellationError() }
            ending = opened
        } catch {
            client.finish(error)
            await client.stop(loop)
            throw error
        }
        let result = await withTaskExecutorPreference(loop) { () async -> Swift.Result<Result, any Error> in
            do {
                return .success(try await body(client))
            } catch {
                return .failure(error)
            }
        }
        client.close()
        _ = await ending.wait(closingOnCancel: client)
        await client.end(loop)
        return try result.get()
    }

    /// Ends the connection when the calls in flight have ended; `run()` returns then. Before that and while it connects: `run()` returns at once.
    public func close() { leave()?.leave(Failure(.finished, "the client has no more to ask")) }

    /// Ends the connection at once, or does not begin it.
    func disconnect() { leave()?.submit(.close(Failure(.finished, "the client was cancelled"))) }

    private func leave() -> Connection? {
        let (connection, opening) = state.withLock { state in
            state.isLeaving = true
            return (state.connection, state.opening)
        }
        opening?.cancel()
        return connection
    }

    /// Waits for a service to appear: looks every `interval`, for at most `timeout`.
    ///
    /// - Throws: `GinnelError` with `timedOut` when none did, `denied` or another code at once when waiting would not help.
    public static func wait(for endpoint: Endpoint, timeout: Duration = .seconds(10), interval: Duration = .milliseconds(100)) async throws {
        // The connection only shows that somebody accepts; it is dropped without a word.
        guard !endpoint.isInherited else { throw GinnelError(.invalid, "\(endpoint) is connected already; there is nothing to wait for") }
        let channel = try await Connector.wait(for: endpoint, timeout: timeout, interval: interval)
        channel.close(drain: .zero)
    }

    // MARK: Steps

    private func begin() throws {
        try state.withLock { state in
            guard case .ready = state.phase else { throw GinnelError(.invalid, "a client runs once; make another one") }
        }
        move { $0.phase = .connecting }
    }

    private func startLoop() throws -> EventLoop {
        let settings: LoopConfiguration
        switch configuration.loop {
        case .shared(let loop): return loop
        case .own(let own): settings = own
        }
        let loop = try EventLoop(name: "ginnel-client", settings)
        loop.reportsSlowness = { [log = configuration.log] what, nanoseconds in
            log(.warning, "the client's loop was held up", ["by": what, "for": "\(Duration.wholeNanoseconds(nanoseconds))"])
        }
        try loop.start()
        return loop
    }

    private func stop(_ loop: EventLoop) async {
        if case .own = configuration.loop { await loop.stop() }
    }

    /// Connects, verifies the service and shakes hands. The connection is ready when this returns; `nil` when it is wanted no more.
    private func connect(on loop: EventLoop) async throws -> Ending? {
        do {
            let transports = configuration.transports ?? (configuration.format.canUpgrade ? [.socket, .sharedMemory] : [.socket])
            let beginning = try transports.beginning(of: configuration.format, at: endpoint)
            try configuration.encryption?.check(configuration.format, at: endpoint)
            let channel = try await Connector.connect(to: endpoint, timeout: configuration.connectTimeout) { !self.isLeaving }
            guard let channel else { return nil }
            let ending = Ending()
            try await open(channel, beginning, on: loop, ending)
            // Those who wanted to leave before there was a connection could not tell it.
            if isLeaving { disconnect() }
            guard let reason = await ending.waitForEstablishment() else { return ending }
            guard let error = Self.error(of: reason) else { return nil }
            throw error
        } catch is CancellationError {
            return nil
        }
    }

    private var isLeaving: Bool { state.withLock { $0.isLeaving } }

    /// Verifies the service and begins the session, in shared memory where it begins there.
    private func open(_ channel: any Channel, _ beginning: Beginning, on loop: EventLoop, _ ending: Ending) async throws {
        let identity = try Identity.random()
        let policy = PeerVerification(configuration.policy ?? endpoint.defaultPolicy)
        switch beginning {
        case .stream:
            let stream = try await openStream(channel, policy, on: loop)
            try await loop.run { [self] in
                begin(Driver.open(stream, machine: machine(identity, takesSharedMemory: false), timeouts: configuration.timeouts, loop: loop), beginning, ending)
            }
        case .channel, .upgradable:
            let channel = beginning.channel(on: channel, takesOffers: true)
            try await loop.run { [self] in
                let machine = machine(identity, takesSharedMemory: channel.upgrade != nil)
                begin(try Driver.open(channel, machine: machine, timeouts: configuration.timeouts, verification: policy, role: .client, loop: loop), beginning, ending)
            }
        }
    }

    private func openStream(_ channel: any Channel, _ policy: PeerVerification, on loop: EventLoop) async throws -> OpenedStream {
        let opening = try StreamOpening(
            channel, role: .client, verification: policy, options: configuration.sharedMemory, timeout: configuration.timeouts.handshake, loop: loop)
        let isLeaving = state.withLock { state in
            state.opening = opening
            return state.isLeaving
        }
        defer { state.withLock { $0.opening = nil } }
        if isLeaving { throw CancellationError() }
        return try await opening.run()
    }

    private func machine(_ identity: Identity, takesSharedMemory: Bool) -> any SessionMachine {
        configuration.format.machine(
            WireFormat.Ingredients(
                role: .client, service: endpoint.serviceName, identity: identity, program: configuration.program, limits: configuration.limits,
                timeouts: configuration.timeouts, checksums: configuration.checksums,
                sharedMemory: takesSharedMemory ? configuration.sharedMemory : nil, compression: configuration.compression, encryption: configuration.encryption))
    }

    /// On the loop.
    private func begin(_ driver: Driver, _ beginning: Beginning, _ ending: Ending) {
        let handlers = state.withLock { $0.handlers }
        let owner = Connection.Owner(
            handlers: handlers, tasks: tasks, events: hub, log: configuration.log,
            complain: { [log = configuration.log] what, metadata in log(.warning, what, metadata) },
            established: { [weak self] connection, establishment in
                self?.move { state in
                    state.establishment = establishment
                    state.phase = .connected(connection)
                }
                ending.established()
            },
            ended: { [hub, configuration] connection, reason in
                configuration.log(reason.isOurComplaint ? .warning : .info, "the connection ended: \(reason)", connection.metadata)
                hub.end()
                ending.end(reason)
            })
        let connection = Connection(driver, beginning, owner)
        state.withLock { $0.connection = connection }
        connection.start()
    }

    private func end(_ loop: EventLoop) async {
        finish(GinnelError(.closed, "the client has ended; make another one"))
        await tasks.waitForAll()
        await stop(loop)
    }

    private func finish(_ error: any Error) {
        let error = error as? GinnelError ?? GinnelError(.other, "\(error)")
        move { state in
            state.phase = .over(error)
            state.connection = nil
        }
        hub.end()
    }

    /// What `run()` throws for an end that nobody on this side asked for.
    private static func error(of reason: CloseReason) -> GinnelError? {
        if reason.by == .us, reason.failure.code == .finished { return nil }
        let refusals: Set<FailureCode> = [.peerRefused, .versionUnsupported, .wrongService, .tooManyConnections, .encryptionRequired, .encryptionFailed]
        return GinnelError(refusals.contains(reason.failure.code) ? .refused : .closed, "\(reason)", failure: reason.failure)
    }
}
