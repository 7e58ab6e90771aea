// A stream of messages through shared memory, for programs that want the rings themselves rather than calls on top of them (docs/shared-memory.md).
//
// A message is a record of the ring, whole or not there at all. One task at a time may send and one may receive; the two may differ. Both work on the memory directly, on
// whatever thread they are, and sleep only when there is nothing: then the loop, which hears the doorbell and watches the socket, wakes them.

internal import CGinnelPlatform
public import GinnelCore
internal import Synchronization

// `@unchecked Sendable`: `isSending` and `isReceiving` give the two ends of the link to one task each; what is loop only is said to be.

/// A stream of messages between two processes through shared memory.
///
///     try await EventLoop.run { loop in
///         let stream = try await SharedMemoryStream.connect(to: .named("engine"), on: loop)
///         try await stream.send(bytes)
///         let answer = try await stream.receive()
///         await stream.close()
///     }
///
/// Whoever has one closes it: until then its descriptors and its memory are held, also when nobody refers to it any more, and the peer sees no end. A stream that is still open
/// when its loop stops is closed then. Any thread.
public final class SharedMemoryStream: @unchecked Sendable {
    /// Who is at the other end, as the kernel says.
    public let peer: PeerIdentity
    /// Bytes of the longest message: half the ring less 4.
    public let maximumMessage: Int

    let link: SharedMemoryLink
    let waiting = StreamWaiting()
    let isSending = Atomic(false)
    let isReceiving = Atomic(false)
    /// Nanoseconds.
    let pollingTime: UInt64
    let lendsRing: Bool
    let loop: EventLoop
    private let channel: SharedMemoryChannel
    private let socket: PlatformChannel
    private let whenOver: @Sendable () -> Void

    // Receiving task.
    @exclusivity(unchecked) var copy: [UInt8] = []

    // Loop only.
    @exclusivity(unchecked) private var token: UInt64 = 0

    /// On the loop, with a channel that is on its rings. `whenOver` is called once, on the loop, when nothing of the stream is left there; not when this throws.
    init(_ opened: OpenedStream, options: SharedMemoryStreamOptions, loop: EventLoop, whenOver: @escaping @Sendable () -> Void = {}) throws {
        peer = opened.peer
        channel = opened.channel
        socket = opened.socket
        self.whenOver = whenOver
        guard let link = channel.lendLink() else { throw GinnelError(.closed, "the stream has ended", peer: peer) }
        self.link = link
        self.loop = loop
        maximumMessage = link.writer.geometry.longestPayload
        lendsRing = options.trustedPeer
        pollingTime = System.processors > 1 ? options.polling.wholeNanoseconds : 0
        token = loop.add(self)
        do {
            try channel.attach(to: loop, token: token)
        } catch {
            loop.remove(token)
            throw error
        }
    }

    /// Connects to a `SharedMemoryListener`.
    ///
    /// - Parameters:
    ///   - policy: which process is talked to; asked before a byte is sent. Default `.sameUser`, and `.systemService` at a `.system` endpoint.
    /// - Throws: `GinnelError`: as `Client.connect` does, and `exhausted` or `unsupported` when the memory cannot be had, `timedOut` after `options.handshakeTimeout`.
    public static func connect(
        to endpoint: Endpoint, policy: PeerPolicy? = nil, options: SharedMemoryStreamOptions = .defaults, timeout: Duration = .seconds(30), on loop: EventLoop
    ) async throws -> SharedMemoryStream {
        guard let socket = try await Connector.connect(to: endpoint, timeout: timeout, while: { !Task.isCancelled }) else { throw CancellationError() }
        let opening = try StreamOpening(
            socket, role: .client, verification: PeerVerification(policy ?? endpoint.defaultPolicy), options: options.sharedMemory, timeout: options.handshakeTimeout, loop: loop)
        let opened = try await opening.run()
        return try await loop.run { try SharedMemoryStream(opened, options: options, loop: loop) }
    }

    // MARK: The end

    /// Ends the stream: the peer reads what was sent and then the end. Whoever waits here is let go with an error. Returns when nothing of it is left on the loop.
    public func close() async {
        waiting.finish(.closedHere)
        try? await loop.run { [self] in closeNow() }
    }

    /// The same at once. On the loop.
    func closeNow() {
        waiting.finish(.closedHere)
        if token != 0 { _ = Farewell.bytes.withUnsafeBytes { socket.write($0) } }
        leave()
    }

    /// On the loop.
    private func leave() {
        guard token != 0 else { return }
        loop.remove(token)
        token = 0
        channel.close(drain: Self.farewellTime)
        whenOver()
    }

    /// How long the peer may take to read the farewell where the system does not keep it.
    private static let farewellTime = Duration.seconds(1)

    /// A rule was broken: the peer sees the end, and whoever waits here the sentence.
    func violated(_ violation: RingViolation) {
        waiting.finish(.violated(violation.sentence))
        loop.post { [self] in leave() }
    }

    /// Somebody waits with a deadline. Any thread.
    func armForDeadline() { loop.post { [self] in arm() } }

    private func arm() {
        if token != 0, let next = waiting.deadlineToArm() { loop.arm(token, at: next) }
    }
}

extension SharedMemoryStream: LoopMember {
    package func isReady(_ readiness: Readiness) {
        if let end = channel.lookAtSocket(readiness) {
            waiting.finish(end)
            leave()
        } else {
            waiting.ring()
        }
    }

    package func timeHasCome(_ now: Moment) {
        waiting.timeOut(now.awake)
        arm()
    }

    package func flush() {}

    package func loopEnds() { closeNow() }
}
