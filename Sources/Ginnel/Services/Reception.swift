// Where connections come in: listeners, the count of who is here, and the way from an accepted channel to a connection. A peer takes a place when it is accepted; whatever ends before it
// is a connection gives the place back.

internal import GinnelCore
internal import GinnelTransport

final class Reception: Sendable {
    private let service: Service
    private let handlers: HandlerTable
    private let loops: EventLoopGroup
    private let admission: Guarded<Admission>
    private let listeners = Guarded([(listener: Listener, loop: EventLoop)]())
    private let state = Guarded(State())
    private let complaints = Guarded(Throttle(perSecond: 10))

    private struct State {
        var isClosed = false
        /// Streams over shared memory that are being opened.
        var openings: [ObjectIdentifier: StreamOpening] = [:]
    }

    init(_ service: Service, for listenings: [Listening], handlers: HandlerTable, loops: EventLoopGroup) {
        self.service = service
        self.handlers = handlers
        self.loops = loops
        let descriptors = System.descriptors
        let wanted = service.configuration.connections
        let each = listenings.contains { $0.transports.contains(.sharedMemory) } ? ConnectionLimits.descriptorsWithSharedMemory : 1
        var limits = wanted.fitting(limit: descriptors.limit, open: descriptors.open, each: each)
        if listenings.allSatisfy({ $0.access == .currentUser }) { limits.perUser = limits.maximum }
        admission = Guarded(Admission(limits))
        if limits.maximum < wanted.maximum {
            service.configuration.log(
                .warning, "fewer connections than configured fit into the limit of descriptors",
                ["configured": "\(wanted.maximum)", "effective": "\(limits.maximum)", "descriptors": "\(descriptors.limit)"])
        }
    }

    /// Whether connections can still come in: a service of inherited connections alone ends with the last of them.
    var listens: Bool { listeners.withLock { !$0.isEmpty } }

    // MARK: Listening

    func open(_ listening: Listening) async throws {
        let loop = loops.loops[0]
        if let channel = try listening.endpoint.inheritedChannel() {
            if let failure = admission.withLock({ $0.reserve() }) { throw GinnelError(.exhausted, failure.sentence, failure: failure) }
            // Its place is taken and its connection begun before the service is said to run.
            return try await loop.run { [self] in open(channel, listening, on: loop) }
        }
        var options = ListenOptions()
        options.access = listening.access
        let listener = try Listener(
            listening.endpoint, options, loop: loop, refusal: listening.refusal(.tooManyConnections),
            accept: { [weak self] channel in self?.enter(channel, listening) },
            pace: { [weak self] now in self?.admission.withLock { $0.pace(now) } },
            trouble: { [weak self] error in self?.complain("\(error)") })
        try await loop.run { try listener.start() }
        listeners.withLock { $0.append((listener, loop)) }
        service.configuration.log(.notice, "listening", ["endpoint": "\(listening.endpoint)", "path": listener.path ?? "-", "format": listening.format.name])
    }

    /// Stops to listen. Connections go on; those that are not open yet are let go.
    func close() async {
        let openings = state.withLock { state in
            state.isClosed = true
            return state.openings.values
        }
        for opening in openings { opening.cancel(Self.stopping) }
        let all = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for (listener, loop) in all { try? await loop.run { listener.close() } }
    }

    // MARK: Coming in

    /// A channel was accepted: on its listener's loop. It goes to the next loop, if there is a place for it.
    private func enter(_ channel: any Channel, _ listening: Listening) {
        if isClosed { return turnAway(channel, listening, Failure(.shuttingDown, "the service is stopping")) }
        if let failure = admission.withLock({ $0.reserve() }) { return turnAway(channel, listening, failure) }
        let loop = loops.next()
        loop.post { [self] in open(channel, listening, on: loop) }
    }

    private static let stopping = GinnelError(.closed, "the service is stopping", failure: Failure(.shuttingDown, "the service is stopping"))

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    private func open(_ channel: any Channel, _ listening: Listening, on loop: EventLoop) {
        if case .stream = listening.beginning { return openStream(channel, listening, on: loop) }
        let channel = listening.beginning.channel(on: channel, takesOffers: false)
        let driver: Driver
        do {
            driver = try Driver.open(
                channel, machine: machine(listening, offersSharedMemory: channel.upgrade != nil), timeouts: service.configuration.timeouts,
                verification: verification(listening), role: .service, loop: loop)
        } catch {
            admission.withLock { $0.leave(nil) }
            return complain("a peer was refused: \(error)")
        }
        if let failure = admission.withLock({ $0.enter(driver.peer.user) }) {
            admission.withLock { $0.leave(nil) }
            return turnAway(channel, listening, failure)
        }
        begin(driver, listening)
    }

