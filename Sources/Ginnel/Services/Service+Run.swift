// The life of a running service: open, serve, stop, clean up.

internal import GinnelCore
internal import GinnelTransport

extension Service {
    /// Listens and serves until `beginGracefulShutdown()` or the cancellation of the task; every connection, handler and thread has ended when it returns.
    ///
    /// - Throws: `GinnelError` when an endpoint cannot be opened, `invalid` when its format and transports do not fit together or the environment names no engine; nothing has been served then.
    public func run() async throws {
        guard let (wanted, handlers) = try begin() else { return }
        defer { move(from: [.running, .stopping, .cancelled], to: .over) }
        let engine = try chosenEngine.get()
        let listenings = try wanted.map { try $0.resolved() }
        for listening in listenings { try configuration.encryption?.check(listening.format, at: listening.endpoint) }
        _ = try Identity.random()
        let name = name
        let loops = try await EventLoopGroup.start(
            name: name.isEmpty ? "ginnel" : name, count: EventLoopGroup.defaultCount(configuration.loops), configuration.loops, engine: engine
        ) { [log = configuration.log, recorder] what, nanoseconds in
            recorder.add(to: .loopsHeldUp)
            log(.warning, .loopHeldUp, "a loop was held up", ["by": what, "for": "\(Duration.wholeNanoseconds(nanoseconds))", "limit": "reportAfter"])
        }
        let (all, reserved) = handlers.withReserved(for: self)
        let reception = Reception(self, for: listenings, handlers: all, controlHandlers: reserved, loops: loops)
        do {
            for listening in listenings { try await reception.open(listening) }
            if let control = configuration.control.listening(beside: listenings) { try await open(control, reception) }
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

    /// Opens the control endpoint. One that nobody asked for is no reason not to serve.
    private func open(_ control: Listening, _ reception: Reception) async throws {
        do {
            try await reception.open(control.resolved())
        } catch {
            guard configuration.control == .automatic else { throw error }
            configuration.log(.notice, .controlFailed, "there is no control endpoint for tools: \(error)", ["endpoint": "\(control.endpoint)"])
        }
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
        let log = configuration.log
        log(.info, .stopping, "the service stops", ["connections": "\(allConnections.count)", "calls": "\(tasks.count)"])
        let end = Moment.now.advanced(by: configuration.shutdownTimeout)
        if phase == .stopping {
            await flush(until: end)
            for connection in oldestFirst { connection.leave(failure) }
            await withTaskGroup { group in
                group.addTask { await self.waitUntil { $0.hasNobody || $0.phase != .stopping } }
                group.addTask { [configuration] in
                    try? await System.sleep(until: end)
                    guard !Task.isCancelled else { return }
                    let left = ["limit": "shutdownTimeout", "connections": "\(self.allConnections.count)", "calls": "\(self.tasks.count)"]
                    configuration.log(.warning, .cutOff, "calls went on for longer than they may, and are cut off", left)
                    self.move(from: [.stopping], to: .cancelled)
                }
                await group.next()
                group.cancelAll()
            }
        }
        for connection in oldestFirst { connection.submit(.close(failure)) }
        receiver.cancelAll()
        tasks.cancelAll()
        senders.end()
        await waitUntil { $0.hasNobody }
        await tasks.waitForAll()
        log(.info, .stopped, "the service has stopped", [:])
    }

    /// So that who is told first does not depend on addresses.
    private var oldestFirst: [Connection] { allConnections.sorted { $0.number < $1.number } }

    /// What was sent with an acknowledgement before the service stops does not stay behind, as far as its receivers are there.
    private func flush(until end: Moment) async {
        await withTaskGroup { group in
            group.addTask { await self.senders.flush() }
            group.addTask { try? await System.sleep(until: end) }
            await group.next()
            group.cancelAll()
        }
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
        if !isOpen { forgetHeld(for: connection) }
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
