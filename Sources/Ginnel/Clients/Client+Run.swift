// The life of a client: begin, stay connected, clean up.

internal import GinnelCore
internal import GinnelTransport

extension Client {
    /// Connects and keeps the connection until it ends or the task is cancelled; with a `reconnect` policy, until that gives up. Calls may be made while this runs.
    ///
    /// - Throws: `GinnelError` when the service cannot be reached, refuses us, is refused by our policy, or when the connection is lost; `invalid` when format and transports do not fit
    ///   together or the environment names no engine. Returns without an error after `close()` and after the task was cancelled.
    public func run() async throws {
        let (loop, store) = try await begin()
        let error = await withTaskCancellationHandler {
            await withTaskGroup { group in
                state.withLock { $0.canFlush = true }
                group.addTask { await self.flushWhenClosed() }
                group.addTask { await self.keepDiskClean() }
                let error = await stayConnected(on: loop)
                group.cancelAll()
                return error
            }
        } onCancel: {
            disconnect()
        }
        await end(loop, store, error)
        if let error { throw error }
    }

    /// Connects, runs `body` with the connected client, and disconnects when it returns or throws.
    ///
    /// The body runs on the client's own loop, wherever this is called from: what it awaits from the client costs no thread hop. Child tasks inherit the loop; a long computation
    /// belongs on another executor.
    ///
    /// - Parameter reconnect: as in `init`. The body begins with the first connection.
    public static func connect<Result: Sendable>(
        to endpoint: Endpoint, reconnect: ReconnectPolicy? = nil, configuration: ClientConfiguration = .defaults,
        _ body: @concurrent @Sendable (Client) async throws -> Result
    ) async throws -> Result {
        let client = Client(to: endpoint, reconnect: reconnect, configuration: configuration)
        let (loop, store) = try await client.begin()
        let result = await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await client.stayConnected(on: loop) }
            group.addTask { await client.keepDiskClean() }
            let result = await client.result(of: body, on: loop)
            await client.flushAtEnd()
            client.close()
            await client.waitUntilStopped()
            group.cancelAll()
            return result
        }
        await client.end(loop, store, nil)
        return try result.get()
    }

    private func result<Value: Sendable>(
        of body: @concurrent @Sendable (Client) async throws -> Value, on loop: EventLoop
    ) async -> Result<Value, any Error> {
        do {
            _ = try await connection()
        } catch {
            // Nobody but a cancelled task can have asked it to leave.
            return .failure(Task.isCancelled ? CancellationError() : error)
        }
        return await withTaskExecutorPreference(loop) { () async -> Result<Value, any Error> in
            do {
                return .success(try await body(self))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Ends the connection when the calls in flight have ended; `run()` returns then. While there is none, because it connects or waits to: `run()` returns at once.
    /// Messages that are not acknowledged are waited for while there is a connection, for at most `configuration.outbox.flushTimeout`.
    public func close() {
        var waits = false
        move { state in
            guard state.canFlush, !state.isFlushing, case .connected = state.phase, (state.sender?.count ?? 0) > 0 else { return }
            state.isFlushing = true
            waits = true
        }
        if !waits { leaveInOrder() }
    }

    private func leaveInOrder() { leave()?.leave(Failure(.finished, "the client has no more to ask")) }

    private func flushWhenClosed() async {
        await wait { $0.isFlushing }
        if Task.isCancelled { return }
        await flushAtEnd()
        leaveInOrder()
    }

    /// Ends the connection at once, or does not begin it.
    func disconnect() { leave()?.submit(.close(Failure(.finished, "the client was cancelled"))) }

    private func leave() -> Connection? {
        var (connection, opening): (Connection?, StreamOpening?)
        move { state in
            state.isLeaving = true
            (connection, opening) = (state.connection, state.opening)
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

    /// Once.
    private func begin() async throws -> (EventLoop, (any OutboxStore)?) {
        var isFirst = false
        move { state in
            guard case .ready = state.phase else { return }
            isFirst = true
            state.phase = .connecting
        }
        guard isFirst else { throw GinnelError(.invalid, "a client runs once; make another one") }
        do {
            let store = try await openOutbox()
            do {
                return (try startLoop(), store)
            } catch {
                await store?.close()
                throw error
            }
        } catch {
            let error = error as? GinnelError ?? GinnelError(.other, "\(error)")
            move { $0.phase = .over(error) }
            throw error
        }
    }

    private func startLoop() throws -> EventLoop {
        let engine = try chosenEngine.get()
        let settings: LoopConfiguration
        switch (configuration.loop, engine) {
        case (.shared(let loop), .reactor): return loop
        case (.shared, .threads): settings = .defaults
        case (.own(let own), _): settings = own
        }
        let loop = try EventLoop(name: "ginnel-client", settings, engine: engine)
        loop.reportsSlowness = { [log = configuration.log, recorder] what, nanoseconds in
            recorder.add(to: .loopsHeldUp)
            log(.warning, .loopHeldUp, "the client's loop was held up", ["by": what, "for": "\(Duration.wholeNanoseconds(nanoseconds))", "limit": "reportAfter"])
        }
        try loop.start()
        return loop
    }

    private func end(_ loop: EventLoop, _ store: (any OutboxStore)?, _ error: GinnelError?) async {
        move { state in
            if case .connected = state.phase { state.phase = .over(error ?? .clientHasEnded) }
            state.connection = nil
        }
        receiver.cancelAll()
        tasks.cancelAll()
        await tasks.waitForAll()
        await closeOutbox(store)
        if case .shared(let shared) = configuration.loop, shared === loop { return }
        await loop.stop()
    }
}
