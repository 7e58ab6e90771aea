// Encryption for tests of what a machine does with it. It hides nothing from anybody: its keys are made of what both sides say in the open and of a number that both were given. But like the
// real thing it notices every change, repetition, omission and exchange of records, and that of keys and handshakes.

package import GinnelCore

package struct ToyEncryption: EncryptionScheme {
    /// What both sides must have in common.
    let secret: UInt64
    let failing: Bool

    /// `failing`: it has no random bytes.
    package init(secret: UInt64, failing: Bool = false) {
        self.secret = secret
        self.failing = failing
    }

    package func begin(_ role: Role) throws(EncryptionFailure) -> any KeyExchange {
        if failing { throw EncryptionFailure("there is no chance in this toy") }
        let byte: UInt8 = role == .client ? 0xCC : 0x55
        let offer = EncryptionOffer(publicKey: [UInt8](repeating: byte, count: 32), challenge: [UInt8](repeating: byte ^ 0xFF, count: 16))
        return Exchange(role: role, secret: secret, offer: offer)
    }

    struct Exchange: KeyExchange {
        let role: Role
        let secret: UInt64
        let offer: EncryptionOffer

        func agree(with peer: EncryptionOffer, hello: [UInt8], welcome: [UInt8]) throws(EncryptionFailure) -> RecordKeys {
            guard peer.publicKey != [UInt8](repeating: 0, count: 32) else { throw EncryptionFailure("a public key of zeros") }
            let common = digest(hello + welcome, secret)
            return RecordKeys(sealer: ToyDirection(key: common ^ own(role)), opener: ToyDirection(key: common ^ own(role.other)))
        }

        private func own(_ role: Role) -> UInt64 { role == .client ? 1 : 2 }
    }
}

private func digest(_ bytes: some Sequence<UInt8>, _ start: UInt64) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325 ^ start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

package struct ToyDirection: RecordSealer, RecordOpener {
    var key: UInt64
    var count: UInt64 = 0

    package init(key: UInt64) { self.key = key }

    package var opening: [UInt8] { WireFrame.u64(key) + [UInt8](repeating: 7, count: 16) }

    package func begin(_ opening: [UInt8]) -> Bool { opening.count == 24 }

    package mutating func seal(_ plain: UnsafeRawBufferPointer, _ tag: RecordTag) -> [UInt8] {
        let hidden = hide(plain, tag.rawValue)
        let sum = digest(hidden, key ^ count)
        advance(tag)
        return hidden + WireFrame.u64(sum) + WireFrame.u64(~sum)
    }

    package mutating func open(_ sealed: borrowing RawSpan) -> OpenedRecord? {
        let bytes = sealed.copied()
        let hidden = Array(bytes.dropLast(16))
        let sum = digest(hidden, key ^ count)
        guard Array(bytes.suffix(16)) == WireFrame.u64(sum) + WireFrame.u64(~sum) else { return nil }
        let plain = hidden.dropFirst().withUnsafeBytes { hide($0, hidden[0]) }
        guard let tag = RecordTag(rawValue: plain[0]) else { return nil }
        advance(tag)
        return OpenedRecord(bytes: Array(plain.dropFirst()), tag: tag)
    }

    /// The tag and the bytes, each changed by the next of a sequence that both sides know; twice is not at all.
    private func hide(_ bytes: UnsafeRawBufferPointer, _ tag: UInt8) -> [UInt8] {
        var random = SplitMix64(seed: key ^ (count &* 0x9E37))
        let mask = random.bytes(bytes.count + 1)
        return zip([tag] + bytes, mask).map { $0 ^ $1 }
    }

    private mutating func advance(_ tag: RecordTag) {
        count += 1
        if tag == .rekey { (key, count) = (digest(WireFrame.u64(key), 3), 0) }
    }
}
