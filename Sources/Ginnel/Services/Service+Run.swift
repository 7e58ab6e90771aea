// The life of a running service: open, serve, stop, clean up.

internal import GinnelCore
internal import GinnelTransport

extension Service {
    /// Listens and serves until `beginGracefulShutdown()` or the cancellation of the task; every connection, handler and thread has ended when it returns.
    ///
    /// - Throws: `GinnelError` when an endpoint cannot be opened, `invalid` when its format and transports do not fit together; nothing has been served then.
    public func run() async throws {
        guard let (wanted, handlers) = try begin() else { return }
        defer { move(from: [.running, .stopping, .cancelled], to: .over) }
        let listenings = try wanted.map { try $0.resolved() }
        for listening in listenings { try configuration.encryption?.check(listening.format, at: listening.endpoint) }
        _ = try Identity.random()
        let name = listenings.first?.endpoint.serviceName ?? ""
        let loops = try await EventLoopGroup.start(
            name: name.isEmpty ? "ginnel" : name, count: EventLoopGroup.defaultCount(configuration.loops), configuration.loops
        ) { [log = configuration.log] what, nanoseconds in
            log(.warning, "a loop was held up", ["by": what, "for": "\(Duration.wholeNanoseconds(nanoseconds))"])
        }
        let reception = Reception(self, for: listenings, handlers: handlers.withReserved(for: self), loops: loops)
        do {
            for listening in listenings { try await reception.open(listening) }
            if !reception.listens { endWithLastConnection() }
        } catch {
            // Who came in at the endpoints that did open is told and closed.
            move(from: [.running, .stopping], to: .cancelled)
            await serve(reception)
            await loops.stop()
            throw error
        }
        await withTaskCancellationHandler {
            await serve(reception)
        } onCancel: {
            move(from: [.running, .stopping], to: .cancelled)
        }
        events.end()
        await loops.stop()
    }

    /// What is to be served; `nil` when the service was stopped before it ran.
    private func begin() throws -> ([Listening], HandlerTable)? {
        try state.withLock { state in
            switch state.phase {
            case .ready:
                state.phase = .running
                state.hasRun = true
                return (state.listenings, state.handlers)
            case .stopping where !state.hasRun:
                state.phase = .over
                return nil
            default: throw GinnelError(.invalid, "a service runs once; make another one")
            }
        }
    }

    private func serve(_ reception: Reception) async {
        await waitUntil { $0.phase != .running }
        await reception.close()
        let failure = Failure(.shuttingDown, "the service is stopping")
        if phase == .stopping {
            for connection in connections { connection.leave(failure) }
            await withTaskGroup { group in
                group.addTask { await self.waitUntil { $0.hasNobody || $0.phase != .stopping } }
                group.addTask { [configuration] in
                    try? await Task.sleep(for: configuration.shutdownTimeout)
                    if !Task.isCancelled { self.move(from: [.stopping], to: .cancelled) }
                }
                await group.next()
                group.cancelAll()
            }
        }
        for connection in connections { connection.submit(.close(failure)) }
        await waitUntil { $0.hasNobody }
        await tasks.waitForAll()
    }

    /// Waits until `condition` holds; looked at whenever the phase or the connections change.
    private func waitUntil(_ condition: @Sendable (borrowing State) -> Bool) async {
        while true {
            let holds = state.withLock { condition($0) }
            if holds { return }
            await withCheckedContinuation { continuation in
                let holds = state.withLock { state in
                    if condition(state) { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if holds { continuation.resume() }
            }
        }
    }

    /// Nobody can come in any more: when those who are here have left, the service has nothing to do.
    private func endWithLastConnection() {
        let isOver = state.withLock { state in
            state.endsWithLastConnection = true
            return state.hasNobody
        }
        if isOver { beginGracefulShutdown() }
    }

    /// A connection has begun or ended.
    func noteConnection(_ connection: Connection, isOpen: Bool) {
        note { $0.connections[ObjectIdentifier(connection)] = isOpen ? connection : nil }
    }

    /// A connection to be has begun to open its stream, or has ended that.
    func noteOpening(isGoingOn: Bool) { note { $0.openings += isGoingOn ? 1 : -1 } }

    private func note(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            if state.endsWithLastConnection, state.hasNobody, state.phase == .running { state.phase = .stopping }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
