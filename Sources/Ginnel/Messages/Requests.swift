// What programs share: the requests, streams and events of a service, as types.

/// A call with one answer.
///
///     struct StartRecording: Request {
///         typealias Response = RecordingStarted
///         static let method = "start_recording"
///         var display: Int
///     }
public protocol Request: Message {
    associatedtype Response: WireValue
    /// The method's name on the wire, 1 to 255 bytes; names that begin with `ginnel.` are taken.
    static var method: String { get }
    /// Whether it is said on encrypted connections, and within one process, alone; elsewhere both sides refuse it with `encryptionRequired`. Default false.
    static var isSensitive: Bool { get }
}

/// A call answered by many items.
public protocol StreamRequest: Message {
    associatedtype Item: WireValue
    /// As `Request.method`.
    static var method: String { get }
    /// As `Request.isSensitive`.
    static var isSensitive: Bool { get }
}

/// A call whose caller sends many items and gets one answer.
public protocol UploadRequest: Message {
    associatedtype Upload: WireValue
    associatedtype Response: WireValue
    /// As `Request.method`.
    static var method: String { get }
    /// As `Request.isSensitive`.
    static var isSensitive: Bool { get }
}

/// A call in which both sides send many items.
public protocol ExchangeRequest: Message {
    associatedtype Upload: WireValue
    associatedtype Item: WireValue
    /// As `Request.method`.
    static var method: String { get }
    /// As `Request.isSensitive`.
    static var isSensitive: Bool { get }
}

/// A one-way message, to one peer or to all.
public protocol Event: Message {
    /// The event's name on the wire, 1 to 255 bytes.
    static var name: String { get }
    /// As `Request.isSensitive`; one that comes unencrypted is dropped, with a warning in the log. A broadcast leaves out those whose connection is not encrypted.
    static var isSensitive: Bool { get }
}

extension Request { public static var isSensitive: Bool { false } }
extension StreamRequest { public static var isSensitive: Bool { false } }
extension UploadRequest { public static var isSensitive: Bool { false } }
extension ExchangeRequest { public static var isSensitive: Bool { false } }
extension Event { public static var isSensitive: Bool { false } }

/// How urgent a message is. Of two that wait, eight bytes of `high` leave for four of `normal` and one of `low`.
public enum Priority: Sendable, Hashable {
    case high
    case normal
    case low
}
