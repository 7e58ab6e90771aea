// One connection, seen from either end: calls out, calls in, events both ways. The session decides what happens, the driver does it, and this hands it to the program.

public import GinnelCore
internal import GinnelTransport

/// A peer that is connected.
public final class Connection: Sendable {
    /// Who is at the other end, as the kernel says.
    public let peer: PeerIdentity

    private let driver: Driver
    private let owner: ConnectionOwner
    /// The number of its loop among the owner's.
    private let lane: Int
    private let running = RunningCalls()
    private let state: Guarded<State>
    let counts = ConnectionCounts()

    /// Behind one lock: each of its own would be three pieces of memory, and there may be thousands of connections.
    private struct State {
        var usesSharedMemory: Bool
        var isSealed = false
        /// Who the peer says that it is.
        var instance: Identity?
        /// The same, once it is known that it acknowledges messages.
        var correspondent: Identity?
        /// The outbox for it, when there is one.
        var sender: MessageSender?
        /// Signs of life that were asked for.
        var pings: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastPing: UInt64 = 0
    }

    /// `beginning`: as the driver was opened.
    init(_ driver: Driver, _ beginning: Beginning, _ owner: ConnectionOwner, lane: Int = 0) {
        self.driver = driver
        self.owner = owner
        self.lane = lane
        peer = driver.peer
        let usesSharedMemory = if case .stream = beginning { true } else { false }
        state = Guarded(State(usesSharedMemory: usesSharedMemory))
    }

    /// Begins the session. On the driver's loop.
    func start() {
        owner.metrics.opened(self)
        if let held = owner.held {
            driver.account = { [weak self] change in if let self { held(self, change) } }
        }
        driver.start(self)
    }

    var loop: EventLoop { driver.loop }
    var isControl: Bool { owner.isControl }
    var traffic: Traffic.Reading { driver.traffic.reading }
    var depths: LaneDepths? { driver.laneDepths }

    /// What carries the bytes. Where both are allowed it may change once, soon after the connection has begun, from `.socket` to `.sharedMemory`.
    public var transport: Transport { driver.isInProcess ? .inProcess : state.withLock { $0.usesSharedMemory } ? .sharedMemory : .socket }

    /// Whether everything that is said is sealed; false until the handshake is done.
    public var isEncrypted: Bool { state.withLock { $0.isSealed } }

    /// Whether sensitive messages may be said: nobody can stand in the middle.
    var isPrivate: Bool { isEncrypted || driver.isInProcess }

    /// Who the peer says that it is, once it has: for a client the instance of the service.
    var instance: Identity? { state.withLock { $0.instance } }

    /// Bytes that wait to be sent to this peer.
    public var bytesWaiting: Int { driver.outputBytes }

    /// Calls of this peer whose async handlers run now.
    public var callsInFlight: Int { running.count }

    // MARK: Out

    @discardableResult
    func submit(_ command: Command) -> Acceptance { driver.submit(command) }

    /// Calls a method of the peer with bytes, and gives back the bytes of the answer.
    ///
    /// - Parameters:
    ///   - deadline: how long the call may take, on both sides; the shorter of this and what is left of the deadline of the handler that makes this call. `nil`: only the latter.
    /// - Throws: `CallError`. Cancelling the task cancels the handler of the peer.
    public func call(
        _ method: String, codec: Codec = .raw, payload: [UInt8], deadline: Duration? = nil, priority: Priority = .normal
    ) async throws(CallError) -> Reply {
        try await call(
            OutgoingRequest(method: method, codec: codec, payload: payload, deadline: CallContext.absolute(deadline), lane: priority.lane))
    }

