// Where connections come in: listeners, the count of who is here, and the way from an accepted channel to a connection. A peer takes a place when it is accepted; whatever ends before it
// is a connection gives the place back.

internal import GinnelCore
internal import GinnelTransport

final class Reception: Sendable {
    private let service: Service
    private let handlers: HandlerTable
    /// Of connections at the control endpoint: the reserved methods alone.
    private let controlHandlers: HandlerTable
    private let loops: EventLoopGroup
    private let admission: Guarded<Admission>
    private let listeners = Guarded([(listener: Listener, loop: EventLoop)]())
    private let state = Guarded(State())
    private let complaints = Guarded(Throttle(perSecond: 10))

    /// A place where peers come in, and what their connections have in common.
    private final class Entrance: Sendable {
        let listening: Listening
        let owner: ConnectionOwner

        init(_ listening: Listening, _ owner: ConnectionOwner) {
            self.listening = listening
            self.owner = owner
        }
    }

    private struct State {
        var isClosed = false
        /// Streams over shared memory that are being opened.
        var openings: [ObjectIdentifier: StreamOpening] = [:]
    }

    init(_ service: Service, for listenings: [Listening], handlers: HandlerTable, controlHandlers: HandlerTable, loops: EventLoopGroup) {
        self.service = service
        self.handlers = handlers
        self.controlHandlers = controlHandlers
        self.loops = loops
        let descriptors = System.descriptors
        let wanted = service.configuration.connections
        let transport = listenings.contains { $0.transports.contains(.sharedMemory) } ? ConnectionLimits.descriptorsWithSharedMemory : 1
        let each = transport + service.engine.descriptorsOfConnection
        var limits = wanted.fitting(limit: descriptors.limit, open: descriptors.open, each: each)
        if listenings.allSatisfy({ $0.access == .currentUser }) { limits.perUser = limits.maximum }
        admission = Guarded(Admission(limits))
        if limits.maximum < wanted.maximum {
            service.configuration.log(
                .warning, .fewerConnections, "fewer connections than configured fit into the limit of descriptors",
                ["limit": "connections.maximum", "configured": "\(wanted.maximum)", "effective": "\(limits.maximum)", "descriptors": "\(descriptors.limit)"])
        }
    }

    /// Whether connections can still come in: a service of inherited connections alone ends with the last of them.
    var listens: Bool { listeners.withLock { !$0.isEmpty } }

    // MARK: Listening

