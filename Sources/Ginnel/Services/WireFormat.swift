// Which wire format an endpoint speaks: a name, and how to make one side's machine for one connection.

internal import GinnelCore
internal import GinnelTransport

/// How bytes become messages on a connection.
public struct WireFormat: Sendable {
    /// What a machine is made of.
    struct Ingredients: Sendable {
        var role: Role
        var service: String
        var identity: Identity
        var program: String
        var limits: SessionLimits
        var timeouts: SessionTimeouts
        var checksums: Bool
        /// For connections that may go on over shared memory.
        var sharedMemory: SharedMemoryOptions?
    }

    /// As it appears in logs.
    public let name: String
    let machine: @Sendable (Ingredients) -> any SessionMachine
    /// What a peer reads that is refused before a byte of it was read.
    let refusal: @Sendable (FailureCode) -> [UInt8]

    /// `ginnel/1` (docs/protocol.md): many calls on one connection, streams, events, deadlines, cancellation.
    public static let native = WireFormat(
        name: "ginnel/1",
        machine: { ingredients in
            var configuration = NativeConfiguration(identity: ingredients.identity)
            configuration.service = ingredients.service
            configuration.program = ingredients.program
            configuration.limits = ingredients.limits
            configuration.timeouts = ingredients.timeouts
            configuration.offersChecksums = ingredients.checksums
            configuration.sharedMemory = ingredients.sharedMemory
            return NativeSession(role: ingredients.role, configuration)
        },
        refusal: { NativeSession.refusal($0) })

    /// Length-prefixed JSON objects with a `type` (docs/formats/tagged-json.md): one request, one reply, in order. The `type` is the method, and the whole object the payload,
    /// of requests and replies alike.
    ///
    /// - Parameters:
    ///   - maximumMessage: bytes of the longest object. Default 65,536.
    ///   - pushTypes: for clients, the types that are events rather than replies. Default none.
    public static func taggedJSON(maximumMessage: Int = 65_536, pushTypes: Set<String> = []) -> WireFormat {
        WireFormat(
            name: "tagged JSON",
            machine: { ingredients in
                var configuration = TaggedJSONConfiguration()
                configuration.maximumMessage = maximumMessage
                configuration.pushTypes = pushTypes
                configuration.limits = ingredients.limits
                configuration.timeouts = ingredients.timeouts
                return TaggedJSONSession(role: ingredients.role, configuration)
            },
            refusal: { TaggedJSONSession.refusal($0) })
    }
}
