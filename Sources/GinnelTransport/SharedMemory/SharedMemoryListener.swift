// An endpoint whose connections are streams over shared memory.
//
// A client takes a place when it is accepted from the socket, and with it, once it is verified, a share of its user's. While every place of those that wait is taken nobody is accepted:
// clients wait in the socket's backlog, where they cost nothing, until `accept` or the end of an opening makes room.

public import GinnelCore

/// Listens at an endpoint and opens a `SharedMemoryStream` for each client that its policy accepts.
///
/// Whoever has one closes it; one that is still open when its loop stops is closed then. Any thread.
public final class SharedMemoryListener: Sendable {
    /// Clients that may be opening, or open and not accepted yet: 64; of one user, where others may connect too, 32. Others wait in the socket's backlog.
    public static let waitingLimit = 64

    /// A stream that waits to be accepted, and whose it is.
    private struct Ready {
        let stream: SharedMemoryStream
        let user: UInt32?
    }

    private struct State {
        var places: StreamPlaces
        var ready: [Ready] = []
        var openings: [ObjectIdentifier: StreamOpening] = [:]
        var acceptors: [UInt64: CheckedContinuation<SharedMemoryStream, any Error>] = [:]
        var nextAcceptor: UInt64 = 0
        var isPaused = false
        var isClosed = false
        /// On the loop; 0 before and after.
        var token: UInt64 = 0
        var listener: Listener?
    }

    private let state: Guarded<State>
    private let loop: EventLoop
    private let policy: PeerPolicy
    private let options: SharedMemoryStreamOptions
    private let complain: @Sendable (GinnelError) -> Void

    private init(
        _ policy: PeerPolicy, _ options: SharedMemoryStreamOptions, _ places: StreamPlaces, _ loop: EventLoop, _ complain: @escaping @Sendable (GinnelError) -> Void
    ) {
        self.policy = policy
        self.options = options
        self.loop = loop
        self.complain = complain
        state = Guarded(State(places: places))
    }

    /// Opens the endpoint. Clients are let in from now on.
    ///
    /// - Parameters:
    ///   - access: which users the file system lets in. Default `.currentUser`.
    ///   - policy: which peers are talked to; asked before a byte is read. Default `.sameUser`, and `.anyLocalUser` where `access` lets others in.
    ///   - limits: how many streams there may be at once, of one user where others may connect too, and how fast they come. Lowered to what the process's descriptors allow.
    ///   - complain: told of clients that were refused or did not get their stream, on the loop. Default: nobody.
    /// - Throws: `GinnelError` when the endpoint cannot be opened.
    public static func bind(
        _ endpoint: Endpoint, access: Access = .currentUser, policy: PeerPolicy? = nil, limits: ConnectionLimits = .defaults,
        options: SharedMemoryStreamOptions = .defaults, on loop: EventLoop, complain: @escaping @Sendable (GinnelError) -> Void = { _ in }
    ) async throws -> SharedMemoryListener {
        let places = StreamPlaces(fitting(limits), waiting: waitingLimit, isShared: access != .currentUser)
        let made = SharedMemoryListener(policy ?? (access == .currentUser ? .sameUser : .anyLocalUser), options, places, loop, complain)
        var listenOptions = ListenOptions()
        listenOptions.access = access
        let listener = try Listener(
            endpoint, listenOptions, loop: loop, refusal: [], accept: { [weak made] channel in made?.open(channel) },
            pace: { [weak made] now in made?.state.withLock { $0.places.pace(now) } }, trouble: { complain($0) })
        try await loop.run { try made.begin(listener) }
        return made
    }

    /// A stream holds its socket and, where they are descriptors, two doorbells.
    private static func fitting(_ limits: ConnectionLimits) -> ConnectionLimits {
        let (limit, open) = System.descriptors
        return limits.fitting(limit: open + max(0, limit - open) / (1 + 2 * Doorbell.descriptors), open: open)
    }

