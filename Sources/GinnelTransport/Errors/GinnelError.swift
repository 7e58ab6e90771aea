// What went wrong on this side: with an endpoint, a connection, an argument. What a call ends with is a `CallError`.

package import CGinnelPlatform
public import GinnelCore

/// An error of this side, with a code for programs and a sentence for people.
public struct GinnelError: Error, Sendable {
    @nonexhaustive public enum Code: Sendable, Hashable {
        /// Nobody listens: the endpoint does not exist, or its service is gone.
        case notFound
        /// Another live service holds the endpoint, or its backlog is full.
        case busy
        /// The operating system does not allow it.
        case denied
        /// A directory, socket or lock is not ours or is open to others.
        case unsafe
        /// An argument is outside what is allowed.
        case invalid
        /// A path over the limit of the system.
        case nameTooLong
        /// Descriptors, memory or disk have run out.
        case exhausted
        /// This platform or kernel cannot do it.
        case unsupported
        /// The peer's policy refuses us, or ours refuses the peer.
        case refused
        /// The connection ended; the failure says why.
        case closed
        case timedOut
        /// Shared memory holds what cannot be there: no ring, a ring of another kind, or one whose other side broke its rules.
        case damaged
        /// `run()` is not running.
        case notRunning
        /// Something has failed as often as its policy lets it be tried.
        case gaveUp
        case other
    }

    public var code: Code
    /// What, where, the limit, and the remedy.
    public var sentence: String
    /// The endpoint's path, where one is concerned.
    public var path: String?
    /// The peer, where one is concerned.
    public var peer: PeerIdentity?
    /// Why a connection ended or was refused, in the protocol's words.
    public var failure: Failure?
    /// What the operating system said.
    public var cause: SystemError?

    public init(
        _ code: Code, _ sentence: String, path: String? = nil, peer: PeerIdentity? = nil, failure: Failure? = nil, cause: SystemError? = nil
    ) {
        self.code = code
        self.sentence = sentence
        self.path = path
        self.peer = peer
        self.failure = failure
        self.cause = cause
    }
}

extension GinnelError: CustomStringConvertible {
    public var description: String {
        var text = "\(code): \(sentence)"
        if let path { text += " [\(path)]" }
        if let cause { text += " (\(cause))" }
        return text
    }
}

/// What the operating system said: the operation, its own code and sentence.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The system call or step, such as `connect`.
    public let operation: String
    /// errno, or the code of GetLastError.
    public let native: Int32
    public let sentence: String

    package init(_ error: gn_error) {
        operation = error.operation.map { String(cString: $0) } ?? "?"
        native = error.native
        sentence =
            error.native == 0
            ? ""
            : withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                gn_error_describe(error.native, buffer.baseAddress, buffer.count)
                return String(cString: buffer.baseAddress!)
            }
    }

    /// An error that no system call made.
    package init(operation: String, sentence: String) {
        self.operation = operation
        self.sentence = sentence
        native = 0
    }

    public var description: String {
        let named = sentence.isEmpty ? operation : "\(operation): \(sentence)"
        return native == 0 ? named : "\(named), \(native)"
    }
}
