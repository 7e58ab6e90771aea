// One connection, seen from either end: calls out, calls in, events both ways. The session decides what happens, the driver does it, and this hands it to the program.

public import GinnelCore
internal import GinnelTransport

/// A peer that is connected.
public final class Connection: Sendable {
    /// Who is at the other end, as the kernel says.
    public let peer: PeerIdentity

    /// What a connection needs of the service or client that it belongs to.
    struct Owner: Sendable {
        var handlers: HandlerTable
        var tasks: HandlerTasks
        var events: EventHub
        var log: Log
        /// Warns of what a peer can cause as often as it likes.
        var complain: @Sendable (String, [String: String]) -> Void
        var established: @Sendable (Connection, Establishment) -> Void
        /// The connection wanted shared memory and stays on the socket.
        var fellBack: @Sendable () -> Void = {}
        var ended: @Sendable (Connection, CloseReason) -> Void
    }

    private let driver: Driver
    private let owner: Owner
    private let running = RunningCalls()
    private let pings = Guarded(Pings())
    private let usesSharedMemory: Guarded<Bool>
    private let isSealed = Guarded(false)

    /// Signs of life that were asked for.
    private struct Pings {
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var last: UInt64 = 0
    }

    /// `beginning`: as the driver was opened.
    init(_ driver: Driver, _ beginning: Beginning, _ owner: Owner) {
        self.driver = driver
        usesSharedMemory = if case .stream = beginning { Guarded(true) } else { Guarded(false) }
        self.owner = owner
        peer = driver.peer
    }

    /// Begins the session. On the driver's loop.
    func start() { driver.start(self) }

    var loop: EventLoop { driver.loop }

    /// What carries the bytes. Where both are allowed it may change once, soon after the connection has begun, from `.socket` to `.sharedMemory`.
    public var transport: Transport { driver.isInProcess ? .inProcess : usesSharedMemory.withLock { $0 } ? .sharedMemory : .socket }

    /// Whether everything that is said is sealed; false until the handshake is done.
    public var isEncrypted: Bool { isSealed.withLock { $0 } }

    /// Whether sensitive messages may be said: nobody can stand in the middle.
    var isPrivate: Bool { isEncrypted || driver.isInProcess }

    /// Bytes that wait to be sent to this peer.
    public var bytesWaiting: Int { driver.outputBytes }

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
        let pending = PendingCall(self)
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                pending.begin(continuation)
                driver.submit(.call(pending, request))
            }
        } onCancel: {
            driver.submit(.abandon(pending, Failure(.cancelled, "the caller's task was cancelled")))
        }
        return try result.get()
    }

    /// Why a sensitive request cannot be made on this connection; `nil` when it can.
    func refusal(of request: OutgoingRequest) -> Failure? {
        request.isSensitive && !isPrivate ? .unencrypted("\(request.method) is sensitive; the call was not begun") : nil
    }

    /// Sends an event to this peer. False when it is longer than the peer takes, or the connection has ended. Throws `CallError`, `encryptionRequired`, when it is sensitive and the
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
        if case .taken = driver.submit(event.command) { return true }
        return false
    }

    /// The same, and waits while a good deal has not left yet, so that a sender in a hurry loses nothing of its own.
    func sendEventInTurn(_ event: EncodedEvent) async -> Bool {
        guard case .taken(let mayCarryOn) = driver.submit(event.command) else { return false }
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

    /// Asks for a sign of life. False when none can come: the connection has ended, its handshake is not done, its format has no ping, or the task was cancelled.
    public func ping() async -> Bool {
        let value = pings.withLock { pings in
            pings.last += 1
            return pings.last
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                pings.withLock { $0.waiting[value] = continuation }
                if Task.isCancelled || driver.submit(.ping(value)) == .ended { answer(value, false) }
            }
        } onCancel: {
            answer(value, false)
        }
    }

    private func answer(_ ping: UInt64, _ isAlive: Bool) { pings.withLock { $0.waiting.removeValue(forKey: ping) }?.resume(returning: isAlive) }
}

