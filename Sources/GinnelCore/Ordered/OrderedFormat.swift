// What one ordered format has of its own: how a message is cut out of the bytes, what it means, what may be sent.
//
// Ordered formats have no call numbers: a client sends one request at a time and the replies come in order. Everything that follows from
// that is the same for all of them and stands in `OrderedSession`; a format is a value beside it, its configuration.

package protocol OrderedFormat: Sendable {
    /// As sentences name it, such as "the recorder format".
    var name: String { get }
    /// Bytes of the longest payload, in both directions, inclusive.
    var maximumMessage: Int { get }
    /// Bytes before each payload.
    var headerSize: Int { get }
    /// How payloads are written.
    var codec: Codec { get }
    /// Whether a service can send what no client asked for.
    var hasEvents: Bool { get }
    /// Whether events that are made while a request is answered leave after its reply, for clients that take the next message for the reply.
    var holdsEvents: Bool { get }
    /// Whether `reply(_:to:)` looks at the request, which is copied then.
    var keepsRequests: Bool { get }
    /// How long a handler may take before the service answers in its place; `nil` for as long as it likes.
    var handlerTimeout: Duration? { get }
    var limits: SessionLimits { get }
    var timeouts: SessionTimeouts { get }

    /// The message that begins at `offset`, as `role` reads it; `nil` while it is incomplete. A length over the limit is refused before its bytes arrive.
    func next(in input: borrowing RawSpan, at offset: Int, for role: Role) throws(Violation) -> OrderedMessage?
    /// What is wrong with a payload that our own program wants sent; `nil` when nothing is.
    func fault(in payload: [UInt8], sentAs meaning: OrderedMessage.Meaning) -> Failure?
    /// The reply that tells a caller of a failure; `nil` when there is none, and the connection ends instead.
    func reply(_ failure: Failure, to request: [UInt8]) -> [UInt8]?
    func write(_ payload: [UInt8], to output: inout OutputBuffer)
}

/// One message that has arrived whole.
package struct OrderedMessage: Sendable {
    package enum Meaning: Sendable, Equatable {
        case request(method: String)
        case reply
        /// A reply that tells of a failure.
        case failure(Failure)
        case event(name: String)
    }

    package var meaning: Meaning
    /// Where the payload lies in the input; the message ends with it.
    package var payload: Range<Int>

    package init(_ meaning: Meaning, payload: Range<Int>) {
        self.meaning = meaning
        self.payload = payload
    }
}
