// The owner of an outbox: gives it connections and a disk, and does what it asks for. The outbox decides (GinnelCore, Delivery); nothing is performed under the lock.

internal import GinnelCore
internal import GinnelTransport

final class MessageSender: Sendable {
    private struct State {
        var outbox: Outbox
        /// The one in use: the last that was opened.
        var connection: Connection?
        var connectionNumber: UInt64 = 0
        var receipts: [UInt64: DeliveryReceipt] = [:]
        var waiters = Waiters<Void>()
        /// Who waits for the messages up to this one; of several the smallest.
        var nearestFlush = UInt64.max
        /// What the account was told that is kept.
        var counted = 0
        /// How often there was room again: whoever was told to wait may find that it has come meanwhile.
        var rooms: UInt64 = 0
        /// Ids that the disk would not forget; tried again with the next change.
        var unremoved: [UInt64] = []
        /// Why nothing is sent any more.
        var end: CallError?
    }

    private let state: Guarded<State>
    private let store: (any OutboxStore)?
    private let metrics: Recorder
    private let account: OutboxAccount?

    init(_ outbox: Outbox, store: (any OutboxStore)? = nil, account: OutboxAccount? = nil, metrics: Recorder) {
        state = Guarded(State(outbox: outbox))
        self.store = store
        self.account = account
        self.metrics = metrics
    }

    var identity: Identity { state.withLock { $0.outbox.sender } }
    var count: Int { state.withLock { $0.outbox.count } }
    var byteCount: Int { state.withLock { $0.outbox.byteCount } }
    /// The greatest id that was used.
    var lastId: UInt64 { state.withLock { $0.outbox.nextId - 1 } }

    // MARK: The program

    /// Returns when the message is kept; waits for room before.
    func send(_ message: OutboxMessage) async throws -> DeliveryReceipt {
        let receipt = DeliveryReceipt()
        while true {
            var steps: [Outbox.Step] = []
            // Where its own limits say no already, nobody else is to make room for it.
            let reserved = account != nil && state.withLock { $0.outbox.hasRoom(for: message) } ? message.cost : 0
            if reserved > 0 { try account?.reserve(reserved) }
            let (result, rooms) = state.withLock { state in
                if let end = state.end { return (Result<Outbox.Appended, CallError>.failure(end), state.rooms) }
                let answer = state.outbox.append(message, &steps)
                if case .accepted(let id) = answer {
                    state.receipts[id] = receipt
                    state.counted += reserved
                }
                return (.success(answer), state.rooms)
            }
            var isKept = false
            if case .success(.accepted) = result { isKept = true }
            if !isKept, reserved > 0 { account?.note(-reserved) }
            let answer = try result.get()
            perform(steps)
            switch answer {
            case .accepted:
                metrics.add(to: .messagesSent)
                pump()
                try await receipt.kept()
                return receipt
            case .wait: try await waitForChange { $0.rooms != rooms }
            case .refused(let failure): throw CallError(failure)
            }
        }
    }