    func call(_ request: OutgoingRequest) async throws(CallError) -> Reply {
        if let failure = refusal(of: request) { throw CallError(failure) }
        let (traced, stopwatch) = prepared(request)
        let pending = PendingCall(self, stopwatch)
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                pending.begin(continuation)
                driver.submit(.call(pending, traced))
            }
        } onCancel: {
            driver.submit(.abandon(pending, Failure(.cancelled, "the caller's task was cancelled")))
        }
        return try result.get()
    }

    /// A call that is about to be submitted, in the trace of the task that makes it, and what measures it.
    func prepared(_ request: OutgoingRequest) -> (OutgoingRequest, Stopwatch) {
        var traced = request
        traced.trace = owner.metrics.instruments.traceNow
        return (traced, Stopwatch(owner.metrics.made(request.method), lane: lane))
    }

    /// Why a sensitive request cannot be made on this connection; `nil` when it can.
    func refusal(of request: OutgoingRequest) -> Failure? {
        request.isSensitive && !isPrivate ? .unencrypted("\(request.method) is sensitive; the call was not begun") : nil
    }

    /// Sends an event to this peer. False when it is longer than the peer takes, the format has no such message, or the connection has ended. Throws `CallError`, `encryptionRequired`, when it is sensitive and the
    /// connection is not encrypted.
    @discardableResult
    public func send(_ event: some Event, priority: Priority = .normal) throws -> Bool {
        let encoded = try EncodedEvent(event, priority)
        try check(encoded)
        return sendEvent(encoded)
    }

    func check(_ event: EncodedEvent) throws(CallError) {
        if event.isSensitive, !isPrivate { throw CallError(.unencrypted("the event \(event.name) is sensitive; it was not sent")) }
    }

    /// False also for a sensitive event where there is no encryption.
    func sendEvent(_ event: EncodedEvent) -> Bool {
        if event.isSensitive, !isPrivate { return false }
        guard case .taken = driver.submit(event.command) else { return false }
        owner.metrics.add(to: .eventsSent, lane: lane)
        return true
    }

    /// The same, and waits while a good deal has not left yet, so that a sender in a hurry loses nothing of its own.
    func sendEventInTurn(_ event: EncodedEvent) async -> Bool {
        if event.isSensitive, !isPrivate { return false }
        guard case .taken(let mayCarryOn) = driver.submit(event.command) else { return false }
        owner.metrics.add(to: .eventsSent, lane: lane)
        if !mayCarryOn { await waitForRoom() }
        return true
    }

    /// Returns when everything that was sent so far has left, or the connection has ended.
    @Sendable func waitForRoom() async { await driver.waitForRoom() }

    /// Ends the connection at once; the peer is told this reason.
    public func close(_ code: FailureCode = .shuttingDown, _ sentence: String = "closed by the program") {
        driver.submit(.close(Failure(code, sentence)))
    }

    /// No new calls; ends when the last one has ended.
    func leave(_ failure: Failure) { driver.submit(.farewell(failure)) }

    /// Asks for a sign of life. False when none can come: the connection has ended, its handshake is not done, its format has no ping, or the task was cancelled;
    /// and in envelopes when 64 have been asked for that were not answered.
    public func ping() async -> Bool {
        let value = state.withLock { state in
            state.lastPing += 1
            return state.lastPing
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.pings[value] = continuation }
                if Task.isCancelled || driver.submit(.ping(value)) == .ended { answer(value, false) }
            }
        } onCancel: {
            answer(value, false)
        }
    }

    private func answer(_ ping: UInt64, _ isAlive: Bool) { state.withLock { $0.pings.removeValue(forKey: ping) }?.resume(returning: isAlive) }
}

extension Connection: SessionDelegate {
    package func perform(_ action: Action, input: borrowing RawSpan) {
        switch action {
        case .established(let establishment):
            state.withLock { state in
                state.isSealed = establishment.isEncrypted
                state.instance = establishment.instance
            }
            owner.established(self, establishment)
            beginDelivery(establishment)
        case .message(let message): owner.messages?.receiver.received(message, of: input, on: self)
        case .acknowledged(let list): messageSender?.acknowledged(list)
        case .messagesMayCarryOn: messageSender?.carryOn()
        case .request(let request): serve(request, input)
        case .item(let call, let codec, let payload): running.stream(of: call)?.received(codec, payload, input)
        case .carryOn(let call): running.stream(of: call)?.carryOn()
        case .cancel(let call, let failure): running.cancel(call, failure)
        case .event(let name, let codec, let payload, let missed):
            owner.metrics.add(to: .eventsReceived, lane: lane)
            if missed > 0 { owner.metrics.add(Int(missed), to: .eventsMissed, lane: lane) }
            payload.withBytes(of: input) { owner.events.publish(name, codec, $0, missed: missed, from: self) }
        case .pong(let value): answer(value, true)
        case .farewell(let failure):
            owner.log(.info, .farewell, "the peer says goodbye: \(failure)", metadata.merging(failure.said) { $1 })
            owner.leaving(self)
        case .upgraded(let failure): upgraded(failure)
        case .replied, .failed, .streamed, .mayCarryOn, .upgrade, .close: break
        }
    }

