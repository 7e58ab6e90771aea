// HELLO and WELCOME as values (docs/protocol.md §4): writing one, reading one, and agreeing on both.

struct Greeting: Sendable, Equatable {
    /// The only minor version that this code speaks.
    static let minorVersion: UInt8 = 0
    static let smallestMaximumMessage = 1024
    /// Milliseconds; a peer that asks for less gets this.
    static let shortestHeartbeat = 100

    var versions: ClosedRange<UInt8>
    var features: NativeFeatures
    var codecs: Set<Codec>
    var limits: AnnouncedLimits
    /// Milliseconds; 0 for none.
    var heartbeat: Int
    var service: String
    var identity: Identity
    var program: String
    /// What is said of keys, where features contain encryption.
    var encryption: EncryptionOffer?

    init(_ configuration: NativeConfiguration) {
        versions = Self.minorVersion...Self.minorVersion
        features = configuration.offersChecksums ? .checksums : []
        if configuration.sharedMemory != nil { features.insert(.sharedMemory) }
        if configuration.offersDelivery { features.insert(.delivery) }
        if configuration.compression != nil { features.insert(.compression) }
        if configuration.encryption != nil { features.insert(.encryption) }
        codecs = configuration.codecs
        limits = configuration.limits.announced
        heartbeat = configuration.timeouts.heartbeat.map { Int(clamping: $0.wholeNanoseconds / 1_000_000) } ?? 0
        service = configuration.service
        identity = configuration.identity
        program = configuration.program
    }

    private enum Tag {
        static let versions: UInt16 = 1
        static let features: UInt16 = 2
        static let codecs: UInt16 = 3
        static let maximumMessage: UInt16 = 4
        static let callsInFlight: UInt16 = 5
        static let window: UInt16 = 6
        static let itemWindow: UInt16 = 7
        static let heartbeat: UInt16 = 8
        static let service: UInt16 = 9
        static let identity: UInt16 = 10
        static let program: UInt16 = 11
        static let deliveryWindow: UInt16 = 12
        static let publicKey: UInt16 = 13
        static let challenge: UInt16 = 14
        static let longTermKey: UInt16 = 15
    }

    var encoded: [UInt8] {
        func u32(_ value: Int) -> [UInt8] { UInt32(clamping: value).littleEndianBytes }
        var fields = Fields()
        fields[Tag.versions] = [versions.lowerBound, versions.upperBound]
        fields[Tag.features] = features.rawValue.littleEndianBytes
        fields[Tag.codecs] = codecs.map(\.rawValue).sorted()
        fields[Tag.maximumMessage] = u32(limits.maximumMessage)
        fields[Tag.callsInFlight] = u32(limits.callsInFlight)
        fields[Tag.window] = u32(limits.requestWindow)
        fields[Tag.itemWindow] = u32(limits.itemWindow)
        fields[Tag.heartbeat] = u32(heartbeat)
        if !service.isEmpty { fields[Tag.service] = Array(service.utf8.prefix(255)) }
        fields[Tag.identity] = identity.high.littleEndianBytes + identity.low.littleEndianBytes
        if !program.isEmpty { fields[Tag.program] = Array(program.utf8.prefix(255)) }
        if features.contains(.delivery) { fields[Tag.deliveryWindow] = u32(limits.deliveryWindow) }
        if let encryption {
            fields[Tag.publicKey] = encryption.publicKey
            fields[Tag.challenge] = encryption.challenge
            fields[Tag.longTermKey] = encryption.longTermKey
        }
        return fields.encoded
    }

