// How two processes get from a connected socket to a stream over shared memory when no session speaks on the socket (docs/shared-memory.md §4, "A bare stream").
//
// The peer is verified first. Then the service offers and the client answers, 24 bytes each; the machine is so small that it is two functions here. Ends once, with a channel that is on its
// rings or with an error that says why, within its time limit, or when it is cancelled.

package import GinnelCore

/// A channel that is on its rings, and the peer behind it, which has been verified. Only an opening makes one.
package struct OpenedStream: Sendable {
    package let channel: SharedMemoryChannel
    /// On which the stream's farewell is said.
    let socket: PlatformChannel
    package let peer: PeerIdentity
}

/// `@unchecked Sendable`: what changes is touched on the loop only.
package final class StreamOpening: LoopMember, @unchecked Sendable {
    package typealias Done = @Sendable (Result<OpenedStream, any Error>) -> Void
    /// Whether there is room for a peer that has been verified; throws when there is none.
    package typealias Admit = @Sendable (PeerIdentity) throws -> Void

    private let socket: PlatformChannel
    private let channel: SharedMemoryChannel
    private let role: Role
    private let verification: PeerVerification
    private let options: SharedMemoryOptions
    private let timeout: Duration
    private let loop: EventLoop
    private let admit: Admit

    // Loop only.
    private var done: Done?
    private var cancelled: (any Error)?
    private var token: UInt64 = 0
    private var peer = PeerIdentity()
    private var received: [UInt8] = []

    private static let messageBytes = RingMessage.preamble.count + RingMessage.size

    /// An opening on `channel` that has not begun. Any thread.
    ///
    /// - Throws: `unsupported` when `channel`, which is closed then, is no socket.
    package init(
        _ channel: any Channel, role: Role, verification: PeerVerification, options: SharedMemoryOptions, timeout: Duration, loop: EventLoop,
        admit: @escaping Admit = { _ in }
    ) throws {
        guard let socket = channel as? PlatformChannel else {
            channel.close(drain: .zero)
            throw GinnelError(.unsupported, "a stream over shared memory begins on a local socket")
        }
        self.socket = socket
        self.channel = SharedMemoryChannel(socket, takesOffers: role == .client)
        self.role = role
        self.verification = verification
        self.options = options
        self.timeout = timeout
        self.loop = loop
        self.admit = admit
    }

    /// Begins and waits for the end. Any thread; cancelling the task ends it.
    package func run() async throws -> OpenedStream {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isTaken = loop.postUnlessStopped { [self] in begin { continuation.resume(with: $0) } }
                if !isTaken { continuation.resume(throwing: GinnelError(.notRunning, "the event loop has stopped")) }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Ends an opening, also one that is still to begin, with `error`. Any thread.
    package func cancel(_ error: any Error = CancellationError()) {
        loop.post { [self] in
            cancelled = error
            finish(.failure(error))
        }
    }

    /// Verifies the peer and begins; `done` is called once, perhaps at once. On the loop.
    package func begin(_ done: @escaping Done) {
        self.done = done
        do {
            if let cancelled { throw cancelled }
            peer = try verification.verify(socket)
            try admit(peer)
            try start()
        } catch {
            finish(.failure(error))
        }
    }

    private func start() throws {
        token = loop.add(self)
        try socket.attach(to: loop, token: token)
        loop.arm(token, at: loop.now.awake.adding(timeout.wholeNanoseconds))
        if role == .service {
            let handles = try channel.makeLink(options.geometry)
            let offer = RingMessage.preamble + RingMessage(.offer, handles: handles, value: UInt32(clamping: options.geometry.capacity)).encoded
            // A socket on which nothing was written yet has room for this.
            guard case .took(offer.count) = offer.withUnsafeBytes({ channel.writeOffer($0) }) else {
                throw GinnelError(.closed, "the offer of shared memory could not be sent", peer: peer)
            }
        }
        isReady(.readable)
    }

    // MARK: On the loop

    package func isReady(_ readiness: Readiness) {
        guard done != nil else { return }
        do {
            while received.count < Self.messageBytes {
                guard try receive() else { return }
                // Whoever speaks something else is told apart at once, also when it says less than this.
                guard RingMessage.preamble.starts(with: received.prefix(RingMessage.preamble.count)) else { throw stranger }
            }
            try conclude()
        } catch {
            finish(.failure(error))
        }
    }

    package func timeHasCome(_ now: Moment) {
        finish(.failure(GinnelError(.timedOut, "no stream over shared memory within \(timeout) (the time limit of the handshake); \(advice)", peer: peer)))
    }

    package func flush() {}

    package func loopEnds() { finish(.failure(GinnelError(.notRunning, "the event loop has stopped", peer: peer))) }

    /// Reads what is missing of the peer's message, and not a byte more. False while there is nothing.
    private func receive() throws -> Bool {
        let place = received.isEmpty ? "before it said anything" : "after \(received.count) of \(Self.messageBytes) bytes"
        return try withUnsafeTemporaryAllocation(byteCount: Self.messageBytes - received.count, alignment: 1) { bytes in
            switch socket.read(into: bytes) {
            case .bytes(let count, _):
                received += bytes[..<count]
                return true
            case .wouldBlock:
                return false
            case .end, .violated:
                throw GinnelError(.closed, "the peer ended the connection \(place): it refuses us, has no place left or stops; or \(advice)", peer: peer)
            case .failed(let cause):
                // Not the peer's end alone: descriptors that find no place in this process fail the read as well.
                throw GinnelError(.closed, "the peer could not be read \(place), \(cause); or \(advice)", peer: peer, cause: cause)
            }
        }
    }

    private func conclude() throws {
        let message: RingMessage
        do {
            message = try RingMessage(received.span.bytes.extracting(RingMessage.preamble.count...))
        } catch {
            throw violation(error.sentence)
        }
        switch (role, message.verb) {
        case (.client, .offer): try answer(message)
        case (.service, .accept): succeed()
        case (.service, .refuse):
            let failure = Failure(FailureCode(rawValue: message.value), "the peer refused the offer of shared memory")
            throw GinnelError(.refused, "\(failure)", peer: peer, failure: failure)
        default: throw violation("\(message.verb) from the \(role.other)")
        }
    }

    private func answer(_ offer: RingMessage) throws {
        do {
            try channel.takeLink(offer.offeredGeometry(upTo: options.maximumRingBytes), handles: offer.handles)
        } catch let refusal as OfferRefusal {
            channel.refuseLink(offer.handles)
            say(RingMessage(.refuse, value: refusal.failure.code.rawValue))
            let code: GinnelError.Code = refusal.failure.code == .resourceExhausted ? .exhausted : .closed
            throw GinnelError(code, "the peer offered \(refusal.failure.sentence)", peer: peer, failure: refusal.failure)
        } catch {
            say(RingMessage(.refuse, value: FailureCode.resourceExhausted.rawValue))
            throw error
        }
        say(RingMessage(.accept))
        succeed()
    }

    private func succeed() { finish(.success(OpenedStream(channel: channel, socket: socket, peer: peer))) }

    private func say(_ message: RingMessage) {
        _ = (RingMessage.preamble + message.encoded).withUnsafeBytes { socket.write($0) }
    }

    private var stranger: GinnelError {
        violation("the first bytes of the peer are not those of a stream over shared memory, version \(RingMessage.version); \(advice)")
    }

    private var advice: String { "does the \(role.other) begin over shared memory too (transports: [.sharedMemory])?" }

    private func violation(_ sentence: String) -> GinnelError {
        GinnelError(.closed, sentence, peer: peer, failure: Failure(.protocolViolation, sentence))
    }

    private func finish(_ result: Result<OpenedStream, any Error>) {
        guard let done = done.take() else { return }
        loop.remove(token)
        token = 0
        socket.detach(from: loop)
        if case .failure = result {
            channel.close(drain: .zero)
        } else {
            channel.farewell.isDue = true
            channel.readFromRing()
            channel.writeToRing()
        }
        done(result)
    }
}
