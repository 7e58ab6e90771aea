// What one side of a tagged JSON session may be told.

package struct TaggedJSONConfiguration: Sendable {
    /// Bytes of the longest JSON text, in both directions, inclusive. Default 65,536; at least 64.
    package var maximumMessage = 65_536
    /// Client: the types of messages that are events rather than replies. Default none.
    package var pushTypes: Set<String> = []
    /// Service: what stands before the sentence in an error reply, such as "Invalid request: ". Default empty.
    package var errorPrefix = ""
    /// Service: whether events that are made while a request is answered leave after its reply, for clients that take the next message for the reply. Default false.
    package var holdsEvents = false
    package var json = JSONLimits.defaults
    package var limits = SessionLimits.defaults
    package var timeouts = SessionTimeouts.defaults

    package init() {}
}

extension FailureCode {
    /// What a client makes of an error reply: the format has sentences, but no codes.
    package static let taggedJSONError = FailureCode(rawValue: 1000)
}
