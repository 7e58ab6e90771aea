// An endpoint whose connections are streams over shared memory.

public import GinnelCore

/// Listens at an endpoint and opens a `SharedMemoryStream` for each client that its policy accepts.
public final class SharedMemoryListener: Sendable {
    /// Clients that may be opening, or open and not accepted yet: 64. Others wait in the socket's backlog.
    public static let waitingLimit = 64

    private struct State {
        var ready: [SharedMemoryStream] = []
        var opening = 0
        var acceptors: [UInt64: CheckedContinuation<SharedMemoryStream, any Error>] = [:]
        var nextAcceptor: UInt64 = 0
        var isClosed = false
    }

    private let state = Guarded(State())
    private let loop: EventLoop
    private let listener = Guarded<Listener?>(nil)
    private let policy: PeerPolicy
    private let options: SharedMemoryStreamOptions
    private let complain: @Sendable (GinnelError) -> Void

    private init(_ policy: PeerPolicy, _ options: SharedMemoryStreamOptions, _ loop: EventLoop, _ complain: @escaping @Sendable (GinnelError) -> Void) {
        self.policy = policy
        self.options = options
        self.loop = loop
        self.complain = complain
    }

    /// Opens the endpoint. Clients are let in from now on.
    ///
    /// - Parameters:
    ///   - access: which users the file system lets in. Default `.currentUser`.
    ///   - policy: which peers are talked to; asked before a byte is read. Default `.sameUser`, and `.anyLocalUser` where `access` lets others in.
    ///   - complain: told of clients that were refused or did not get their stream, on the loop. Default: nobody.
    /// - Throws: `GinnelError` when the endpoint cannot be opened.
    public static func bind(
        _ endpoint: Endpoint, access: Access = .currentUser, policy: PeerPolicy? = nil, options: SharedMemoryStreamOptions = .defaults, on loop: EventLoop,
        complain: @escaping @Sendable (GinnelError) -> Void = { _ in }
    ) async throws -> SharedMemoryListener {
        let made = SharedMemoryListener(policy ?? (access == .currentUser ? .sameUser : .anyLocalUser), options, loop, complain)
        var listenOptions = ListenOptions()
        listenOptions.access = access
        let listener = try Listener(
            endpoint, listenOptions, loop: loop, refusal: [], accept: { [weak made] channel in made?.open(channel) },
            pace: { [weak made] now in made?.isFull == true ? now.adding(5_000_000) : nil }, trouble: { complain($0) })
        try await loop.run { try listener.start() }
        made.listener.withLock { $0 = listener }
        return made
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
                let result = state.withLock { state -> Result<SharedMemoryStream, any Error>? in
                    if !state.ready.isEmpty { return .success(state.ready.removeFirst()) }
                    if state.isClosed { return .failure(Self.closed) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.acceptors[number] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.acceptors.removeValue(forKey: number) }?.resume(throwing: CancellationError())
        }
    }

    /// Stops to listen. Streams that were accepted go on; those that were not are closed, and whoever waits in `accept` is let go.
    public func close() async {
        let (acceptors, ready) = state.withLock { state in
            state.isClosed = true
            defer {
                state.acceptors = [:]
                state.ready = []
            }
            return (state.acceptors.values, state.ready)
        }
        for acceptor in acceptors { acceptor.resume(throwing: Self.closed) }
        for stream in ready { await stream.close() }
        if let listener = listener.withLock({ $0.take() }) { try? await loop.run { listener.close() } }
    }

    private static let closed = GinnelError(.closed, "the listener was closed")

    private var isFull: Bool { state.withLock { $0.opening + $0.ready.count >= Self.waitingLimit } }

    // MARK: On the loop

    private func open(_ channel: any Channel) {
        state.withLock { $0.opening += 1 }
        do {
            let opening = try StreamOpening(
                channel, role: .service, verification: PeerVerification(policy), options: options.sharedMemory, timeout: options.handshakeTimeout, loop: loop)
            opening.begin { [self] in opened($0) }
        } catch {
            opened(.failure(error))
        }
    }

    private func opened(_ result: Result<OpenedStream, any Error>) {
        state.withLock { $0.opening -= 1 }
        do {
            hand(over: try SharedMemoryStream(result.get(), options: options, loop: loop))
        } catch {
            complain(error as? GinnelError ?? GinnelError(.other, "\(error)"))
        }
    }

    private func hand(over stream: SharedMemoryStream) {
        let (acceptor, isWanted) = state.withLock { state -> (CheckedContinuation<SharedMemoryStream, any Error>?, Bool) in
            if state.isClosed { return (nil, false) }
            if let first = state.acceptors.keys.min() { return (state.acceptors.removeValue(forKey: first), true) }
            state.ready.append(stream)
            return (nil, true)
        }
        acceptor?.resume(returning: stream)
        if !isWanted { stream.closeNow() }
    }
}
