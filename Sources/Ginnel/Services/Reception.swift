// Where connections come in: listeners, the count of who is here, and the way from an accepted channel to a connection.

internal import GinnelCore
internal import GinnelTransport

final class Reception: Sendable {
    private let service: Service
    private let handlers: HandlerTable
    private let loops: EventLoopGroup
    private let admission: Guarded<Admission>
    private let listeners = Guarded([(listener: Listener, loop: EventLoop)]())
    private let isClosed = Guarded(false)
    private let complaints = Guarded(Throttle(perSecond: 10))

    init(_ service: Service, for listenings: [Listening], handlers: HandlerTable, loops: EventLoopGroup) {
        self.service = service
        self.handlers = handlers
        self.loops = loops
        let descriptors = System.descriptors
        let wanted = service.configuration.connections
        var limits = wanted.fitting(limit: descriptors.limit, open: descriptors.open)
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
            listening.endpoint, options, loop: loop, refusal: listening.format.refusal(.tooManyConnections),
            accept: { [weak self] channel in self?.enter(channel, listening) },
            pace: { [weak self] now in self?.admission.withLock { $0.pace(now) } },
            trouble: { [weak self] error in self?.complain("\(error)") })
        try await loop.run { try listener.start() }
        listeners.withLock { $0.append((listener, loop)) }
        service.configuration.log(.notice, "listening", ["endpoint": "\(listening.endpoint)", "path": listener.path ?? "-", "format": listening.format.name])
    }

    /// Stops to listen. Connections go on.
    func close() async {
        isClosed.withLock { $0 = true }
        let all = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for (listener, loop) in all { try? await loop.run { listener.close() } }
    }

    // MARK: Coming in

    /// A channel was accepted: on its listener's loop. It goes to the next loop, if there is a place for it.
    private func enter(_ channel: any Channel, _ listening: Listening) {
        if isClosed.withLock({ $0 }) { return turnAway(channel, listening, Failure(.shuttingDown, "the service is stopping")) }
        if let failure = admission.withLock({ $0.reserve() }) { return turnAway(channel, listening, failure) }
        let loop = loops.next()
        loop.post { [self] in open(channel, listening, on: loop) }
    }

    private func open(_ channel: any Channel, _ listening: Listening, on loop: EventLoop) {
        let configuration = service.configuration
        let channel = listening.transports.channel(on: channel, takesOffers: false)
        let ingredients = WireFormat.Ingredients(
            role: .service, service: listening.endpoint.serviceName, identity: service.instance, program: configuration.program,
            limits: configuration.limits, timeouts: configuration.timeouts, checksums: configuration.checksums,
            sharedMemory: channel.upgrade == nil ? nil : configuration.sharedMemory)
        let driver: Driver
        do {
            driver = try Driver.open(
                channel, machine: listening.format.machine(ingredients), timeouts: configuration.timeouts,
                verification: PeerVerification(listening.policy, alsoReading: handlers.wantedFields), role: .service, loop: loop)
        } catch {
            admission.withLock { $0.leave(nil) }
            return complain("a peer was refused: \(error)")
        }
        let user = driver.peer.user
        if let failure = admission.withLock({ $0.enter(user) }) {
            admission.withLock { $0.leave(nil) }
            return turnAway(channel, listening, failure)
        }
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
        let connection = Connection(driver, owner)
        service.noteConnection(connection, isOpen: true)
        configuration.log(.info, "a peer connected", connection.metadata)
        connection.start()
        // The service may have begun to stop between the accept and here.
        if isClosed.withLock({ $0 }) { connection.leave(Failure(.shuttingDown, "the service is stopping")) }
    }

    /// Tells a peer for whom there is no place, and nothing else.
    private func turnAway(_ channel: any Channel, _ listening: Listening, _ failure: Failure) {
        Driver.sendRefusal(listening.format.refusal(failure.code), to: channel)
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

/// Lets some things pass in every second and counts the others.
struct Throttle: Sendable {
    private let limit: Int
    private var left: Int
    private var next: UInt64 = 0
    private var skipped = 0

    init(perSecond limit: Int) {
        self.limit = limit
        left = limit
    }

    /// How many were held back since the last one, when this one may pass.
    mutating func pass(_ now: UInt64) -> Int? {
        if now >= next {
            left = limit
            next = now.adding(1_000_000_000)
        }
        guard left > 0 else {
            skipped += 1
            return nil
        }
        left -= 1
        defer { skipped = 0 }
        return skipped
    }
}