    init(_ payload: borrowing RawSpan) throws(Violation) {
        let fields = try Fields(payload)
        let range = try fields.required(Tag.versions, bytes: 2)
        guard range[0] <= range[1] else { throw Violation(.protocolViolation, "minor versions \(range[0]) to \(range[1])") }
        versions = range[0]...range[1]
        features = NativeFeatures(rawValue: try fields.requiredU64(Tag.features))
        // Who names none has not said; the callee answers for itself.
        codecs = Set((fields[Tag.codecs] ?? Array(0...15)).filter { $0 <= 15 }.map { Codec(rawValue: $0) })
        limits = AnnouncedLimits()
        limits.maximumMessage = try fields.requiredU32(Tag.maximumMessage)
        limits.callsInFlight = try fields.requiredU32(Tag.callsInFlight)
        limits.requestWindow = try fields.requiredU32(Tag.window)
        limits.itemWindow = try fields.requiredU32(Tag.itemWindow)
        if features.contains(.delivery) { limits.deliveryWindow = try fields.requiredU32(Tag.deliveryWindow) }
        heartbeat = try fields.requiredU32(Tag.heartbeat)
        service = String(decoding: fields[Tag.service] ?? [], as: UTF8.self)
        program = String(decoding: fields[Tag.program] ?? [], as: UTF8.self)
        let id = try fields.required(Tag.identity, bytes: 16)
        identity = Identity(high: Array(id[..<8]).littleEndianInteger(), low: Array(id[8...]).littleEndianInteger())
        encryption = try Self.encryption(fields)
        try limits.checkAnnounced(delivers: features.contains(.delivery))
    }

    /// What a peer says of its keys; `nil` when it says nothing.
    private static func encryption(_ fields: Fields) throws(Violation) -> EncryptionOffer? {
        guard fields[Tag.publicKey] != nil else { return nil }
        let size = EncryptionOffer.keyBytes
        var offer = EncryptionOffer(
            publicKey: try fields.required(Tag.publicKey, bytes: size), challenge: try fields.required(Tag.challenge, bytes: EncryptionOffer.challengeBytes))
        if fields[Tag.longTermKey] != nil { offer.longTermKey = try fields.required(Tag.longTermKey, bytes: size) }
        return offer
    }

    /// What is in force between this side and a peer that sent `peer`.
    func agreement(with peer: Greeting) -> NativeAgreement {
        let beats = [heartbeat, peer.heartbeat].filter { $0 > 0 }
        return NativeAgreement(
            features: features.intersection(peer.features), peerLimits: peer.limits, peerCodecs: peer.codecs,
            heartbeat: beats.min().map { UInt64(max($0, Self.shortestHeartbeat)) * 1_000_000 }, service: peer.service.isEmpty ? service : peer.service,
            identity: peer.identity, program: peer.program)
    }
}

extension AnnouncedLimits {
    private static let top = Int(Int32.max)

    /// The nearest limits that may be announced.
    var inRange: AnnouncedLimits {
        var limits = self
        limits.maximumMessage = min(max(maximumMessage, Greeting.smallestMaximumMessage), Self.top)
        limits.requestWindow = min(max(requestWindow, limits.maximumMessage), Self.top)
        limits.itemWindow = min(max(itemWindow, 1), Self.top)
        limits.deliveryWindow = min(max(deliveryWindow, DeliveryCost.of(limits.maximumMessage)), Self.top)
        limits.callsInFlight = min(max(callsInFlight, 0), Self.top)
        return limits
    }

    /// Whether a peer may announce this.
    func checkAnnounced(delivers: Bool) throws(Violation) {
        let top = Self.top
        guard (Greeting.smallestMaximumMessage...top).contains(maximumMessage) else {
            throw Violation(.protocolViolation, "a maximum message of \(maximumMessage) bytes, outside \(Greeting.smallestMaximumMessage) to \(top)")
        }
        guard (maximumMessage...top).contains(requestWindow) else {
            throw Violation(.protocolViolation, "a window of \(requestWindow) bytes, outside the maximum message of \(maximumMessage) to \(top)")
        }
        guard (1...top).contains(itemWindow) else {
            throw Violation(.protocolViolation, "an item window of \(itemWindow) bytes, outside 1 to \(top)")
        }
        guard !delivers || (min(DeliveryCost.of(maximumMessage), top)...top).contains(deliveryWindow) else {
            throw Violation(
                .protocolViolation, "a delivery window of \(deliveryWindow) bytes, outside the maximum message of \(maximumMessage) and \(DeliveryCost.overhead) to \(top)")
        }
        guard callsInFlight <= top else { throw Violation(.protocolViolation, "\(callsInFlight) calls in flight, over \(top)") }
    }
}
