// A channel of the operating system: a Unix socket, or a named pipe on Windows.

package import CGinnelPlatform
package import GinnelCore

/// `@unchecked Sendable`: the platform's contract allows one reader and one writer at a time, and the driver keeps to it; the end comes on
/// the loop, when neither reads nor writes.
package final class PlatformChannel: Channel, @unchecked Sendable {
    @exclusivity(unchecked) private var handle: OpaquePointer?

    package init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { if let handle { gn_channel_abort(handle) } }

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        guard let handle else { return .end }
        var count = 0
        var drained = false
        var error = gn_error()
        switch gn_channel_read(handle, buffer.baseAddress, buffer.count, &count, &drained, &error) {
        case GN_DONE: return .bytes(count, drained: drained)
        case GN_WOULD_BLOCK: return .wouldBlock
        case GN_END: return .end
        default: return .failed(SystemError(error))
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        guard let handle else { return .wouldBlock }
        var span = gn_span(bytes: bytes.baseAddress, count: bytes.count)
        var count = 0
        var error = gn_error()
        switch gn_channel_write(handle, &span, 1, &count, &error) {
        case GN_DONE: return .took(count)
        case GN_WOULD_BLOCK: return .wouldBlock
        default: return .failed(SystemError(error))
        }
    }

    package func identify(_ fields: Set<PeerIdentity.Field>) throws -> PeerIdentity {
        guard let handle else { throw GinnelError(.closed, "the channel has ended") }
        var wanted = GN_PEER_USER.rawValue | GN_PEER_GROUP.rawValue | GN_PEER_PROCESS.rawValue | GN_PEER_SID.rawValue
        if fields.contains(.executable) { wanted |= GN_PEER_EXECUTABLE.rawValue }
        if fields.contains(.digest) { wanted |= GN_PEER_DIGEST.rawValue }
        var error = gn_error()
        return try withUnsafeTemporaryAllocation(of: gn_peer.self, capacity: 1) { peer in
            peer.initialize(repeating: gn_peer())
            guard gn_peer_identify(handle, wanted, peer.baseAddress, &error) == GN_DONE else {
                throw GinnelError(.init(error.code), "the peer's identity cannot be read", cause: SystemError(error))
            }
            return PeerIdentity(UnsafePointer(peer.baseAddress!))
        }
    }

    /// Whether descriptors travel beside bytes; where they do not, as on Windows, they are lent and claimed.
    static let carriesHandles = gn_handles_travel()

    /// Duplicates a descriptor into the peer's process; its number there.
    func lend(_ descriptor: gn_handle) throws -> UInt64 {
        var number: UInt64 = 0
        var error = gn_error()
        guard gn_channel_lend_handle(try liveHandle, descriptor, &number, &error) == GN_DONE else {
            throw GinnelError(.init(error.code), "the shared memory cannot be handed to the peer's process", cause: SystemError(error))
        }
        return number
    }

    /// The descriptor that a peer says to have duplicated into this process under this number; ours to close.
    static func claim(_ number: UInt64) throws -> gn_handle {
        var descriptor = GN_NO_HANDLE
        var error = gn_error()
        guard gn_handle_claim(number, &descriptor, &error) == GN_DONE else {
            throw GinnelError(.init(error.code), "the peer offers shared memory by a number that names none", cause: SystemError(error))
        }
        return descriptor
    }

    /// Writes `bytes`, which is not empty, together with descriptors that stay ours: all of those and at least one byte, or nothing.
    func write(_ bytes: UnsafeRawBufferPointer, handles: [gn_handle]) -> WriteOutcome {
        guard let handle else { return .wouldBlock }
        var span = gn_span(bytes: bytes.baseAddress, count: bytes.count)
        var count = 0
        var error = gn_error()
        switch gn_channel_write_handles(handle, &span, 1, handles, handles.count, &count, &error) {
        case GN_DONE: return .took(count)
        case GN_WOULD_BLOCK: return .wouldBlock
        default: return .failed(SystemError(error))
        }
    }

    /// From now on descriptors that come with bytes are kept.
    func acceptHandles() { if let handle { gn_channel_accept_handles(handle) } }

    /// Those that wait are closed, and what comes from now on is closed unseen.
    func refuseHandles() { if let handle { gn_channel_refuse_handles(handle) } }

    /// All descriptors that have come and that nobody has taken, now the caller's.
    func takeHandles() -> [gn_handle] {
        guard let handle else { return [] }
        var taken: [gn_handle] = []
        while case let next = gn_channel_take_handle(handle), next != GN_NO_HANDLE { taken.append(next) }
        return taken
    }

    package static func close(_ handles: [gn_handle]) { for handle in handles { gn_handle_close(handle) } }

    /// What the platform knows this channel by.
    var liveHandle: OpaquePointer {
        get throws {
            guard let handle else { throw GinnelError(.closed, "the channel has ended") }
            return handle
        }
    }

    package func attach(to loop: EventLoop, token: UInt64) throws {
        guard let handle else { return }
        var error = gn_error()
        guard gn_poller_add_channel(loop.poller, handle, token, &error) == GN_DONE else {
            throw GinnelError(.init(error.code), "the channel cannot be watched", cause: SystemError(error))
        }
    }

    /// From now on nobody hears of readiness. On the loop.
    func detach(from loop: EventLoop) { if let handle { gn_poller_remove_channel(loop.poller, handle) } }

    package func close(drain: Duration) {
        guard let handle = handle.take() else { return }
        gn_channel_close(handle, drain.wholeNanoseconds)
    }

    package func abort() {
        guard let handle = handle.take() else { return }
        gn_channel_abort(handle)
    }

    /// Gives up the channel and returns its descriptor, for a child.
    package func release() -> gn_handle? {
        handle.take().map { gn_channel_release($0) }
    }
}