    /// Whether all connections to this peer are private, the later ones too.
    var requiresPrivacy: Bool { isPrivate && owner.messages?.arePrivate == true }

    private var messageSender: MessageSender? { state.withLock { $0.sender } }

    /// The outbox for what the program sends to this peer, also when this connection has ended; `nil` when the peer acknowledges nothing.
    var usedSender: MessageSender? { state.withLock { $0.correspondent }.flatMap { owner.messages?.used(self, $0) } }

    private func beginDelivery(_ establishment: Establishment) {
        guard establishment.delivers, let messages = owner.messages else { return }
        guard messages.receiver.connected(self, establishment.instance) else {
            owner.complain(.refused, "a peer connected as a sender of messages that is another user's", metadata)
            return close(.forbidden, "this identity is known as another user's; make a new one")
        }
        state.withLock { $0.correspondent = establishment.instance }
        messages.began(self, establishment.instance)
    }

    /// What this outbox keeps is for this peer, and is sent on this connection. `number`: as for `MessageSender.connected`.
    func take(_ sender: MessageSender, number: UInt64 = 0) {
        state.withLock { $0.sender = sender }
        if !sender.connected(self, number: number) { close(.unavailable, "what was kept for this client was given up as it came; it is to connect again") }
    }

    private func endDelivery() {
        guard let messages = owner.messages, let correspondent = state.withLock({ $0.correspondent }) else { return }
        // First, so that no outbox is given a connection that will not tell it of its end.
        messages.ended(self, correspondent)
        messageSender?.lost(self)
        messages.receiver.lost(self)
    }

    private func upgraded(_ failure: Failure?) {
        state.withLock { $0.usesSharedMemory = failure == nil }
        if let failure {
            owner.metrics.add(to: .fallbacks, lane: lane)
            owner.log(.notice, .stayedOnSocket, "the connection stays on the socket: \(failure)", metadata.merging(failure.said) { $1 })
        } else {
            owner.log(.info, .changedToSharedMemory, "the connection goes on through shared memory", metadata)
        }
    }

    package func ended(_ reason: CloseReason) {
        let waiting = state.withLock { state in
            defer { state.pings = [:] }
            return Array(state.pings.values)
        }
        for continuation in waiting { continuation.resume(returning: false) }
        endDelivery()
        owner.metrics.ended(self, reason)
        owner.ended(self, reason)
    }

    /// Whether events of a kind that is sensitive or not are taken on this connection; those that are not are complained of.
    func admits(_ name: String, isSensitive: Bool) -> Bool {
        guard isSensitive, !isPrivate else { return true }
        owner.metrics.note(.refusals, .encryptionRequired)
        owner.complain(
            .forbidden, "an event \(name), which is sensitive, came unencrypted and was dropped", metadata.merging(["reason": FailureCode.encryptionRequired.label]) { $1 })
        return false
    }

    /// Who the peer is, for the log.
    var metadata: [String: String] { ["peer": "\(peer)"] }

    // MARK: In