    /// Opens a stream over shared memory on `channel`, and has the session begin there.
    private func openStream(_ channel: any Channel, _ listening: Listening, on loop: EventLoop) {
        let configuration = service.configuration
        // Under whom the place is counted, once that is known.
        let user = Guarded<UInt32?>(nil)
        service.noteOpening(isGoingOn: true)
        let end: StreamOpening.Done = { [self] result in
            do {
                begin(Driver.open(try result.get(), machine: machine(listening, offersSharedMemory: false), timeouts: configuration.timeouts, loop: loop), listening)
            } catch {
                admission.withLock { $0.leave(user.withLock { $0 }) }
                noteFailure(error)
            }
            service.noteOpening(isGoingOn: false)
        }
        let opening: StreamOpening
        do {
            opening = try StreamOpening(
                channel, role: .service, verification: verification(listening), options: configuration.sharedMemory, timeout: configuration.timeouts.handshake, loop: loop
            ) { [admission] peer in
                if let failure = admission.withLock({ $0.enter(peer.user) }) { throw GinnelError(.exhausted, failure.sentence, peer: peer, failure: failure) }
                user.withLock { $0 = peer.user }
            }
        } catch {
            return end(.failure(error))
        }
        let id = ObjectIdentifier(opening)
        let isWanted = state.withLock { state in
            if !state.isClosed { state.openings[id] = opening }
            return !state.isClosed
        }
        guard isWanted else { return end(.failure(Self.stopping)) }
        opening.begin { [self] result in
            state.withLock { $0.openings[id] = nil }
            end(result)
        }
    }

    /// A stream was not opened.
    private func noteFailure(_ error: any Error) {
        let what = "a peer did not get its stream over shared memory: \(error)"
        switch error as? GinnelError {
        // It went away by itself, as whoever waits for a service does, or we stop.
        case let error? where error.code == .closed && error.failure == nil || isClosed: service.configuration.log(.info, what, [:])
        default: complain(what)
        }
    }

    private func verification(_ listening: Listening) -> PeerVerification { PeerVerification(listening.policy, alsoReading: handlers.wantedFields) }

    private func machine(_ listening: Listening, offersSharedMemory: Bool) -> any SessionMachine {
        let configuration = service.configuration
        return listening.format.machine(
            WireFormat.Ingredients(
                role: .service, service: listening.endpoint.serviceName, identity: service.instance, program: configuration.program,
                limits: configuration.limits, timeouts: configuration.timeouts, checksums: configuration.checksums,
                sharedMemory: offersSharedMemory ? configuration.sharedMemory : nil, compression: configuration.compression, encryption: configuration.encryption))
    }

    /// A peer is let in whose place is counted under its user.
    private func begin(_ driver: Driver, _ listening: Listening) {
        let configuration = service.configuration
        let user = driver.peer.user
        let owner = Connection.Owner(
            handlers: handlers, tasks: service.tasks, events: service.events, log: configuration.log,
            complain: { [self] what, metadata in complain(what, metadata) },
            established: { _, _ in },
            fellBack: { [service] in service.state.withLock { $0.fallbacks += 1 } },
            ended: { [self] connection, reason in
                admission.withLock { $0.leave(user) }
                service.noteConnection(connection, isOpen: false)
                if reason.isOurComplaint {
                    complain("a connection ended: \(reason)", connection.metadata)
                } else {
                    configuration.log(.info, "a connection ended: \(reason)", connection.metadata)
                }
            })
        let connection = Connection(driver, listening.beginning, owner)
        service.noteConnection(connection, isOpen: true)
        configuration.log(.info, "a peer connected", connection.metadata)
        connection.start()
        // The service may have begun to stop between the accept and here.
        if isClosed { connection.leave(Failure(.shuttingDown, "the service is stopping")) }
    }

    /// Tells a peer for whom there is no place, and nothing else.
    private func turnAway(_ channel: any Channel, _ listening: Listening, _ failure: Failure) {
        Driver.sendRefusal(listening.refusal(failure.code), to: channel)
        channel.close(drain: .seconds(1))
        if failure.code != .shuttingDown { complain("a connection was turned away: \(failure)") }
    }

    /// Warns, a few times a second at most: whoever floods the service does not flood its log, nor hold it up with writing.
    private func complain(_ what: String, _ metadata: [String: String] = [:]) {
        guard let skipped = complaints.withLock({ $0.pass(Moment.now.awake) }) else { return }
        let unsaid = skipped > 0 ? ["unsaid": "\(skipped)"] : [:]
        service.configuration.log(.warning, what, metadata.merging(unsaid) { first, _ in first })
    }
}
