// Long-term keys, by which programs know each other.

#if Encryption
internal import CSodium
internal import GinnelTransport

/// The key of one program: others pin its public half, and it keeps the secret one, in a file that only its user can read or wherever the system keeps secrets.
public struct KeyPair: Sendable {
    /// 32 bytes, for everybody.
    public let publicKey: [UInt8]
    /// 32 bytes, for this program alone.
    public let secretKey: [UInt8]

    /// A new pair.
    public init() throws {
        try Sodium.start()
        var (publicKey, secretKey) = (Sodium.zeros(32), Sodium.zeros(32))
        guard crypto_kx_keypair(&publicKey, &secretKey) == 0 else { throw GinnelError(.other, "no new keys") }
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// The pair of a secret key that was kept. Throws `invalid` when it has not 32 bytes.
    public init(secretKey: [UInt8]) throws {
        try Sodium.start()
        guard secretKey.count == 32 else { throw GinnelError(.invalid, "a secret key of \(secretKey.count) bytes where 32 are due") }
        var publicKey = Sodium.zeros(32)
        guard crypto_scalarmult_base(&publicKey, secretKey) == 0 else { throw GinnelError(.invalid, "a secret key without a public one") }
        self.publicKey = publicKey
        self.secretKey = secretKey
    }
}

extension KeyPair: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The public key in hexadecimal. The secret one appears nowhere.
    public var description: String {
        publicKey.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

enum Sodium {
    private static let isReady = sodium_init() >= 0

    /// Throws `other` when the library cannot be used. Any thread.
    static func start() throws {
        guard isReady else { throw GinnelError(.other, "libsodium cannot start: it finds no random bytes") }
    }

    static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}

/// Bytes that are wiped when nobody needs them any more.
///
/// `@unchecked Sendable`: the bytes are constant from init to deinit.
final class SecretBytes: @unchecked Sendable {
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
        self.bytes = .allocate(byteCount: bytes.count, alignment: 1)
        self.bytes.copyBytes(from: bytes)
    }

    deinit {
        sodium_memzero(bytes.baseAddress, bytes.count)
        bytes.deallocate()
    }

    /// The address of the first byte, valid as long as this lives.
    var address: UnsafePointer<UInt8> { UnsafePointer(bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)) }
}
#endif
