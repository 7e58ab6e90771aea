// One attempt: connect, verify the service, shake hands, in shared memory where it begins there.

internal import GinnelCore
internal import GinnelTransport

extension Client {
    /// Connects, verifies the service and shakes hands. The connection is ready when this returns; `nil` when it is wanted no more.
    func connect(on loop: EventLoop) async throws -> Ending? {
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

    var isLeaving: Bool { state.withLock { $0.isLeaving } }

    /// Verifies the service and begins the session, in shared memory where it begins there.
    private func open(_ channel: any Channel, _ beginning: Beginning, on loop: EventLoop, _ ending: Ending) async throws {
        let identity = try memoryOutbox().identity
        let policy = PeerVerification(configuration.policy ?? endpoint.defaultPolicy)
        switch beginning {
        case .stream:
            let stream = try await openStream(channel, policy, on: loop)
            try await loop.run { [self] in
                begin(Driver.open(stream, machine: machine(identity, for: stream.peer, takesSharedMemory: false), timeouts: configuration.timeouts, loop: loop), beginning, ending)
            }
        case .channel, .upgradable:
            let channel = beginning.channel(on: channel, takesOffers: true)
            try await loop.run { [self] in
                let driver = try Driver.open(channel, timeouts: configuration.timeouts, verification: policy, refusal: [], loop: loop) { [self] peer in
                    machine(identity, for: peer, takesSharedMemory: channel.upgrade != nil)
                }
                begin(driver, beginning, ending)
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

    private func machine(_ identity: Identity, for peer: PeerIdentity, takesSharedMemory: Bool) -> any SessionMachine {
        configuration.format.machine(
            WireFormat.Ingredients(
                role: .client, service: endpoint.serviceName, peer: peer, identity: identity, program: configuration.program, limits: configuration.limits,
                timeouts: configuration.timeouts, checksums: configuration.checksums,
                sharedMemory: takesSharedMemory ? configuration.sharedMemory : nil, compression: configuration.compression, encryption: configuration.encryption))
    }

    /// On the loop.
    private func begin(_ driver: Driver, _ beginning: Beginning, _ ending: Ending) {
        let (table, sender) = state.withLock { ($0.handlers, $0.sender) }
        let handlers = table.counted(by: recorder)
        let keys = ["endpoint": "\(endpoint)"]
        let owner = ConnectionOwner(
            handlers: handlers, tasks: tasks, events: hub, log: configuration.log, metrics: recorder,
            messages: sender.map { sender in ConnectionMessages(receiver: receiver, began: { connection, _ in connection.take(sender) }, used: { _, _ in sender }) },
            complain: { [log = configuration.log] event, what, metadata in log(.warning, event, what, metadata) },
            established: { [weak self, log = configuration.log] connection, establishment in
                self?.note(connection, establishment)
                log(.info, .connected, "connected", connection.metadata.merging(keys) { $1 })
                ending.established()
            },
            leaving: { [weak self] connection in self?.noteLoss(of: connection) },
            ended: { [weak self, log = configuration.log] connection, reason in
                let ended = connection.metadata.merging(keys) { $1 }.merging(reason.keys) { $1 }
                log(reason.isOurComplaint ? .warning : .info, .ended, "the connection ended: \(reason)", ended)
                self?.noteLoss(of: connection)
                ending.end(reason)
            })
        driver.batching = configuration.batching
        let connection = Connection(driver, beginning, owner)
        state.withLock { $0.connection = connection }
        connection.start()
    }

    /// What `run()` throws for an end that nobody on this side asked for.
    static func error(of reason: CloseReason) -> GinnelError? {
        if reason.by == .us, reason.failure.code == .finished { return nil }
        let refusals: Set<FailureCode> = [.peerRefused, .versionUnsupported, .wrongService, .tooManyConnections, .encryptionRequired, .encryptionFailed]
        return GinnelError(refusals.contains(reason.failure.code) ? .refused : .closed, "\(reason)", failure: reason.failure)
    }
}