    func open(_ listening: Listening) async throws {
        let entrance = Entrance(listening, owner(of: listening))
        if let channel = try listening.endpoint.inheritedChannel() {
            if let failure = admission.withLock({ $0.reserve() }) { throw GinnelError(.exhausted, failure.sentence, failure: failure) }
            let loop = try loops.forConnection()
            // Its place is taken and its connection begun before the service is said to run.
            return try await loop.run { [self] in open(channel, entrance, on: loop) }
        }
        let loop = loops.loops[0]
        var options = ListenOptions()
        options.access = listening.access
        let listener = try Listener(
            listening.endpoint, options, loop: loop, refusal: listening.refusal(.tooManyConnections),
            accept: { [weak self] channel in self?.enter(channel, entrance) },
            pace: { [weak self] now in self?.admission.withLock { $0.pace(now) } },
            trouble: { [weak self] error in self?.noteUnaccepted(error) })
        try await loop.run { try listener.start() }
        listeners.withLock { $0.append((listener, loop)) }
        let place = ["endpoint": "\(listening.endpoint)", "path": listener.path ?? "-", "format": listening.format.name, "engine": service.engine.name]
        if listening.isControl {
            service.configuration.log(.info, .controlListening, "a control endpoint for tools", place)
        } else {
            service.configuration.log(.notice, .listening, "listening", place)
        }
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

    /// A channel was accepted: on its listener's loop. It goes to a loop of its own or to the next one, if there is a place for it.
    private func enter(_ channel: any Channel, _ entrance: Entrance) {
        let listening = entrance.listening
        if isClosed { return turnAway(channel, listening, Failure(.shuttingDown, "the service is stopping")) }
        if let failure = admission.withLock({ $0.reserve() }) { return turnAway(channel, listening, failure) }
        do {
            let loop = try loops.forConnection()
            loop.post { [self] in open(channel, entrance, on: loop) }
        } catch {
            admission.withLock { $0.leave(nil) }
            turnAway(channel, listening, Failure(.tooManyConnections, "\(error)"))
        }
    }

    /// Who came in with a place and a loop has left. On the loop.
    private func letGo(_ user: UInt32?, _ loop: EventLoop) {
        admission.withLock { $0.leave(user) }
        loops.giveBack(loop)
    }

    private static let stopping = GinnelError(.closed, "the service is stopping", failure: Failure(.shuttingDown, "the service is stopping"))

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    private func open(_ channel: any Channel, _ entrance: Entrance, on loop: EventLoop) {
        let listening = entrance.listening
        if case .stream = listening.beginning { return openStream(channel, entrance, on: loop) }
        let channel = listening.beginning.channel(on: channel, takesOffers: false)
        let driver: Driver
        do {
            driver = try Driver.open(
                channel, timeouts: service.configuration.timeouts, verification: verification(listening), refusal: listening.refusal(.peerRefused), loop: loop
            ) { [self] peer in
                machine(listening, for: peer, offersSharedMemory: channel.upgrade != nil)
            }
        } catch {
            letGo(nil, loop)
            service.recorder.note(.refusals, (error as? GinnelError)?.failure?.code ?? .connectionLost)
            return complain(.refused, "a peer was refused: \(error)", keys(error, listening))
        }
        if let failure = admission.withLock({ $0.enter(driver.peer.user) }) {
            letGo(nil, loop)
            return turnAway(channel, listening, failure)
        }
        begin(driver, entrance)
    }

    /// Opens a stream over shared memory on `channel`, and has the session begin there.
    private func openStream(_ channel: any Channel, _ entrance: Entrance, on loop: EventLoop) {
        let listening = entrance.listening
        let configuration = service.configuration
        // Under whom the place is counted, once that is known.
        let user = Guarded<UInt32?>(nil)
        service.noteOpening(isGoingOn: true)
        let end: StreamOpening.Done = { [self] result in
            do {
                let stream = try result.get()
                begin(Driver.open(stream, machine: machine(listening, for: stream.peer, offersSharedMemory: false), timeouts: configuration.timeouts, loop: loop), entrance)
            } catch {
                letGo(user.withLock { $0 }, loop)
                noteFailure(error, listening)
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
    private func noteFailure(_ error: any Error, _ listening: Listening) {
        let what = "a peer did not get its stream over shared memory: \(error)"
        switch error as? GinnelError {
        // It went away by itself, as whoever waits for a service does, or we stop.
        case let error? where error.code == .closed && error.failure == nil || isClosed: service.configuration.log(.info, .streamNotOpened, what, keys(error, listening))
        default:
            service.recorder.note(.refusals, (error as? GinnelError)?.failure?.code ?? .connectionLost)
            complain(.streamNotOpened, what, keys(error, listening))
        }
    }

    private func keys(_ error: any Error, _ listening: Listening) -> [String: String] {
        ((error as? GinnelError)?.keys ?? [:]).merging(["endpoint": "\(listening.endpoint)"]) { $1 }
    }

    /// A connection was there and could not be accepted.
    private func noteUnaccepted(_ error: GinnelError) {
        service.recorder.note(.refusals, .resourceExhausted)
        complain(.acceptFailed, "\(error)", error.keys)
    }

    private func handlers(of listening: Listening) -> HandlerTable { listening.isControl ? controlHandlers : handlers }

    private func verification(_ listening: Listening) -> PeerVerification {
        let fields = handlers(of: listening).wantedFields
        return PeerVerification(listening.policy, alsoReading: listening.isControl ? fields : fields.union(service.receiver.wantedFields))
    }

    private func machine(_ listening: Listening, for peer: PeerIdentity, offersSharedMemory: Bool) -> any SessionMachine {
        let configuration = service.configuration
        return listening.format.machine(
            WireFormat.Ingredients(
                role: .service, service: listening.endpoint.serviceName, peer: peer, identity: service.instance, program: configuration.program,
                requests: service.requests, limits: configuration.limits, timeouts: configuration.timeouts, checksums: configuration.checksums,
                sharedMemory: offersSharedMemory ? configuration.sharedMemory : nil, compression: configuration.compression, encryption: configuration.encryption))
    }

    /// A peer is let in whose place is counted under its user.
    private var messages: ConnectionMessages {
        let senders = service.senders
        return ConnectionMessages(
            receiver: service.receiver, began: { senders.connected($1, of: $0.peer.owner, on: $0) }, used: { senders.used(for: $1, of: $0.peer.owner) },
            ended: { senders.lost($1, on: $0) }, arePrivate: service.configuration.encryption?.isRequired == true)
    }

    private func owner(of listening: Listening) -> ConnectionOwner {
        let endpoint = ["endpoint": "\(listening.endpoint)"]
        return ConnectionOwner(
            handlers: handlers(of: listening), tasks: service.tasks, events: listening.isControl ? EventHub() : service.events, log: service.configuration.log,
            metrics: service.recorder, isControl: listening.isControl, messages: listening.isControl ? nil : messages,
            complain: { [self] event, what, metadata in complain(event, what, metadata) },
            held: { [service] connection, change in service.noteHeld(change, for: connection) },
            ended: { [self] connection, reason in
                letGo(connection.peer.user, connection.loop)
                service.noteConnection(connection, isOpen: false)
                let keys = connection.metadata.merging(endpoint) { $1 }.merging(reason.keys) { $1 }
                if reason.isOurComplaint {
                    complain(.ended, "a connection ended: \(reason)", keys)
                } else {
                    service.configuration.log(.info, .ended, "a connection ended: \(reason)", keys)
                }
            })
    }

    private func begin(_ driver: Driver, _ entrance: Entrance) {
        // A connection with a thread of its own counts wherever there is room.
        let lane = loops.loops.firstIndex { $0 === driver.loop } ?? Int(UInt16(truncatingIfNeeded: Int(bitPattern: ObjectIdentifier(driver)) >> 6))
        driver.batching = service.configuration.batching
        let connection = Connection(driver, entrance.listening.beginning, entrance.owner, lane: service.recorder.lane(lane))
        service.noteConnection(connection, isOpen: true)
        service.configuration.log(.info, .connected, "a peer connected", connection.metadata.merging(["endpoint": "\(entrance.listening.endpoint)"]) { $1 })
        connection.start()
        // The service may have begun to stop between the accept and here.
        if isClosed { connection.leave(Failure(.shuttingDown, "the service is stopping")) }
    }

    /// Tells a peer for whom there is no place, and nothing else.
    private func turnAway(_ channel: any Channel, _ listening: Listening, _ failure: Failure) {
        Driver.sendRefusal(listening.refusal(failure.code), to: channel)
        channel.close(drain: .seconds(1))
        service.recorder.note(.refusals, failure.code)
        let keys = failure.known.merging(["endpoint": "\(listening.endpoint)"]) { $1 }
        if failure.code == .shuttingDown {
            service.configuration.log(.info, .turnedAway, "a connection was turned away: \(failure)", keys)
        } else {
            complain(.turnedAway, "a connection was turned away: \(failure)", keys)
        }
    }

    /// Warns, a few times a second at most: whoever floods the service does not flood its log, nor hold it up with writing.
    private func complain(_ event: LogEvent, _ what: String, _ metadata: [String: String]) {
        guard let skipped = complaints.withLock({ $0.pass(Moment.now.awake) }) else { return }
        let unsaid = skipped > 0 ? ["unsaid": "\(skipped)"] : [:]
        service.configuration.log(.warning, event, what, metadata.merging(unsaid) { first, _ in first })
    }
}