    /// Returns when what was sent before is acknowledged or given up; what is sent meanwhile is not waited for.
    func flush(_ timeout: Duration) async throws {
        let last = lastId
        try await withThrowingTaskGroup { group in
            group.addTask {
                while try self.state.withLock({ state throws(CallError) in
                    if let end = state.end { throw end }
                    return state.outbox.keeps(through: last)
                }) {
                    try await self.waitForChange { state in
                        state.nearestFlush = min(state.nearestFlush, last)
                        return !state.outbox.keeps(through: last)
                    }
                }
            }
            group.addTask {
                try await System.sleep(for: timeout)
                throw GinnelError(.timedOut, "\(self.count) messages were not acknowledged within \(timeout)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Returns at the next change, or at once when `condition` holds.
    private func waitForChange(_ condition: @Sendable (inout State) -> Bool) async throws {
        try Task.checkCancellation()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let returns = state.withLock { state in
                    if condition(&state) || state.end != nil || Task.isCancelled { return true }
                    state.waiters.add(continuation)
                    return false
                }
                if returns { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.takeAll() }.resume()
        }
    }

    /// Nothing is sent any more; those who wait for an acknowledgement are told.
    func end(_ why: String) {
        let error = CallError(.unavailable, why)
        seal(error)
        end(error)
    }

    /// What is kept is given up, and whoever is connected is closed, who has not acknowledged it. After `seal`.
    func giveUp(_ failure: Failure) {
        let connection = state.withLock { $0.connection }
        end(CallError(failure))
        connection?.submit(.close(Failure(.slowReader, failure.sentence)))
    }

    /// Nothing more is taken or sent from now on; the greatest id that was used. Tells nobody yet.
    @discardableResult
    func seal(_ error: CallError) -> UInt64 {
        state.withLock { state in
            state.end = state.end ?? error
            state.outbox.connectionLost()
            return state.outbox.nextId - 1
        }
    }

    private func end(_ error: CallError) {
        let (receipts, waiters) = state.withLock { state in
            state.connection = nil
            defer { state.receipts = [:] }
            return (Array(state.receipts.values), state.waiters.takeAll())
        }
        for receipt in receipts { receipt.settle(.failure(error)) }
        waiters.resume()
        // Else the next start would send what was acknowledged.
        removeAgain()
    }

    // MARK: The connection

    /// False when it was given up meanwhile: nothing would ever be sent on this connection. `number`: greater than that of every earlier connection of the peer; of two that come at once, and are told in
    /// any order, the later one is used. Where each comes after the one before has ended, 0.
    func connected(_ connection: Connection, number: UInt64 = 0) -> Bool {
        let isWanted = state.withLock { state in
            guard state.end == nil else { return false }
            guard number >= state.connectionNumber else { return true }
            state.connectionNumber = number
            state.connection = connection
            state.outbox.connected()
            return true
        }
        guard isWanted else { return false }
        // A new connection is a good moment to ask again.
        removeAgain()
        pump()
        return true
    }

    func lost(_ connection: Connection) {
        state.withLock { state in
            // Of one that is being given up the connection is closed, and must be known until then.
            guard state.connection === connection, state.end == nil else { return }
            state.connection = nil
            state.outbox.connectionLost()
        }
    }

    func acknowledged(_ list: [Acknowledgement]) { tell { outbox, steps in outbox.acknowledged(list, &steps) } }

    func carryOn() { tell { outbox, _ in outbox.carryOn() } }

    // MARK: The outbox

    private func tell(_ body: (inout Outbox, inout [Outbox.Step]) -> Void) {
        var steps: [Outbox.Step] = []
        state.withLock { body(&$0.outbox, &steps) }
        perform(steps)
        pump()
    }

    /// Gives the session messages as long as it takes them. Any thread, and several at once.
    private func pump() {
        while true {
            let next = state.withLock { state -> (Connection, UInt64, OutgoingDelivery)? in
                guard let connection = state.connection, let message = state.outbox.next() else { return nil }
                return (connection, state.outbox.connection, message)
            }
            guard let (connection, number, message) = next else { return }
            let acceptance = connection.submit(.message(message))
            if message.redelivered, case .taken = acceptance { metrics.add(to: .messagesSentAgain) }
            var steps: [Outbox.Step] = []
            state.withLock { $0.outbox.answered(message.id, on: number, acceptance, &steps) }
            perform(steps)
        }
    }

    private func perform(_ steps: [Outbox.Step]) {
        if !steps.isEmpty { settleAccount() }
        for step in steps {
            switch step {
            case .store(let entry):
                change(.store(entry)) { error, outbox, steps in outbox.stored(entry.id, error?.ofDisk, &steps) }
            case .reserve(let last):
                change(.reserve(through: last)) { error, outbox, steps in outbox.reserved(through: last, error?.ofDisk, &steps) }
            case .remove(let ids): remove(ids)
            case .kept(let id): state.withLock { $0.receipts[id] }?.noteKept()
            case .finished(let id, let outcome): finish(id, outcome)
            case .roomAgain:
                state.withLock { state in
                    state.rooms += 1
                    return state.waiters.takeAll()
                }.resume()
            }
        }
    }

    private func finish(_ id: UInt64, _ outcome: Outbox.Outcome) {
        metrics.add(to: outcome == .taken ? .messagesAcknowledged : .messagesGivenUp)
        let (receipt, waiters) = state.withLock { state in
            let receipt = state.receipts.removeValue(forKey: id)
            guard state.nearestFlush < .max, !state.outbox.keeps(through: state.nearestFlush) else { return (receipt, Waiters<Void>()) }
            // Those who wait for later ones say so again.
            state.nearestFlush = .max
            return (receipt, state.waiters.takeAll())
        }
        receipt?.settle(outcome.result)
        waiters.resume()
    }

    private func settleAccount() {
        guard let account else { return }
        let change = state.withLock { state in
            defer { state.counted = state.outbox.byteCount }
            return state.outbox.byteCount - state.counted
        }
        if change != 0 { account.note(change) }
    }

    // MARK: The disk

    private func change(_ change: OutboxChange, _ done: @escaping @Sendable (GinnelError?, inout Outbox, inout [Outbox.Step]) -> Void) {
        removeAgain()
        store?.make(change) { [self] error in tell { outbox, steps in done(error, &outbox, &steps) } }
    }

    /// What the disk would not forget before.
    private func removeAgain() {
        let ids = state.withLock { state in
            defer { state.unremoved = [] }
            return state.unremoved
        }
        if !ids.isEmpty { remove(ids) }
    }

    private func remove(_ ids: [UInt64]) {
        store?.make(.remove(ids)) { [self] error in
            if error == nil {
                tell { outbox, _ in outbox.removed(ids) }
            } else {
                state.withLock { state in
                    state.unremoved += ids
                    return state.waiters.takeAll()
                }.resume()
            }
        }
    }

    /// Asks the disk now and then for what it would not forget, until the task is cancelled or nothing is sent any more: as long as it is there, later messages of its lane wait.
    func keepRemoving(every pause: Duration = .seconds(1)) async {
        while !Task.isCancelled, state.withLock({ $0.end == nil }) {
            try? await waitForChange { !$0.unremoved.isEmpty }
            guard state.withLock({ !$0.unremoved.isEmpty }), (try? await System.sleep(for: pause)) != nil else { continue }
            removeAgain()
        }
    }
}

/// Where it is counted what a service keeps for all its clients.
struct OutboxAccount: Sendable {
    /// Counts so many bytes more, or throws when there is no room.
    let reserve: @Sendable (Int) throws(CallError) -> Void
    let note: @Sendable (Int) -> Void
}

extension GinnelError {
    /// What a message is told that the disk did not keep.
    fileprivate var ofDisk: Failure { Failure(.resourceExhausted, "the outbox did not keep the message: \(self)") }
}

extension Outbox.Outcome {
    fileprivate var result: Result<Void, CallError> {
        switch self {
        case .taken: .success(())
        case .refused(let code): .failure(CallError(code, "the receiver refused the message for good"))
        case .dropped: .failure(CallError(.resourceExhausted, "the message was given up for a newer one (outbox.limits.overflow)"))
        case .failed(let failure): .failure(CallError(failure))
        }
    }
}
