// The owner of an inbox: hands its messages to handlers and its answers to connections. One for each service or client, over all its connections, so that what was dealt with on
// one is known on the next. The inbox decides (GinnelCore, Delivery); nothing is performed under the lock.

internal import GinnelCore
internal import GinnelTransport

final class MessageReceiver: Sendable {
    private struct State {
        var inbox: Inbox
        var owners = SenderOwners()
        var handlers: [String: MessageHandler] = [:]
        var connections: [UInt64: Connection] = [:]
        var entries: [ObjectIdentifier: (number: UInt64, sender: Identity)] = [:]
        /// The last connection of each sender that has one.
        var latest: [Identity: Connection] = [:]
        var last: UInt64 = 0
        /// Handlers that run; `nil` for a moment while one is being started.
        var running: [UInt64: Task<Void, Never>?] = [:]
        var isOver = false
    }

    private let state: Guarded<State>
    private let tasks: HandlerTasks
    private let metrics: Recorder
    private let isKeptFor: @Sendable (Identity) -> Bool
    private let warn: @Sendable (LogEvent, String, [String: String]) -> Void
    private let complaints = Guarded(Throttle(perSecond: 10))

    /// - Parameter isKeptFor: whether messages are kept for whoever is known as this sender, so that nobody else may come as it. Called under the lock.
    init(
        _ limits: InboxLimits, tasks: HandlerTasks, metrics: Recorder, isKeptFor: @escaping @Sendable (Identity) -> Bool = { _ in false },
        warn: @escaping @Sendable (LogEvent, String, [String: String]) -> Void
    ) {
        state = Guarded(State(inbox: Inbox(limits: limits)))
        self.tasks = tasks
        self.metrics = metrics
        self.isKeptFor = isKeptFor
        self.warn = warn
    }

    func add(_ name: String, _ handler: MessageHandler) {
        precondition((1...255).contains(name.utf8.count), "a message's name has 1 to 255 bytes")
        state.withLock { state in
            precondition(state.handlers[name] == nil, "messages of the name \(name) have a handler already")
            state.handlers[name] = handler
        }
    }

    /// What the policies of its messages need to know of a peer.
    var wantedFields: Set<PeerIdentity.Field> {
        state.withLock { $0.handlers.values.reduce(into: []) { fields, handler in if let policy = handler.policy { fields.formUnion(policy.wants) } } }
    }

    /// Bytes of messages that wait or are in hand.
    var heldBytes: Int { state.withLock { $0.inbox.heldBytes } }

    // MARK: Connections, on their loops

    /// False when it is another user who has connected as this sender before.
    func connected(_ connection: Connection, _ sender: Identity) -> Bool {
        state.withLock { state in
            let owner = connection.peer.owner
            let isAdmitted = state.owners.admits(sender, of: owner) { [inbox = state.inbox, latest = state.latest] in
                inbox.knows($0) || latest[$0] != nil || isKeptFor($0)
            }
            guard isAdmitted else { return false }
            state.last += 1
            state.entries[ObjectIdentifier(connection)] = (state.last, sender)
            state.connections[state.last] = connection
            state.latest[sender] = connection
            state.inbox.connected(sender, of: owner, on: state.last, at: .now)
            return true
        }
    }

    func lost(_ connection: Connection) {
        state.withLock { state in
            guard let (number, sender) = state.entries.removeValue(forKey: ObjectIdentifier(connection)) else { return }
            state.connections[number] = nil
            if state.latest[sender] === connection { state.latest[sender] = nil }
            state.inbox.connectionEnded(number, at: .now)
        }
    }

    func received(_ message: IncomingDelivery, of input: borrowing RawSpan, on connection: Connection) {
        metrics.add(to: .messagesReceived)
        let handler = state.withLock { $0.handlers[message.name] }
        guard connection.admits(message.name, isSensitive: handler?.isSensitive == true) else {
            connection.submit(.acknowledge(id: message.id, code: .encryptionRequired))
            return
        }
        if case .refused(let reason)? = handler?.policy?.verdict(on: connection.peer) {
            metrics.note(.refusals, .forbidden)
            let keys = ["method": message.name, "reason": FailureCode.forbidden.label]
            complain(.forbidden, "a message \(message.name) was forbidden: \(reason)", connection.metadata.merging(keys) { $1 })
            connection.submit(.acknowledge(id: message.id, code: .forbidden))
            return
        }
        var steps: [Inbox.Step] = []
        state.withLock { state in
            guard let number = state.entries[ObjectIdentifier(connection)]?.number else { return }
            state.inbox.received(message, of: input, on: number, at: .now, &steps)
        }
        perform(steps)
    }

