// Staying connected: attempt after attempt, as the policy says (GinnelCore's `Reconnection` decides, this waits and connects).
//
// Between two connections calls wait for the next one. Those that were in flight end with `connectionLost`, but for two kinds that are made again: the ones that say that they are
// idempotent, and the ones that had not begun.

public import GinnelCore
internal import GinnelTransport

extension Client {
    /// Until it is told to leave or gives up. Why it gave up; `nil` when it was told to leave.
    func stayConnected(on loop: EventLoop) async -> GinnelError? {
        var error: GinnelError?
        var step = advance { $0.begin() }
        while !isLeaving, step != .giveUp {
            if case .wait(let delay) = step {
                await pause(delay)
                if !isLeaving { step = advance { $0.waited() } }
                continue
            }
            error = await attempt(on: loop)
            guard let error else { break }
            step = advance { $0.ended(error.asFailure, isFinal: error.isFinal, at: .now, random: Self.chance) }
            if case .wait(let delay) = step {
                recorder.add(to: .reconnects)
                configuration.log(.notice, .connectingAgain, "connecting again in \(delay): \(error.sentence)", error.keys.merging(["endpoint": "\(endpoint)"]) { $1 })
            }
        }
        if step != .giveUp {
            error = nil
            _ = advance { machine in
                machine.close()
                return .giveUp
            }
        }
        stop(error)
        return error
    }

    /// There will be no more connections. Those who wait for one hear it now; on the last one calls go on to say that it has ended.
    private func stop(_ error: GinnelError?) {
        move { state in
            state.hasStopped = true
            state.watchers.finish()
            if case .connected = state.phase { return }
            state.phase = .over(error ?? .clientHasEnded)
        }
        hub.end()
    }

    /// A connection from its beginning to its end: why it failed or ended, `nil` when this side wanted it so.
    private func attempt(on loop: EventLoop) async -> GinnelError? {
        do {
            guard let ending = try await connect(on: loop) else { return nil }
            return Self.error(of: await ending.wait())
        } catch {
            return error as? GinnelError ?? GinnelError(.other, "\(error)")
        }
    }

    private func advance(_ body: (inout Reconnection) -> Reconnection.Step) -> Reconnection.Step {
        var step = Reconnection.Step.giveUp
        move { state in
            step = body(&state.reconnection)
            state.watchers.tell(state.reconnection.state)
        }
        return step
    }

    /// What spreads the attempts. A generator that fails spreads nothing, and is no reason to stay away.
    private static var chance: UInt64 { (try? System.randomNumber()) ?? 0 }

    /// Waits, but no longer than the client is wanted.
    private func pause(_ delay: Duration) async {
        await withTaskGroup { group in
            group.addTask { try? await System.sleep(for: delay) }
            group.addTask { await self.wait { $0.isLeaving } }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { close() }
    }

    // MARK: What the connection says, on the loop

    func note(_ connection: Connection, _ establishment: Establishment) {
        move { state in
            state.establishment = establishment
            state.phase = .connected(connection)
            state.reconnection.connected(at: .now)
            state.watchers.tell(.connected)
        }
    }

    /// No more calls can be made on it. Where another connection may follow, they wait for that.
    func noteLoss(of connection: Connection) {
        guard configuration.reconnect.isRepeated else { return }
        move { state in
            if case .connected(let current) = state.phase, current === connection { state.phase = .connecting }
        }
    }

    // MARK: Watching

    /// What the client does about its connection now.
    public var connectionState: ConnectionState { state.withLock { $0.reconnection.state } }

    /// The same, now and with every change, until the client has ended. Each caller gets a sequence of its own; one that reads too slowly misses the oldest of more than 64.
    public var connectionStates: AsyncStream<ConnectionState> {
        let (stream, continuation) = AsyncStream.makeStream(of: ConnectionState.self, bufferingPolicy: .bufferingNewest(64))
        state.withLock { state in
            continuation.yield(state.reconnection.state)
            state.watchers.add(continuation)
        }
        return stream
    }
}

/// Who wants to hear of changes. Kept under the client's lock; continuations of streams never call back.
struct ConnectionWatchers: Sendable {
    private var continuations: [AsyncStream<ConnectionState>.Continuation] = []
    private var isOver = false

    mutating func add(_ continuation: AsyncStream<ConnectionState>.Continuation) {
        if isOver { continuation.finish() } else { continuations.append(continuation) }
    }

    /// Those who have let go of their sequence are forgotten.
    mutating func tell(_ state: ConnectionState) {
        continuations.removeAll { if case .terminated = $0.yield(state) { true } else { false } }
    }

    mutating func finish() {
        isOver = true
        for continuation in continuations { continuation.finish() }
        continuations = []
    }
}

extension GinnelError {
    static var clientHasEnded: GinnelError { GinnelError(.closed, "the client has ended; make another one") }

    /// In the protocol's words.
    var asFailure: Failure { failure ?? Failure(code == .timedOut ? .deadlineExceeded : .unavailable, "\(self)") }

    /// Whether another attempt would end like this one.
    var isFinal: Bool {
        switch code {
        case .denied, .unsafe, .invalid, .nameTooLong, .unsupported: true
        case .refused: failure?.code != .tooManyConnections
        default: false
        }
    }
}
