// What a session machine asks its driver to do: format-neutral verbs, performed in order and outside the lock.
//
// A machine does no I/O and resumes nobody. It appends actions; the driver takes them all and performs each one. Bytes to be sent are no
// action: they wait in the machine until the driver asks for them (`produce`), so that their order is decided under the lock.

/// The caller's side of one call, kept by the machine as a token and handed back with each thing that happens to it.
///
/// A machine only stores and returns it; it never calls these functions. The driver does, on the thread that performs the actions.
package protocol OutgoingCall: AnyObject, Sendable {
    /// The call has ended well. Nothing follows.
    func replied(codec: Codec, payload: borrowing RawSpan)
    /// The call has ended badly. Nothing follows.
    func failed(_ failure: Failure)
    /// One item of the stream that the callee sends.
    func received(item: borrowing RawSpan, codec: Codec)
    /// Items may be sent again.
    func mayCarryOn()
    /// Where the machine keeps the call's number while it is in flight; 0 before and after. Touched under the driver's lock only.
    var callNumber: UInt32 { get set }
    /// Set by the machine when the call was abandoned before it was submitted. Touched under the driver's lock only.
    var isAbandoned: Bool { get set }
}

/// What a machine asks its driver to do on the way from the socket to shared memory (docs/shared-memory.md §4).
package enum UpgradeStep: Sendable, Equatable {
    /// Make a segment and doorbells to be offered; answered by `.upgrade(.made)` or `.upgrade(.failed)`.
    case make(RingGeometry)
    /// Map the segment that came with these descriptors; answered by `.upgrade(.taken)` or `.upgrade(.failed)`.
    case take(RingGeometry, handles: OfferedHandles)
    /// An offer is not taken: let go of what came with it. Not answered.
    case refuse(handles: OfferedHandles)
    /// It stays on the socket: keep nothing of what was made or offered. Not answered.
    case drop
    /// The peer sends nothing more on the socket: what follows is read from the ring.
    case readFromRing
}

/// How the driver answers.
package enum UpgradeAnswer: Sendable, Equatable {
    case made(handles: OfferedHandles)
    case taken
    case failed(Failure)
}

/// A request that has arrived whole.
package struct IncomingRequest: Sendable {
    package var call: UInt32
    package var method: String
    package var codec: Codec
    package var payload: Payload
    /// On the continuous clock, nanoseconds; `nil` when the caller waits for ever.
    package var deadline: UInt64?
    package var lane: Lane
    /// The caller sends items after the request.
    package var itemsFollow: Bool
    /// Where the call stands in a trace, if the caller said so.
    package var trace: TraceContext?

    package init(
        call: UInt32, method: String, codec: Codec, payload: Payload, deadline: UInt64? = nil, lane: Lane = .normal, itemsFollow: Bool = false,
        trace: TraceContext? = nil
    ) {
        self.call = call
        self.method = method
        self.codec = codec
        self.payload = payload
        self.deadline = deadline
        self.lane = lane
        self.itemsFollow = itemsFollow
        self.trace = trace
    }
}

package enum Action: Sendable {
    /// The handshake is done; calls may be made. Formats without a handshake say so at once.
    case established(Establishment)

    /// A request for the handler of `method`. The machine expects `.reply` or `.fail` for its call.
    case request(IncomingRequest)
    /// An item that the caller sends for an incoming call; END is `nil`.
    case item(call: UInt32, codec: Codec, payload: Payload?)
    /// The handler of an incoming call may send items again.
    case carryOn(call: UInt32)
    /// The handler of an incoming call is to stop. Its reply is still expected and will not be sent as such.
    case cancel(call: UInt32, Failure)

    /// What happened to an outgoing call.
    case replied(any OutgoingCall, codec: Codec, payload: Payload)
    case failed(any OutgoingCall, Failure)
    case streamed(any OutgoingCall, codec: Codec, payload: Payload)
    case mayCarryOn(any OutgoingCall)

    /// An event; `missed` were dropped by the sender just before it.
    case event(name: String, codec: Codec, payload: Payload, missed: UInt32)
    /// A message that the peer keeps until it is acknowledged. The machine expects `.acknowledge` for its id.
    case message(IncomingDelivery)
    /// What became of messages that were sent on this connection.
    case acknowledged([Acknowledgement])
    /// There is room for the message that found none.
    case messagesMayCarryOn
    /// The answer to a ping of ours.
    case pong(UInt64)
    /// The peer starts no new calls and accepts none.
    case farewell(Failure)

    /// A step of the way to another transport, for the driver.
    case upgrade(UpgradeStep)
    /// Both sides have settled how they go on: over shared memory (`nil`), or on the socket for this reason.
    case upgraded(Failure?)

    /// The session is over. What waits in the machine is to be sent as far as possible, then the channel ends. Always the last action.
    case close(CloseReason)
}

/// What the handshake settled.
package struct Establishment: Sendable, Equatable {
    package var service: String
    /// The peer: for a client the instance of the service, which differs between two starts of it; for a service the sender that the client is. All zero for formats that
    /// have none.
    package var instance: Identity
    package var peerLimits: AnnouncedLimits
    package var program: String
    /// Whether messages may be delivered, in either direction.
    package var delivers: Bool
    /// Everything that is said from now on is sealed.
    package var isEncrypted: Bool

    package init(
        service: String, instance: Identity, peerLimits: AnnouncedLimits, program: String, delivers: Bool = false, isEncrypted: Bool = false
    ) {
        self.service = service
        self.instance = instance
        self.peerLimits = peerLimits
        self.program = program
        self.delivers = delivers
        self.isEncrypted = isEncrypted
    }
}

/// 128 random bits.
public struct Identity: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 hexadecimal digits.
    public var description: String {
        [high, low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// Why a session ended, and who ended it.
public struct CloseReason: Sendable, Equatable, CustomStringConvertible {
    public enum Side: Sendable {
        case us
        case peer
        /// The connection broke: neither said so.
        case nobody
    }
    public var by: Side
    public var failure: Failure

    public init(by side: Side, _ failure: Failure) {
        by = side
        self.failure = failure
    }

    public var description: String {
        switch by {
        case .us: "closed by this side, \(failure)"
        case .peer: "closed by the peer, \(failure)"
        case .nobody: "connection lost, \(failure)"
        }
    }
}
