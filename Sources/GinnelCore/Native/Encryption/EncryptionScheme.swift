// How the machine sees a key exchange and sealed records (docs/protocol.md §12). What computes them belongs to the layers above; the machine decides when.

/// Makes one side's part of an exchange, with fresh keys for every connection.
package protocol EncryptionScheme: Sendable {
    func begin(_ role: Role) throws(EncryptionFailure) -> any KeyExchange
}

/// One side's part in the exchange of one connection.
package protocol KeyExchange: Sendable {
    /// What the peer is told, in HELLO or WELCOME.
    var offer: EncryptionOffer { get }

    /// The keys of both directions. `hello` and `welcome` are the payloads of the two frames, as they were on the wire, and every bit of them goes into the keys.
    func agree(with peer: EncryptionOffer, hello: [UInt8], welcome: [UInt8]) throws(EncryptionFailure) -> RecordKeys
}

package struct RecordKeys: Sendable {
    package var sealer: any RecordSealer
    package var opener: any RecordOpener

    package init(sealer: any RecordSealer, opener: any RecordOpener) {
        self.sealer = sealer
        self.opener = opener
    }
}

/// Seals what one side sends, record by record.
package protocol RecordSealer: Sendable {
    /// What the other side needs before the first record: `Record.openingBytes` of them.
    var opening: [UInt8] { get }
    /// Seals the next record; the result is `Record.overhead` bytes longer.
    mutating func seal(_ plain: UnsafeRawBufferPointer, _ tag: RecordTag) -> [UInt8]
}

/// Opens what the other side sends, record by record.
package protocol RecordOpener: Sendable {
    /// Takes the peer's opening; false when it is none.
    mutating func begin(_ opening: [UInt8]) -> Bool
    /// Opens the next record; `nil` when it is not the very record that the holder of the key sealed next.
    mutating func open(_ sealed: borrowing RawSpan) -> OpenedRecord?
}

package struct OpenedRecord: Sendable, Equatable {
    package var bytes: [UInt8]
    package var tag: RecordTag

    package init(bytes: [UInt8], tag: RecordTag) {
        self.bytes = bytes
        self.tag = tag
    }
}

package enum RecordTag: UInt8, Sendable {
    case message = 0
    /// Both sides change the key of this direction after this record.
    case rekey = 2
    /// Nothing follows in this direction.
    case final = 3
}

package enum Record {
    package static let openingBytes = 24
    /// Bytes that a record is longer than what it holds.
    package static let overhead = 17
    /// Bytes of frames that one record may hold: the largest frame fits.
    package static let maximumPlain = FrameHeader.size + FrameHeader.maximumPayload
}

/// What one side says of its keys.
package struct EncryptionOffer: Sendable, Equatable {
    package static let keyBytes = 32
    package static let challengeBytes = 16

    /// Made for this connection alone.
    package var publicKey: [UInt8]
    /// Random.
    package var challenge: [UInt8]
    /// Who this is, where keys are pinned.
    package var longTermKey: [UInt8]?

    package init(publicKey: [UInt8], challenge: [UInt8], longTermKey: [UInt8]? = nil) {
        self.publicKey = publicKey
        self.challenge = challenge
        self.longTermKey = longTermKey
    }
}

/// Why there are no keys. The sentence goes to the peer too and says nothing secret.
package struct EncryptionFailure: Error, Sendable {
    package let sentence: String
    package init(_ sentence: String) { self.sentence = sentence }
}

/// Encryption as one side brings it to the handshake.
package struct EncryptionOptions: Sendable {
    package var scheme: any EncryptionScheme
    /// A peer that does not offer it is refused.
    package var isRequired: Bool
    /// What is sealed with one key at most before the sender changes it.
    package var rekeyBytes = 64 << 20
    package var rekeyRecords = 1 << 16

    package init(_ scheme: any EncryptionScheme, isRequired: Bool) {
        self.scheme = scheme
        self.isRequired = isRequired
    }
}
