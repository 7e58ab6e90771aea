// Sealed connections: what programs configure (docs/protocol.md §12).

internal import GinnelCore
internal import GinnelTransport

/// How connections are encrypted: `.preShared` or `.pinned`, which exist with the package trait `Encryption`.
///
/// The kernel keeps strangers out of a local connection already. This is for what the kernel cannot tell apart: another program of the same user that puts itself in the middle, a socket
/// that somebody forwards to another machine. It does not guard against who can read this process's memory or its key file. See SECURITY.md.
public struct Encryption: Sendable {
    /// Whether a peer that does not offer it is refused, with `encryptionRequired`. Default true. When false, who stands in the middle can keep both sides from using it.
    public var isRequired = true

    let scheme: any EncryptionScheme

    init(_ scheme: any EncryptionScheme) { self.scheme = scheme }

    var options: EncryptionOptions { EncryptionOptions(scheme, isRequired: isRequired) }

    /// Throws `invalid` when connections at `endpoint` can have no encryption although it is required.
    func check(_ format: WireFormat, at endpoint: Endpoint) throws {
        guard isRequired, !format.canEncrypt else { return }
        throw GinnelError(.invalid, "the format \(format.name) at \(endpoint) has no encryption, which is required; leave it to the format .native, or let isRequired be false")
    }
}
