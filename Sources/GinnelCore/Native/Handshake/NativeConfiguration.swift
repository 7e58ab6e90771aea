// What one side of a native session brings to the handshake.

package struct NativeConfiguration: Sendable {
    /// The service's name, or the one a client looks for; empty when it does not care.
    package var service: String = ""
    /// Instance id of a service, sender id of a client.
    package var identity: Identity
    /// Name and version of the program, for the peer's logs.
    package var program: String = ""
    package var codecs: Set<Codec> = [.raw, .json, .protobuf]
    package var offersChecksums = false
    /// Whether messages may be delivered in either direction (docs/protocol.md §9).
    package var offersDelivery = false
    /// Whether the connection may go on over shared memory; `nil` for never.
    package var sharedMemory: SharedMemoryOptions?
    /// Offered when there is one.
    package var compression: CompressionOptions?
    package var encryption: EncryptionOptions?
    package var limits = SessionLimits.defaults
    package var timeouts = SessionTimeouts.defaults
    /// The first stream id, so that tests can start near the wrap; must have the parity of the role.
    package var firstStream: UInt32?

    package init(identity: Identity) { self.identity = identity }
}

/// Feature bits of version 1.0.
struct NativeFeatures: OptionSet, Sendable {
    let rawValue: UInt64
    static let checksums = NativeFeatures(rawValue: 1)
    static let sharedMemory = NativeFeatures(rawValue: 2)
    static let delivery = NativeFeatures(rawValue: 4)
    static let compression = NativeFeatures(rawValue: 8)
    static let encryption = NativeFeatures(rawValue: 16)
}

/// What both sides agreed on.
struct NativeAgreement: Sendable, Equatable {
    var features: NativeFeatures
    var peerLimits: AnnouncedLimits
    var peerCodecs: Set<Codec>
    /// Nanoseconds; `nil` for none.
    var heartbeat: UInt64?
    var service: String
    var identity: Identity
    var program: String
}
