// Every capacity of a session, with its default. Machines take them as parameters; none is optional.

/// What one side announces to the other in the handshake. A value outside its range counts as the nearest one inside.
public struct AnnouncedLimits: Sendable, Equatable {
    /// Bytes of the longest message this side takes. Default 1 MiB; 1,024 to 2³¹ − 1.
    public var maximumMessage: Int = 1 << 20
    /// Calls this side serves at once for one peer. Default 1,024; 0 to 2³¹ − 1.
    public var callsInFlight: Int = 1024
    /// Bytes of unfinished requests this side holds for one peer. Default 4 MiB; `maximumMessage` to 2³¹ − 1.
    public var requestWindow: Int = 4 << 20
    /// Bytes of items this side holds for one stream. Default 256 KiB; 1 to 2³¹ − 1.
    public var itemWindow: Int = 256 << 10

    /// Bytes of messages this side holds for one peer and has not acknowledged, each counted 128 longer than it is. Default 4 MiB; `maximumMessage` and 128 to 2³¹ − 1.
    /// Without meaning where delivery is not in force.
    public var deliveryWindow: Int = 4 << 20

    public static let defaults = AnnouncedLimits()

    public init() {}
}

/// What one side allows itself to keep for one peer.
public struct SessionLimits: Sendable, Equatable {
    public var announced = AnnouncedLimits.defaults
    /// Bytes of output that may wait for one peer before it is closed as a slow reader. Default 64 MiB.
    ///
    /// Each message that waits counts 128 bytes more than it is long, for what it takes to keep it.
    public var bufferedBytes: Int = 64 << 20
    /// Bytes of control frames (answers to pings, credit, cancels) among them before the peer is closed as a slow reader. Default 1 MiB.
    public var controlBytes: Int = 1 << 20
    /// Bytes of events that may wait for one peer before `eventOverflow` applies. Default 1 MiB.
    public var eventBytes: Int = 1 << 20
    public var eventOverflow = EventOverflow.dropOldest
    /// Calls that may wait for the peer's permission to start before a further one fails. Default 16,384.
    public var waitingCalls: Int = 16_384

    public static let defaults = SessionLimits()

    /// What a waiting message counts beyond its bytes.
    package static let messageOverhead = 128

    public init() {}
}

/// What becomes of events for a peer that reads too slowly.
public enum EventOverflow: Sendable, Equatable {
    /// The oldest are dropped, and the next one delivered says how many.
    case dropOldest
    /// The peer is closed.
    case close
}

/// How long a session waits. Liveness is judged on the clock that stops while the machine sleeps.
public struct SessionTimeouts: Sendable, Equatable {
    /// From the first byte until the handshake is complete; before it, as long again where a connection begins with a stream over shared memory. Default 5 s.
    public var handshake: Duration = .seconds(5)
    /// From the first byte of a frame until its last, and between two chunks of one message. Default 30 s.
    public var readMidMessage: Duration = .seconds(30)
    /// How long a peer may take nothing while bytes wait for it. Default 10 s.
    public var write: Duration = .seconds(10)
    /// Between two messages in either direction; `nil`, the default, for as long as one likes.
    public var idle: Duration?
    /// Between two signs of life of the peer; the shorter of both sides' is in force. Default 30 s; `nil` for none.
    public var heartbeat: Duration? = .seconds(30)

    public static let defaults = SessionTimeouts()

    public init() {}
}

/// How a connection may go on over shared memory (docs/shared-memory.md).
public struct SharedMemoryOptions: Sendable, Equatable {
    /// Bytes of the ring in each direction that a service offers; the next power of two counts, from 4,096 to 2³⁰. Default 256 KiB. A connection holds twice
    /// that from the moment of the offer, used or not.
    public var ringBytes: Int = 256 << 10
    /// Bytes of the largest ring that a client takes. Default 64 MiB.
    public var maximumRingBytes: Int = 64 << 20

    public static let defaults = SharedMemoryOptions()

    public init() {}

    /// The ring that is offered.
    package var geometry: RingGeometry { RingGeometry(atLeast: max(4096, ringBytes)) }
}
