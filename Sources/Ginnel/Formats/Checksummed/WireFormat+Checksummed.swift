// The checksummed format by its name.

public import GinnelCore

extension WireFormat {
    /// A length, a checksum and a message, protobuf by convention (docs/formats/checksummed.md): one request, one reply, in order. There is one method, and its name is not on the
    /// wire. `SerializedMessage` is what most messages are.
    ///
    /// - Parameters:
    ///   - method: the name of the one method, on this side. Default "task".
    ///   - checksum: CRC-32 of IEEE 802.3, the default, or CRC-32C. Both sides need the same.
    ///   - maximumMessage: bytes of the longest message, in both directions. Default 1 MiB; 1 to 2³¹ − 1. A value outside counts as the nearest one inside.
    ///   - codec: how messages are written. Default `.protobuf`.
    ///   - handlerTimeout: for services, how long a handler may take before its caller is told that it failed, and the handler to stop; the next request is read then. Default `nil`: as
    ///     long as it likes.
    ///   - failures: for services, the reply that tells a caller of a failure. Default `nil`: a request that fails ends the connection.
    public static func checksummed(
        method: String = "task", checksum: Checksum = .ieee, maximumMessage: Int = 1 << 20, codec: Codec = .protobuf, handlerTimeout: Duration? = nil,
        failures: CallFailureEncoder? = nil
    ) -> WireFormat {
        WireFormat(
            name: "checksummed", canUpgrade: false,
            machine: { ingredients in
                var configuration = ChecksummedConfiguration()
                configuration.method = method
                configuration.checksum = checksum
                configuration.maximumMessage = min(max(maximumMessage, 1), Int(Int32.max))
                configuration.codec = codec
                configuration.handlerTimeout = handlerTimeout
                configuration.failureEncoder = failures
                configuration.limits = ingredients.limits
                configuration.timeouts = ingredients.timeouts
                return OrderedSession(role: ingredients.role, configuration)
            },
            refusal: { OrderedSession.refusal($0) })
    }
}
