// The key exchange (docs/protocol.md §12): libsodium's crypto_kx, three times or once, and crypto_generichash over what came of it.
//
// Every connection has a fresh pair of keys on each side, so what was recorded cannot be opened by who learns a long-term key later, nor played back to anybody. With pinned keys each side's
// fresh key meets the other's long-term key too, so only who has that can compute what comes out; with a pre-shared key that key is mixed in. HELLO and WELCOME are the key of the hash:
// sides that have seen different ones have different keys.

#if Encryption
internal import CSodium
internal import GinnelCore
internal import GinnelTransport

extension Encryption {
    /// Both sides have the same key: 32 random bytes. Throws `invalid` when they are not 32.
    public static func preShared(_ key: [UInt8]) throws -> Encryption {
        try Sodium.start()
        guard key.count == 32 else { throw GinnelError(.invalid, "a pre-shared key of \(key.count) bytes where 32 are due") }
        return Encryption(SodiumScheme(.preShared(SecretBytes(key))))
    }

    /// Each side has a pair of its own and knows the other's public key; a peer with any of `peers` is accepted. Throws `invalid` when one of them has not 32 bytes.
    public static func pinned(_ own: KeyPair, peers: Set<[UInt8]>) throws -> Encryption {
        try Sodium.start()
        if let wrong = peers.first(where: { $0.count != 32 }) { throw GinnelError(.invalid, "a public key of \(wrong.count) bytes where 32 are due") }
        return Encryption(SodiumScheme(.pinned(own.publicKey, SecretBytes(own.secretKey), peers: peers)))
    }
}

struct SodiumScheme: EncryptionScheme {
    enum Trust: Sendable {
        case preShared(SecretBytes)
        case pinned([UInt8], SecretBytes, peers: Set<[UInt8]>)
    }

    let trust: Trust

    init(_ trust: Trust) { self.trust = trust }

    func begin(_ role: Role) throws(EncryptionFailure) -> any KeyExchange {
        var (publicKey, secretKey, challenge) = (Sodium.zeros(32), Sodium.zeros(32), Sodium.zeros(16))
        defer { sodium_memzero(&secretKey, secretKey.count) }
        guard crypto_kx_keypair(&publicKey, &secretKey) == 0 else { throw EncryptionFailure("no new keys") }
        randombytes_buf(&challenge, challenge.count)
        var offer = EncryptionOffer(publicKey: publicKey, challenge: challenge)
        if case .pinned(let own, _, _) = trust { offer.longTermKey = own }
        return SodiumExchange(role: role, trust: trust, offer: offer, secretKey: SecretBytes(secretKey))
    }
}

struct SodiumExchange: KeyExchange {
    let role: Role
    let trust: SodiumScheme.Trust
    let offer: EncryptionOffer
    /// The secret half of `offer.publicKey`.
    let secretKey: SecretBytes

    func agree(with peer: EncryptionOffer, hello: [UInt8], welcome: [UInt8]) throws(EncryptionFailure) -> RecordKeys {
        var send: [UInt8] = []
        var receive: [UInt8] = []
        // Room for all of it, so that nothing is left behind where it lay before it grew.
        send.reserveCapacity(96)
        receive.reserveCapacity(96)
        defer {
            sodium_memzero(&send, send.count)
            sodium_memzero(&receive, receive.count)
        }
        try meet(offer.publicKey, secretKey, peer.publicKey, &send, &receive)
        switch trust {
        case .preShared(let key):
            guard peer.longTermKey == nil else { throw EncryptionFailure("the peer has pinned keys where this side has a pre-shared one") }
            let bytes = UnsafeBufferPointer(start: key.address, count: 32)
            send += bytes
            receive += bytes
        case .pinned(let own, let ownSecret, let peers):
            guard let theirs = peer.longTermKey else { throw EncryptionFailure("the peer names no long-term key, and this side has its peers' pinned") }
            guard peers.contains(theirs) else { throw EncryptionFailure("the peer's long-term key is none of those that are pinned here") }
            // First the client's fresh key with the service's long-term one, then the other way round.
            if role == .client {
                try meet(offer.publicKey, secretKey, theirs, &send, &receive)
                try meet(own, ownSecret, peer.publicKey, &send, &receive)
            } else {
                try meet(own, ownSecret, peer.publicKey, &send, &receive)
                try meet(offer.publicKey, secretKey, theirs, &send, &receive)
            }
        }
        let transcript = hash(length(hello) + hello + length(welcome) + welcome, key: [])
        return RecordKeys(sealer: SodiumSealer(key: hash(send, key: transcript)), opener: SodiumOpener(key: hash(receive, key: transcript)))
    }

    /// One crypto_kx between a key of ours and one of the peer's: 32 bytes more for each direction.
    private func meet(
        _ ownPublic: [UInt8], _ ownSecret: SecretBytes, _ theirs: [UInt8], _ send: inout [UInt8], _ receive: inout [UInt8]
    ) throws(EncryptionFailure) {
        var (ours, others) = (Sodium.zeros(32), Sodium.zeros(32))
        defer {
            sodium_memzero(&ours, ours.count)
            sodium_memzero(&others, others.count)
        }
        let outcome =
            role == .client
            ? crypto_kx_client_session_keys(&others, &ours, ownPublic, ownSecret.address, theirs)
            : crypto_kx_server_session_keys(&others, &ours, ownPublic, ownSecret.address, theirs)
        guard outcome == 0 else { throw EncryptionFailure("a public key of the peer is none") }
        send += ours
        receive += others
    }

    private func length(_ bytes: [UInt8]) -> [UInt8] { withUnsafeBytes(of: UInt32(truncatingIfNeeded: bytes.count).littleEndian) { [UInt8]($0) } }

    private func hash(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var result = Sodium.zeros(32)
        crypto_generichash(&result, result.count, bytes, UInt64(bytes.count), key, key.count)
        return result
    }
}
#endif
