// Memory that this process shares with one other, and a bell to wake it. Owners of the platform's objects, nothing more.

internal import CGinnelPlatform

/// Mapped memory. `@unchecked Sendable`: the address is constant, and what lies behind it is shared with another process anyway.
package final class Segment: @unchecked Sendable {
    private let handle: OpaquePointer

    private init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { gn_segment_close(handle) }

    /// Memory without a name, all zero, of exactly `size` bytes.
    package static func create(_ size: Int) throws -> Segment {
        try make("no shared memory of \(size) bytes") { gn_segment_create(UInt64(size), $0, $1) }
    }

    /// Memory that a peer has sent. Takes the descriptor over, whatever comes of it.
    static func adopt(_ descriptor: gn_handle, _ size: Int) throws -> Segment {
        try make("the peer's shared memory cannot be used: it must be a sealed segment of \(size) bytes, open for writing") {
            gn_segment_adopt(descriptor, UInt64(size), $0, $1)
        }
    }

    private static func make(_ complaint: String, _ body: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<gn_error>) -> gn_outcome) throws -> Segment {
        var error = gn_error()
        guard let segment = attempt(&error, body) else { throw GinnelError(.init(error.code), complaint, cause: SystemError(error)) }
        return segment
    }

    /// What `body` makes; `nil` with the error filled in when it makes nothing.
    static func attempt(_ error: inout gn_error, _ body: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<gn_error>) -> gn_outcome) -> Segment? {
        var handle: OpaquePointer?
        guard body(&handle, &error) == GN_DONE, let handle else { return nil }
        return Segment(owning: handle)
    }

    package var base: UnsafeMutableRawPointer { gn_segment_bytes(handle) }

    package var size: UInt64 { gn_segment_size(handle) }

    /// The descriptor to be sent, owned by this.
    var descriptor: gn_handle { gn_segment_handle(handle) }

    /// The descriptor was sent; the mapping stays.
    func letGo() { gn_segment_let_go(handle) }
}

/// Wakes a peer that sleeps, or is rung by it. `@unchecked Sendable`: ringing is allowed on any thread, the rest happens before and after.
final class Doorbell: @unchecked Sendable {
    private let handle: OpaquePointer

    private init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { gn_doorbell_close(handle) }

    /// How many descriptors a doorbell takes to be sent: 1, or 0 where it rings through the socket.
    static var descriptors: Int { gn_doorbell_handles() }

    static func create(_ channel: OpaquePointer) throws -> Doorbell {
        try make("no doorbell") { gn_doorbell_create(channel, $0, $1) }
    }

    /// Takes the descriptor over, whatever comes of it.
    static func adopt(_ descriptor: gn_handle, _ channel: OpaquePointer) throws -> Doorbell {
        try make("the peer's doorbell cannot be used") { gn_doorbell_adopt(descriptor, channel, $0, $1) }
    }

    private static func make(_ complaint: String, _ body: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<gn_error>) -> gn_outcome) throws -> Doorbell {
        var handle: OpaquePointer?
        var error = gn_error()
        guard body(&handle, &error) == GN_DONE, let handle else {
            throw GinnelError(.init(error.code), complaint, cause: SystemError(error))
        }
        return Doorbell(owning: handle)
    }

    var descriptor: gn_handle { gn_doorbell_handle(handle) }

    func ring() { gn_doorbell_ring(handle) }

    func attach(to loop: EventLoop, token: UInt64) throws {
        var error = gn_error()
        guard gn_poller_add_doorbell(loop.poller, handle, token, &error) == GN_DONE else {
            throw GinnelError(.init(error.code), "the doorbell cannot be watched", cause: SystemError(error))
        }
    }

    func detach(from loop: EventLoop) { gn_poller_remove_doorbell(loop.poller, handle) }
}
