// Which wire format an endpoint speaks: a name, and how to make one side's machine for one connection.

public import GinnelCore
internal import GinnelTransport

/// How bytes become messages on a connection.
public struct WireFormat: Sendable {
    /// What a machine is made of.
    struct Ingredients: Sendable {
        var role: Role
        var service: String
        /// Who is at the other end, as the kernel says.
        var peer: PeerIdentity
        var identity: Identity
        var program: String
        /// Service: what users have in hand, for formats whose handlers outlive their connection.
        var requests: Guarded<RequestAccounts>?
        var limits: SessionLimits
        var timeouts: SessionTimeouts
        var checksums: Bool
        /// For connections that may go on over shared memory.
        var sharedMemory: SharedMemoryOptions?
        var compression: Compression?
        var encryption: Encryption?
    }

    /// As it appears in logs.
    public let name: String
    /// Whether a connection that began on a socket can go on over shared memory.
    let canUpgrade: Bool
    /// Whether messages can be acknowledged.
    var delivers: Bool { canUpgrade || canDeliver }
    /// Whether it can without being able to do that.
    var canDeliver = false
    /// Whether it has sealed records.
    var canEncrypt = false
    let machine: @Sendable (Ingredients) -> any SessionMachine
    /// What a peer reads that is refused before a byte of it was read.
    let refusal: @Sendable (FailureCode) -> [UInt8]

    /// `ginnel/1` (docs/protocol.md): many calls on one connection, streams, events, deadlines, cancellation.
    public static let native = WireFormat(
        name: "ginnel/1", canUpgrade: true, canEncrypt: true,
        machine: { ingredients in
            var configuration = NativeConfiguration(identity: ingredients.identity)
            configuration.service = ingredients.service
            configuration.program = ingredients.program
            configuration.limits = ingredients.limits
            configuration.timeouts = ingredients.timeouts
            configuration.offersDelivery = true
            configuration.offersChecksums = ingredients.checksums
            configuration.sharedMemory = ingredients.sharedMemory
            configuration.compression = ingredients.compression?.options
            configuration.encryption = ingredients.encryption?.options
            return NativeSession(role: ingredients.role, configuration)
        },
        refusal: { NativeSession.refusal($0) })

    /// Length-prefixed JSON objects with a `type` (docs/formats/tagged-json.md): one request, one reply, in order. The `type` is the method, and the whole object the payload,
    /// of requests and replies alike.
    ///
    /// - Parameters:
    ///   - maximumMessage: bytes of the longest object. Default 65,536; 64 to 2³¹ − 1. A value outside counts as the nearest one inside.
    ///   - pushTypes: for clients, the types that are events rather than replies. Default none.
    ///   - holdsEvents: for services, whether events that are made while a request is answered leave after its reply, for clients that take the next message for the reply. Default false.
    public static func taggedJSON(maximumMessage: Int = 65_536, pushTypes: Set<String> = [], holdsEvents: Bool = false) -> WireFormat {
        WireFormat(
            name: "tagged JSON", canUpgrade: false,
            machine: { ingredients in
                var configuration = TaggedJSONConfiguration()
                configuration.maximumMessage = min(max(maximumMessage, 64), Int(Int32.max))
                configuration.pushTypes = pushTypes
                configuration.holdsEvents = holdsEvents
                configuration.limits = ingredients.limits
                configuration.timeouts = ingredients.timeouts
                return OrderedSession(role: ingredients.role, configuration)
            },
            refusal: { OrderedSession.refusal($0) })
    }

    /// A header of 24 bytes with type, id and checksum, and a payload (docs/formats/headered.md): many calls on one connection, streams as answers, cancellation, one-way
    /// messages.
    ///
    /// Methods and events are the format's own and have fixed names, such as `completion_request`; `Headered` has their types.
    ///
    /// - Parameters:
    ///   - maximumPayload: bytes of the longest payload. Default 10 MiB; 256 to 2³¹ − 1. A value outside counts as the nearest one inside.
    ///   - payloads: JSON, the default, or bytes in a codec of the program's own.
    ///   - greets: for clients, whether a Handshake is sent and its ack waited for before the first call. Default false.
    public static func headered(maximumPayload: Int = 10 << 20, payloads: HeaderedPayloads = .json, greets: Bool = false) -> WireFormat {
        WireFormat(
            name: "headered", canUpgrade: false,
            machine: { ingredients in
                var configuration = HeaderedConfiguration()
                configuration.maximumPayload = min(max(maximumPayload, 256), Int(Int32.max))
                configuration.payloads = payloads
                configuration.greets = greets
                configuration.limits = ingredients.limits
                configuration.timeouts = ingredients.timeouts
                return HeaderedSession(role: ingredients.role, configuration)
            },
            refusal: { HeaderedSession.refusal($0) })
    }
}
