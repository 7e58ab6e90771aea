// What a call, a refusal or a farewell says about its reason: a code, a sentence, details.
//
// The codes are those of docs/protocol.md §6; every wire format speaks of failures in these words and translates at its own edge.

/// The reason why a call ended without a reply, or why a connection was refused or ended.
public struct FailureCode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire; 1,000 and above belong to the application. Unknown numbers are kept.
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let cancelled = FailureCode(rawValue: 1)
    public static let deadlineExceeded = FailureCode(rawValue: 2)
    public static let unknownMethod = FailureCode(rawValue: 3)
    public static let invalidRequest = FailureCode(rawValue: 4)
    public static let forbidden = FailureCode(rawValue: 5)
    public static let resourceExhausted = FailureCode(rawValue: 6)
    public static let unavailable = FailureCode(rawValue: 7)
    /// The handler threw something that is no `CallError`.
    public static let `internal` = FailureCode(rawValue: 8)
    public static let tooLarge = FailureCode(rawValue: 9)
    public static let unsupportedCodec = FailureCode(rawValue: 10)
    /// The connection was lost while the call was in flight: whether it was carried out is unknown.
    public static let connectionLost = FailureCode(rawValue: 11)
    public static let invalidReply = FailureCode(rawValue: 12)
    /// The handler was called, and its reply is over the caller's limit.
    public static let replyTooLarge = FailureCode(rawValue: 13)

    public static let protocolViolation = FailureCode(rawValue: 101)
    public static let versionUnsupported = FailureCode(rawValue: 102)
    public static let peerRefused = FailureCode(rawValue: 103)
    public static let tooManyConnections = FailureCode(rawValue: 104)
    public static let handshakeTimeout = FailureCode(rawValue: 105)
    public static let idle = FailureCode(rawValue: 106)
    public static let stale = FailureCode(rawValue: 107)
    public static let slowReader = FailureCode(rawValue: 108)
    public static let frameTooLarge = FailureCode(rawValue: 109)
    public static let checksumMismatch = FailureCode(rawValue: 110)
    public static let shuttingDown = FailureCode(rawValue: 111)
    public static let wrongService = FailureCode(rawValue: 112)
    public static let flowControl = FailureCode(rawValue: 113)
    public static let finished = FailureCode(rawValue: 114)
    public static let readTimeout = FailureCode(rawValue: 115)
    /// The last word of a peer that has left in order: every request that it has read was answered, and the others were not begun.
    public static let allAnswered = FailureCode(rawValue: 116)
    /// One side, or a sensitive message, demands encryption, and the connection has none.
    public static let encryptionRequired = FailureCode(rawValue: 117)
    /// The peer has not the keys that it should have, or what came was changed on its way.
    public static let encryptionFailed = FailureCode(rawValue: 118)
}

extension FailureCode: CustomStringConvertible {
    private static let names: [FailureCode: String] = [
        .cancelled: "cancelled", .deadlineExceeded: "deadlineExceeded", .unknownMethod: "unknownMethod",
        .invalidRequest: "invalidRequest", .forbidden: "forbidden", .resourceExhausted: "resourceExhausted",
        .unavailable: "unavailable", .internal: "internal", .tooLarge: "tooLarge", .unsupportedCodec: "unsupportedCodec",
        .connectionLost: "connectionLost", .invalidReply: "invalidReply", .replyTooLarge: "replyTooLarge", .protocolViolation: "protocolViolation",
        .versionUnsupported: "versionUnsupported", .peerRefused: "peerRefused", .tooManyConnections: "tooManyConnections",
        .handshakeTimeout: "handshakeTimeout", .idle: "idle", .stale: "stale", .slowReader: "slowReader",
        .frameTooLarge: "frameTooLarge", .checksumMismatch: "checksumMismatch", .shuttingDown: "shuttingDown",
        .wrongService: "wrongService", .flowControl: "flowControl", .finished: "finished", .readTimeout: "readTimeout", .allAnswered: "allAnswered",
        .encryptionRequired: "encryptionRequired", .encryptionFailed: "encryptionFailed",
    ]

    /// The name in docs/protocol.md, or the number.
    public var description: String { Self.names[self] ?? "\(rawValue)" }
}

extension FailureCode {
    /// The name for metrics and logs, of which there are few whatever a peer sends: that of docs/protocol.md, `application` for its own codes, `other` for the rest.
    package var label: String { Self.names[self] ?? (rawValue >= 1000 ? "application" : "other") }
}

/// A failure as it crosses the wire.
public struct Failure: Sendable, Equatable {
    public var code: FailureCode
    /// One sentence for people: what, where, the limit and the remedy. Never payload bytes.
    public var sentence: String
    /// For programs; the form depends on the code.
    public var details: [UInt8]

    public init(_ code: FailureCode, _ sentence: String, details: [UInt8] = []) {
        self.code = code
        self.sentence = sentence
        self.details = details
    }
}

extension Failure: CustomStringConvertible {
    public var description: String { sentence.isEmpty ? "\(code)" : "\(code): \(sentence)" }
}