extension Connection: SessionDelegate {
    package func perform(_ action: Action, input: borrowing RawSpan) {
        switch action {
        case .established(let establishment):
            isSealed.withLock { $0 = establishment.isEncrypted }
            owner.established(self, establishment)
        case .request(let request): serve(request, input)
        case .item(let call, let codec, let payload): running.stream(of: call)?.received(codec, payload, input)
        case .carryOn(let call): running.stream(of: call)?.carryOn()
        case .cancel(let call, let failure): running.cancel(call, failure)
        case .event(let name, let codec, let payload, let missed): payload.withBytes(of: input) { owner.events.publish(name, codec, $0, missed: missed, from: self) }
        case .pong(let value): answer(value, true)
        case .farewell(let failure): owner.log(.info, "the peer says goodbye: \(failure)", metadata)
        case .upgraded(let failure): upgraded(failure)
        case .replied, .failed, .streamed, .mayCarryOn, .upgrade, .close: break
        }
    }

    private func upgraded(_ failure: Failure?) {
        usesSharedMemory.withLock { $0 = failure == nil }
        if let failure {
            owner.fellBack()
            owner.log(.notice, "the connection stays on the socket: \(failure)", metadata)
        } else {
            owner.log(.info, "the connection goes on through shared memory", metadata)
        }
    }

    package func ended(_ reason: CloseReason) {
        let waiting = pings.withLock { pings in
            defer { pings.waiting = [:] }
            return Array(pings.waiting.values)
        }
        for continuation in waiting { continuation.resume(returning: false) }
        owner.ended(self, reason)
    }

    /// Whether events of a kind that is sensitive or not are taken on this connection; those that are not are complained of.
    func admits(_ name: String, isSensitive: Bool) -> Bool {
        guard isSensitive, !isPrivate else { return true }
        owner.complain("an event \(name), which is sensitive, came unencrypted and was dropped", metadata)
        return false
    }

    /// Who the peer is, for the log.
    var metadata: [String: String] { ["peer": "\(peer)"] }

    // MARK: In

    private func serve(_ request: IncomingRequest, _ input: borrowing RawSpan) {
        guard let handler = owner.handlers[request.method] else {
            let failure = Failure(.unknownMethod, "there is no method \"\(request.method)\" here; ginnel.describe lists what there is")
            driver.submit(.fail(call: request.call, failure))
            return
        }
        if handler.isSensitive, !isPrivate {
            owner.complain("a call of \(request.method), which is sensitive, came unencrypted", metadata)
            driver.submit(.fail(call: request.call, .unencrypted("\(request.method) is sensitive")))
            return
        }
        if case .refused(let reason) = handler.policy?.verdict(on: peer) {
            owner.complain("a call of \(request.method) was forbidden: \(reason)", metadata)
            driver.submit(.fail(call: request.call, Failure(.forbidden, "this peer may not call \(request.method)")))
            return
        }
        let context = CallContext(
            method: request.method, deadline: request.deadline, priority: Priority(request.lane), codec: request.codec, connection: self)
        switch handler.work {
        case .plain(let body):
            do {
                let reply = try request.payload.withBytes(of: input) { bytes throws in try body(bytes, context) }
                driver.submit(.reply(call: request.call, codec: reply.codec, payload: reply.bytes))
            } catch {
                driver.submit(.fail(call: request.call, failure(error, request.method)))
            }
            loop.noteWork(request.method)
        case .async(let body):
            start(request, nil, on: handler.executor) { [bytes = request.payload.copied(of: input)] in try await body(bytes, context) }
        case .streaming(let body):
            let stream = CallStream(call: request.call, connection: self, receivesItems: request.itemsFollow)
            start(request, stream, on: handler.executor) { [bytes = request.payload.copied(of: input)] in try await body(bytes, context, stream) }
        }
    }

    /// Runs an async handler in a task of its own, on this connection's loop unless it asked for another executor.
    private func start(
        _ request: IncomingRequest, _ stream: CallStream?, on executor: HandlerExecutor, _ body: @escaping @Sendable () async throws -> Reply
    ) {
        let (call, method, deadline) = (request.call, request.method, request.deadline)
        running.begin(call, stream)
        let task = owner.tasks.start(on: executor == .loop ? loop : nil) { [self] in
            let command: Command
            do {
                let reply =
                    if let deadline {
                        try await CallContext.$inheritedDeadline.withValue(deadline) { try await body() }
                    } else {
                        try await body()
                    }
                command = .reply(call: call, codec: reply.codec, payload: reply.bytes)
            } catch {
                command = .fail(call: call, failure(error, method))
            }
            running.end(call)
            submit(command)
        }
        running.attach(task, to: call)
    }

    private func failure(_ error: any Error, _ method: String) -> Failure {
        let failure = Failure(thrown: error, by: method)
        if failure.code == .internal { owner.complain("the handler of \(method) failed: \(error)", metadata) }
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