extension PlatformChannel {
    /// Two connected channels in this process.
    package static func pair() throws -> (PlatformChannel, PlatformChannel) {
        var first: OpaquePointer?
        var second: OpaquePointer?
        var error = gn_error()
        guard gn_channel_pair(&first, &second, &error) == GN_DONE, let first, let second else {
            throw GinnelError(.init(error.code), "no pair of channels", cause: SystemError(error))
        }
        return (PlatformChannel(owning: first), PlatformChannel(owning: second))
    }

    /// A channel of a connected descriptor that this process inherited.
    package static func adopting(_ descriptor: gn_handle) throws -> PlatformChannel {
        var handle: OpaquePointer?
        var error = gn_error()
        guard gn_channel_adopt(descriptor, &handle, &error) == GN_DONE, let handle else {
            throw GinnelError(.init(error.code), "descriptor \(descriptor) is no connected local stream", cause: SystemError(error))
        }
        return PlatformChannel(owning: handle)
    }
}

extension PeerIdentity {
    package init(_ peer: UnsafePointer<gn_peer>) {
        let known = peer.pointee.known
        func has(_ bit: gn_peer_field) -> Bool { known & bit.rawValue != 0 }
        self.init()
        if has(GN_PEER_USER) { user = peer.pointee.user }
        if has(GN_PEER_GROUP) { group = peer.pointee.group }
        if has(GN_PEER_PROCESS) { process = peer.pointee.process }
        if has(GN_PEER_EXECUTABLE) { executable = withUnsafeBytes(of: peer.pointee.executable) { Self.text($0) } }
        if has(GN_PEER_DIGEST) { digest = withUnsafeBytes(of: peer.pointee.digest) { [UInt8]($0) } }
        if has(GN_PEER_SID) { sid = withUnsafeBytes(of: peer.pointee.sid) { Self.text($0) } }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// This process.
    package static let own: PeerIdentity = {
        withUnsafeTemporaryAllocation(of: gn_peer.self, capacity: 1) { peer in
            peer.initialize(repeating: gn_peer())
            gn_peer_self(peer.baseAddress)
            return PeerIdentity(UnsafePointer(peer.baseAddress!))
        }
    }()
}
