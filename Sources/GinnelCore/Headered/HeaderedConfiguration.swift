// What one side of a headered session may be told.

/// What the payloads of the headered format are.
public enum HeaderedPayloads: Sendable {
    /// JSON objects with the members of docs/formats/headered.md.
    case json
    /// Bytes in a codec of the program's own, which are not looked into.
    ///
    /// - Parameter messageID: for payloads that repeat the id of their message, how to find it in a request; `nil` where there is none. By default requests are numbered from 1. Any
    ///   thread, under a lock: it must be quick and must not call back.
    case opaque(messageID: (@Sendable (borrowing RawSpan) -> UInt64?)? = nil)
}

package struct HeaderedConfiguration: Sendable {
    /// Bytes of the longest payload, in both directions, inclusive. Default 10 MiB; 256 to 2³¹ − 1.
    package var maximumPayload = 10 << 20
    package var payloads = HeaderedPayloads.json
    /// Client: begins with a Handshake and waits for its ack before the first call. Default false.
    package var greets = false
    package var json = JSONLimits.defaults
    package var limits = SessionLimits.defaults
    package var timeouts = SessionTimeouts.defaults

    package init() {}

    var isJSON: Bool { if case .json = payloads { true } else { false } }
    /// What payloads are called above this layer.
    var codec: Codec { isJSON ? .json : .raw }

    static let maximumHeartbeat = 4096
}
