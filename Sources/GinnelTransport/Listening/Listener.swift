// Accepts connections at one endpoint and hands each to whoever asked. Decides nothing: what may enter is `Admission`'s word, who may is the driver's verification.

internal import CGinnelPlatform
package import GinnelCore

/// How an endpoint is listened to.
package struct ListenOptions: Sendable {
    package var access = Access.currentUser
    /// Connections that may wait to be accepted. Default 511.
    package var backlog = 511

    package init() {}
}

/// `@unchecked Sendable`: the variables are loop only, but for `handle`, which is constant until `close`.
package final class Listener: LoopMember, @unchecked Sendable {
    /// What to do with a new channel. On the listener's loop.
    package typealias Accept = @Sendable (any Channel) -> Void
    /// Told of each accepted connection; when the next may be accepted: now (`nil`), or at a time of the awake clock.
    package typealias Pace = @Sendable (UInt64) -> UInt64?
    /// Told when connections could not be accepted.
    package typealias Trouble = @Sendable (GinnelError) -> Void

    private let loop: EventLoop
    private var handle: OpaquePointer?
    private let inProcessName: String?
    package let path: String?
    private let accept: Accept
    private let pace: Pace
    private let trouble: Trouble
    /// What a client reads for whom there is no descriptor.
    private let refusal: [UInt8]
    private var token: UInt64 = 0
    private var isPaused = false
    /// `pause` was called.
    private var isHeld = false
    /// The name within this process is ours.
    private var isRegistered = false

    /// Opens the endpoint. What waits is accepted once `start` was called.
    package init(
        _ endpoint: Endpoint, _ options: ListenOptions, loop: EventLoop, refusal: [UInt8], accept: @escaping Accept, pace: @escaping Pace,
        trouble: @escaping Trouble
    ) throws {
        self.loop = loop
        self.refusal = refusal
        self.accept = accept
        self.pace = pace
        self.trouble = trouble
        switch endpoint.kind {
        case .inProcess(let name):
            inProcessName = name
            path = nil
        case .inheritedListener(let descriptor):
            inProcessName = nil
            path = nil
            handle = try Self.adopt(descriptor)
        case .inherited:
            throw GinnelError(.invalid, "\(endpoint) is a connection, not a listener")
        case .named, .system, .path:
            inProcessName = nil
            (handle, path) = try Self.open(endpoint, options)
        }
    }

    deinit { if let handle { gn_listener_close(handle) } }

    private static func adopt(_ descriptor: gn_handle) throws -> OpaquePointer {
        var handle: OpaquePointer?
        var error = gn_error()
        guard gn_listener_adopt(descriptor, &handle, &error) == GN_DONE, let handle else {
            throw GinnelError(.init(error.code), "descriptor \(descriptor) is no listening local socket", cause: SystemError(error))
        }
        return handle
    }

    // MARK: On the loop

    /// Begins to accept; what throws has left nothing behind.
    package func start() throws {
        token = loop.add(self)
        do {
            try watch()
        } catch {
            loop.remove(token)
            throw error
        }
        acceptAll()
    }

    private func watch() throws {
        if let name = inProcessName {
            try InProcessHub.shared.register(name, on: loop) { [weak self] channel in self?.accept(channel) }
            isRegistered = true
        } else if let handle {
            var error = gn_error()
            guard gn_poller_add_listener(loop.poller, handle, token, &error) == GN_DONE else {
                throw GinnelError(.init(error.code), "the endpoint cannot be watched", path: path, cause: SystemError(error))
            }
        }
    }

    /// Stops to listen; the name is free for a successor when this returns.
    package func close() {
        loop.remove(token)
        if isRegistered, let name = inProcessName { InProcessHub.shared.unregister(name, on: loop) }
        isRegistered = false
        if let handle = handle.take() { gn_listener_close(handle) }
    }

    /// Accepts nobody until `resume`: who connects waits in the system's backlog. Also while a connection is being handed over. Endpoints within this process have no backlog and go on.
    package func pause() { isHeld = true }

    /// Goes on, in the next turn. May be called at any time.
    package func resume() {
        guard isHeld else { return }
        isHeld = false
        // The event for those who wait has been used up.
        loop.readAgain(self)
    }

    package func isReady(_ readiness: Readiness) { acceptAll() }

    package func timeHasCome(_ now: Moment) {
        isPaused = false
        acceptAll()
    }

    package func flush() {}

    private func acceptAll() {
        var budget = 64
        while let handle, !isPaused, !isHeld {
            guard budget > 0 else { return loop.readAgain(self) }
            budget -= 1
            var channel: OpaquePointer?
            var error = gn_error()
            switch gn_listener_accept(handle, &channel, &error) {
            case GN_DONE:
                if let channel { accept(PlatformChannel(owning: channel)) }
                if let later = pace(loop.now.awake) {
                    isPaused = true
                    return loop.arm(token, at: later)
                }
            case GN_WOULD_BLOCK: return
            default: if !recover(handle, error) { return }
            }
        }
    }

    /// Accepting failed. Whoever waits is told to go away rather than left waiting; true when it is worth going on.
    private func recover(_ handle: OpaquePointer, _ error: gn_error) -> Bool {
        trouble(GinnelError(.init(error.code), "a connection could not be accepted", path: path, cause: SystemError(error)))
        var second = gn_error()
        if error.code == GN_CODE_NO_DESCRIPTORS {
            let outcome = refusal.withUnsafeBytes { gn_listener_refuse(handle, $0.baseAddress, $0.count, &second) }
            if outcome == GN_DONE { return true }
            if outcome == GN_WOULD_BLOCK { return false }
        }
        // Nothing can be done now; a later try costs little, and the event for those who wait has been used up.
        isPaused = true
        loop.arm(token, at: loop.now.awake.adding(100_000_000))
        return false
    }
}
