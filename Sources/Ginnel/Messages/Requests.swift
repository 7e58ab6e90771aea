// What programs share: the requests, streams and events of a service, as types.

/// A call with one answer, in any codec; most are a `Request`.
///
///     extension DetectionTask: SerializedMessage, WireRequest {           // protobuf
///         typealias Response = DetectionResult
///         static let method = "task"
///     }
public protocol WireRequest: WireValue {
    associatedtype Response: WireValue
    /// The method's name on the wire, 1 to 255 bytes; names that begin with `ginnel.` are taken.
    static var method: String { get }
    /// Whether carrying it out twice does no more than once. A client that reconnects then makes a call again whose outcome it does not know. Default false.
    static var isIdempotent: Bool { get }
    /// Whether it is said on encrypted connections, and within one process, alone; elsewhere both sides refuse it with `encryptionRequired`. Default false.
    static var isSensitive: Bool { get }
}

extension WireRequest {
    public static var isIdempotent: Bool { false }
    public static var isSensitive: Bool { false }
}

/// A call with one answer, as JSON.
///
///     struct StartRecording: Request {
///         typealias Response = RecordingStarted
///         static let method = "start_recording"
///         var display: Int
///     }
public protocol Request: Message, WireRequest {}

/// A call answered by many items.
public protocol StreamRequest: Message {
    associatedtype Item: WireValue
    /// As `WireRequest.method`.
    static var method: String { get }
    /// As `WireRequest.isSensitive`.
    static var isSensitive: Bool { get }
}

/// A stream that can be taken up again where it broke off. A client that reconnects asks for the rest by itself.
public protocol ResumableStreamRequest: StreamRequest {
    /// The request for what comes behind `item`, the last one that has arrived.
    func resumed(after item: Item) -> Self
    /// Whether a service that was started anew can go on with it too. Default false: only the one that began it.
    static var survivesRestart: Bool { get }
}

extension ResumableStreamRequest {
    public static var survivesRestart: Bool { false }
}

/// A call whose caller sends many items and gets one answer.
public protocol UploadRequest: Message {
    associatedtype Upload: WireValue
    associatedtype Response: WireValue
    /// As `WireRequest.method`.
    static var method: String { get }
    /// As `WireRequest.isSensitive`.
    static var isSensitive: Bool { get }
}

/// A call in which both sides send many items.
public protocol ExchangeRequest: Message {
    associatedtype Upload: WireValue
    associatedtype Item: WireValue
    /// As `WireRequest.method`.
    static var method: String { get }
    /// As `WireRequest.isSensitive`.
    static var isSensitive: Bool { get }
}

/// A one-way message, to one peer or to all.
public protocol Event: Message {
    /// The event's name on the wire, 1 to 255 bytes.
    static var name: String { get }
    /// As `WireRequest.isSensitive`; one that comes unencrypted is dropped, with a warning in the log. A broadcast leaves out those whose connection is not encrypted.
    static var isSensitive: Bool { get }
}

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