    /// No handler begins any more, and those that run are cancelled.
    func cancelAll() {
        let running = state.withLock { state in
            state.isOver = true
            return state.running.values.compactMap { $0 }
        }
        for task in running { task.cancel() }
    }

    // MARK: The inbox

    /// One step after the other, with what each brings about: a peer that has sent thousands of messages that nobody receives must not have them answered inside each other.
    private func perform(_ steps: [Inbox.Step]) {
        var next = steps
        while !next.isEmpty {
            let batch = next
            next = []
            for step in batch {
                switch step {
                case .handle(let message): handle(message, &next)
                case .acknowledge(let number, let id, let refusal): state.withLock { $0.connections[number] }?.submit(.acknowledge(id: id, code: refusal))
                case .close(let number, let failure): state.withLock { $0.connections[number] }?.submit(.close(failure))
                }
            }
        }
    }

    private func answer(_ message: InboxMessage, _ refusal: FailureCode?, _ steps: inout [Inbox.Step]) {
        state.withLock { $0.inbox.answered(message.id, of: message.sender, refusal, at: .now, &steps) }
    }

    private func handle(_ message: InboxMessage, _ steps: inout [Inbox.Step]) {
        let (handler, connection, isOver) = state.withLock { ($0.handlers[message.name], $0.latest[message.sender], $0.isOver) }
        // What is not answered any more stays with its sender.
        if isOver { return }
        guard let handler else {
            complain(.handlerFailed, "nobody receives messages \(message.name)", ["method": message.name, "reason": FailureCode.unknownMethod.label])
            return answer(message, .unknownMethod, &steps)
        }
        if message.redelivered { metrics.add(to: .messagesRedelivered) }
        let context = MessageContext(
            name: message.name, sender: message.sender, id: message.id, isRedelivered: message.redelivered, priority: Priority(message.lane), codec: message.codec,
            peer: connection?.peer)
        let key = state.withLock { state in
            state.last += 1
            state.running.updateValue(nil, forKey: state.last)
            return state.last
        }
        let task = tasks.start(on: handler.executor == .loop ? connection?.loop : nil) { [self] in
            let refusal: FailureCode?
            do {
                try await handler.body(message.payload, context)
                refusal = nil
            } catch {
                refusal = self.refusal(error, message.name)
            }
            let (isOver, _) = state.withLock { ($0.isOver, $0.running.removeValue(forKey: key)) }
            // A handler that was cancelled has not dealt with it.
            if isOver && refusal == .cancelled { return }
            var steps: [Inbox.Step] = []
            answer(message, refusal, &steps)
            perform(steps)
        }
        let isTooLate = state.withLock { state in
            // Unless it has ended already.
            if state.running[key] != nil { state.running[key] = task }
            return state.isOver
        }
        // Outside the lock: the handler's own `onCancel` runs here.
        if isTooLate { task.cancel() }
    }

    /// Of what a peer can cause as often as it likes: a few times a second.
    private func complain(_ event: LogEvent, _ what: String, _ keys: [String: String]) {
        guard let skipped = complaints.withLock({ $0.pass(Moment.now.awake) }) else { return }
        warn(event, what, skipped > 0 ? keys.merging(["unsaid": "\(skipped)"]) { first, _ in first } : keys)
    }

    private func refusal(_ error: any Error, _ name: String) -> FailureCode {
        let failure = Failure(thrown: error, by: name)
        if failure.code == .internal { complain(.handlerFailed, "the handler of messages \(name) failed: \(error)", ["method": name]) }
        return failure.code
    }
}

extension PeerIdentity {
    /// The user to whom what it sends, and what is kept for it, is counted; one for all of whom the system says nothing.
    var owner: String { sid ?? user.map { "\($0)" } ?? "" }
}