    private func serve(_ request: IncomingRequest, _ input: borrowing RawSpan) {
        counts.noteCall()
        guard let handler = owner.handlers[request.method] else {
            owner.metrics.unknown.refuse(.unknownMethod, lane: lane)
            let failure = Failure(.unknownMethod, "there is no method \"\(request.method)\" here; ginnel.describe lists what there is")
            driver.submit(.fail(call: request.call, failure))
            return
        }
        if handler.isSensitive, !isPrivate {
            handler.meter?.refuse(.encryptionRequired, lane: lane)
            owner.metrics.note(.refusals, .encryptionRequired)
            let keys = ["method": request.method, "reason": FailureCode.encryptionRequired.label]
            owner.complain(.forbidden, "a call of \(request.method), which is sensitive, came unencrypted", metadata.merging(keys) { $1 })
            driver.submit(.fail(call: request.call, .unencrypted("\(request.method) is sensitive")))
            return
        }
        if case .refused(let reason) = handler.policy?.verdict(on: peer) {
            handler.meter?.refuse(.forbidden, lane: lane)
            owner.metrics.note(.refusals, .forbidden)
            let keys = ["method": request.method, "reason": FailureCode.forbidden.label]
            owner.complain(.forbidden, "a call of \(request.method) was forbidden: \(reason)", metadata.merging(keys) { $1 })
            driver.submit(.fail(call: request.call, Failure(.forbidden, "this peer may not call \(request.method)")))
            return
        }
        let context = CallContext(
            method: request.method, deadline: request.deadline, priority: Priority(request.lane), codec: request.codec, trace: request.trace, connection: self)
        switch handler.work {
        case .plain(let body):
            let began = loop.now.awake
            let answer: Result<Reply, any Error>
            do {
                answer = .success(try request.payload.withBytes(of: input) { bytes throws in try body(bytes, context) })
            } catch {
                answer = .failure(error)
            }
            loop.noteWork(request.method)
            finish(request, handler, answer, nanoseconds: loop.now.awake &- began)
        case .async(let body):
            start(request, nil, handler, context) { [bytes = request.payload.copied(of: input)] in try await body(bytes, context) }
        case .streaming(let body):
            let stream = CallStream(call: request.call, connection: self, receivesItems: request.itemsFollow)
            start(request, stream, handler, context) { [bytes = request.payload.copied(of: input)] in try await body(bytes, context, stream) }
        }
    }

    /// Runs an async handler in a task of its own, on this connection's loop unless it asked for another executor.
    private func start(
        _ request: IncomingRequest, _ stream: CallStream?, _ handler: Handler, _ context: CallContext, _ body: @escaping @Sendable () async throws -> Reply
    ) {
        let began = loop.now.awake
        // Without the payload, which may be borrowed.
        var head = request
        head.payload = .empty
        running.begin(request.call, stream)
        let task = owner.tasks.start(on: handler.executor == .loop ? loop : nil) { [self, head] in
            let answer: Result<Reply, any Error>
            do {
                answer = .success(try await context.passingOn { try await owner.metrics.instruments.run(context, body) })
            } catch {
                answer = .failure(error)
            }
            finish(head, handler, answer, nanoseconds: .awakeNow &- began, stopped: running.end(head.call))
        }
        running.attach(task, to: request.call)
    }

    /// Counts a call before its answer leaves, so that whoever has the answer finds it counted. `stopped`: why the session wanted its handler to stop, which is what became of the
    /// call then, whatever the handler says.
    private func finish(_ request: IncomingRequest, _ handler: Handler, _ answer: Result<Reply, any Error>, nanoseconds: UInt64, stopped: FailureCode? = nil) {
        switch answer {
        case .success(let reply):
            handler.meter?.record(nanoseconds, stopped, lane: lane)
            driver.submit(.reply(call: request.call, codec: reply.codec, payload: reply.bytes))
        case .failure(let error):
            let failure = failure(error, request.method)
            handler.meter?.record(nanoseconds, stopped ?? failure.code, lane: lane)
            driver.submit(.fail(call: request.call, failure))
        }
    }

    private func failure(_ error: any Error, _ method: String) -> Failure {
        let failure = Failure(thrown: error, by: method)
        if failure.code == .internal {
            owner.complain(.handlerFailed, "the handler of \(method) failed: \(error)", metadata.merging(["method": method]) { $1 })
        }
        return failure
    }
}

extension Failure {
    /// A sensitive message has no connection that it may go through.
    static func unencrypted(_ what: String) -> Failure { Failure(.encryptionRequired, "\(what), and this connection is not encrypted") }
}

extension CloseReason {
    /// This side ended it, and not because it was done.
    var isOurComplaint: Bool { by == .us && failure.code != .shuttingDown && failure.code != .finished }
}

extension PeerPolicy {
    /// The verdict on a peer of this process.
    func verdict(on peer: PeerIdentity) -> Verdict { verdict(on: peer, own: .own, children: ChildProcess.running) }
}
