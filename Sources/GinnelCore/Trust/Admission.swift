// Whether one more connection is let in: how many there are, whose they are, how fast they come. Pure; the listener acts on it.

/// How many connections a service takes.
public struct ConnectionLimits: Sendable, Equatable {
    /// Connections at once. Default 1,024; lowered to what the process's descriptors allow.
    public var maximum: Int = 1024
    /// Connections of one user at once, where other users may connect too: one of them cannot take every place. Default 512. Has no meaning for a service of one user.
    public var perUser: Int = 512
    /// Connections accepted in a second; those beyond wait in the system's backlog. Default 5,000.
    public var acceptedPerSecond: Int = 5000
    /// Bytes of output that may wait for all connections of one user together, before the one of them for which most waits is closed as a slow reader. Default 256 MiB. Counted as
    /// `SessionLimits.bufferedBytes` is, where a connection's socket is full, and in steps of 16 KiB for each connection.
    public var bufferedBytesPerUser: Int = 256 << 20
    /// Bytes of requests that handlers have in hand for all connections of one user together, those that have gone included, before the connection is closed that brings one more. Default 256 MiB,
    /// each request counted 4,096 bytes longer than it is; a request that is alone is always begun. For formats whose handlers outlive their connection, as those of envelopes do.
    public var requestBytesPerUser: Int = 256 << 20

    public static let defaults = ConnectionLimits()

    public init() {}

    /// Descriptors that a service leaves for everything else.
    package static let descriptorReserve = 64

    /// Descriptors of a connection that may use shared memory: the socket, two bells, and until the offer has left the segment.
    package static let descriptorsWithSharedMemory = 4

    /// The same, so that connections of `each` descriptors and `reserve` fit into what the process may still open.
    package func fitting(limit: Int, open: Int, each: Int = 1) -> ConnectionLimits {
        var fitted = self
        fitted.maximum = max(1, min(maximum, (limit - open - Self.descriptorReserve) / each))
        return fitted
    }
}

package struct Admission: Sendable {
    package let limits: ConnectionLimits
    package private(set) var connections = 0
    private var users: [UInt32: Int] = [:]
    /// Accepts that are left in the current second, which began at `since` on the awake clock.
    private var left: Int
    private var since: UInt64 = 0

    private static let second: UInt64 = 1_000_000_000

    package init(_ limits: ConnectionLimits) {
        self.limits = limits
        left = limits.acceptedPerSecond
    }

    /// One connection was accepted. When the next may be: now (`nil`), or at a time of the awake clock.
    package mutating func pace(_ now: UInt64) -> UInt64? {
        if now >= since.adding(Self.second) {
            since = now
            left = max(1, limits.acceptedPerSecond)
        }
        left -= 1
        return left > 0 ? nil : since.adding(Self.second)
    }

    /// A place for one more connection, before anything is known of it.
    package mutating func reserve() -> Failure? {
        guard connections < limits.maximum else {
            return Failure(.tooManyConnections, "\(connections) connections, the limit (connections.maximum)")
        }
        connections += 1
        return nil
    }

    /// The connection's user is known.
    package mutating func enter(_ user: UInt32?) -> Failure? {
        guard let user else { return nil }
        let own = users[user, default: 0]
        guard own < limits.perUser else {
            return Failure(.tooManyConnections, "\(own) connections of user \(user), the limit (connections.perUser)")
        }
        users[user] = own + 1
        return nil
    }

    /// A connection has ended; `user` as given to `enter` when it was let in.
    package mutating func leave(_ user: UInt32?) {
        connections -= 1
        guard let user, let own = users[user] else { return }
        users[user] = own > 1 ? own - 1 : nil
    }
}
