// A client's outbox: in memory from the first moment on, or on disk from the moment the client runs.

internal import GinnelCore
internal import GinnelTransport

extension Client {
    /// The outbox, once it is open.
    func outbox() async throws -> MessageSender {
        guard configuration.outbox.outlivesProgram else { return try memoryOutbox() }
        await wait { if $0.sender != nil { true } else if case .over = $0.phase { true } else { false } }
        try Task.checkCancellation()
        if let sender = state.withLock({ $0.sender }) { return sender }
        _ = try connectionNow()
        throw GinnelError.clientHasEnded
    }

    /// Whatever outbox there is, or a new one in memory. Throws the error with which the client has ended, when it never had one: nobody would end what is made then.
    func memoryOutbox() throws -> MessageSender {
        if let sender = state.withLock({ $0.sender }) { return sender }
        let made = MessageSender(Outbox(sender: try Identity.random(), limits: configuration.outbox.limits), metrics: recorder)
        return try state.withLock { state throws(GinnelError) in
            if let sender = state.sender { return sender }
            if case .over(let error) = state.phase { throw error }
            state.sender = made
            return made
        }
    }

    /// Opens the outbox on disk, where there is to be one. Before anything is connected: it says who this client is.
    func openOutbox() async throws -> (any OutboxStore)? {
        guard let store = try makeStore() else { return nil }
        let sender = MessageSender(Outbox(restoring: try await store.load(), limits: configuration.outbox.limits), store: store, metrics: recorder)
        move { $0.sender = sender }
        return store
    }

    private func makeStore() throws -> (any OutboxStore)? {
        if let store = configuration.outbox.store { return store() }
        guard let path = configuration.outbox.path else { return nil }
        #if DurableOutbox
        return SQLiteOutbox(at: path)
        #else
        throw GinnelError(.unsupported, "this build keeps no messages on disk: build it with the package trait DurableOutbox, or leave out outbox.path", path: path)
        #endif
    }

    /// While the client runs.
    func keepDiskClean() async {
        if configuration.outbox.outlivesProgram { await state.withLock({ $0.sender })?.keepRemoving() }
    }

    /// Waits for what is not acknowledged, as long as there may be a connection and `flushTimeout` has not passed.
    func flushAtEnd() async {
        guard unacknowledged > 0, let sender = state.withLock({ $0.sender }) else { return }
        await withTaskGroup { group in
            group.addTask { [configuration] in try? await sender.flush(configuration.outbox.flushTimeout) }
            group.addTask { await self.wait { $0.hasStopped } }
            await group.next()
            group.cancelAll()
        }
    }

    /// The client has ended. What is on disk waits there.
    func closeOutbox(_ store: (any OutboxStore)?) async {
        let left = unacknowledged
        if left > 0 {
            configuration.log(.warning, .ended, "\(left) messages were not acknowledged; those on disk are kept there", ["endpoint": "\(endpoint)"])
        }
        state.withLock { $0.sender }?.end("the client has ended before the message was acknowledged")
        await store?.close()
    }
}