    /// The next client's stream.
    ///
    /// - Throws: `GinnelError` with `closed` after `close()`; `CancellationError`.
    public func accept() async throws -> SharedMemoryStream {
        let number = state.withLock { state in
            state.nextAcceptor += 1
            return state.nextAcceptor
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (result, makesRoom) = state.withLock { state -> (Result<SharedMemoryStream, any Error>?, Bool) in
                    if !state.ready.isEmpty {
                        let first = state.ready.removeFirst()
                        state.places.leaveWaiting(first.user)
                        return (.success(first.stream), state.isPaused)
                    }
                    if state.isClosed { return (.failure(Self.closed), false) }
                    if Task.isCancelled { return (.failure(CancellationError()), false) }
                    state.acceptors[number] = continuation
                    return (nil, false)
                }
                if makesRoom { loop.post { [self] in settle() } }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.acceptors.removeValue(forKey: number) }?.resume(throwing: CancellationError())
        }
    }

    /// Stops to listen. Streams that were accepted go on; those that were not are closed, clients that were still opening theirs are let go, and so is whoever waits in `accept`.
    public func close() async { try? await loop.run { [self] in closeNow() } }

    private static let closed = GinnelError(.closed, "the listener was closed", failure: Failure(.shuttingDown, "the listener was closed"))

    // MARK: On the loop

    private func begin(_ listener: Listener) throws {
        let token = loop.add(self)
        state.withLock { state in
            state.token = token
            state.listener = listener
        }
        do {
            try listener.start()
        } catch {
            closeNow()
            throw error
        }
    }

    private func closeNow() {
        let old = state.withLock { state in
            defer {
                state.isClosed = true
                state.acceptors = [:]
                state.ready = []
                state.listener = nil
            }
            return state
        }
        guard !old.isClosed else { return }
        loop.remove(old.token)
        old.listener?.close()
        for acceptor in old.acceptors.values { acceptor.resume(throwing: Self.closed) }
        for ready in old.ready { ready.stream.closeNow() }
        for opening in old.openings.values { opening.cancel(Self.closed) }
    }

    /// A client was accepted from the socket.
    private func open(_ channel: any Channel) {
        if let failure = state.withLock({ $0.places.reserve() }) {
            channel.close(drain: .zero)
            return complain(GinnelError(.exhausted, failure.sentence, failure: failure))
        }
        settle()
        // Under whom the place is counted, once that is known.
        let user = Guarded<UInt32?>(nil)
        do {
            let opening = try StreamOpening(
                channel, role: .service, verification: PeerVerification(policy), options: options.sharedMemory, timeout: options.handshakeTimeout, loop: loop
            ) { [self] peer in
                if let failure = state.withLock({ $0.places.enter(peer.user) }) { throw GinnelError(.exhausted, failure.sentence, peer: peer, failure: failure) }
                user.withLock { $0 = peer.user }
            }
            let id = ObjectIdentifier(opening)
            state.withLock { $0.openings[id] = opening }
            opening.begin { [self] result in
                state.withLock { $0.openings[id] = nil }
                opened(result, user.withLock { $0 })
            }
        } catch {
            opened(.failure(error), nil)
        }
    }

    private func opened(_ result: Result<OpenedStream, any Error>, _ user: UInt32?) {
        do {
            let stream = try SharedMemoryStream(result.get(), options: options, loop: loop) { [self] in state.withLock { $0.places.leave(user) } }
            hand(over: Ready(stream: stream, user: user))
        } catch {
            let isClosed = state.withLock { state in
                state.places.leaveWaiting(user)
                state.places.leave(user)
                return state.isClosed
            }
            if !isClosed { complain(error as? GinnelError ?? GinnelError(.other, "\(error)")) }
        }
        settle()
    }

    private func hand(over ready: Ready) {
        let (acceptor, isWanted) = state.withLock { state -> (CheckedContinuation<SharedMemoryStream, any Error>?, Bool) in
            if !state.isClosed, state.acceptors.isEmpty {
                state.ready.append(ready)
                return (nil, true)
            }
            state.places.leaveWaiting(ready.user)
            return (state.acceptors.keys.min().flatMap { state.acceptors.removeValue(forKey: $0) }, !state.isClosed)
        }
        acceptor?.resume(returning: ready.stream)
        if !isWanted { ready.stream.closeNow() }
    }

    /// Accepts while there is room, and not while there is none.
    private func settle() {
        let (listener, isPaused) = state.withLock { state in
            state.isPaused = state.places.isFull
            return (state.listener, state.isPaused)
        }
        if isPaused { listener?.pause() } else { listener?.resume() }
    }
}

extension SharedMemoryListener: LoopMember {
    package func isReady(_ readiness: Readiness) {}
    package func timeHasCome(_ now: Moment) {}
    package func flush() {}
    package func loopEnds() { closeNow() }
}
