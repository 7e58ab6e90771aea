// What a call can end with. It crosses the wire: a handler throws one, its caller catches it.

public import GinnelCore

/// The end of a call that has no reply.
public struct CallError: Error, Sendable, Equatable {
    /// The reason; unknown codes keep their number. Codes from 1,000 are the application's own.
    public var code: FailureCode
    /// What, where, the limit and the remedy.
    public var sentence: String
    /// For programs; the form depends on the code.
    public var details: [UInt8]
    /// It came from the session, about a call that this program made; not from this program itself.
    private(set) var isReceived = false

    public init(_ code: FailureCode, _ sentence: String, details: [UInt8] = []) {
        self.code = code
        self.sentence = sentence
        self.details = details
    }

    package init(_ failure: Failure) {
        self.init(failure.code, failure.sentence, details: failure.details)
        isReceived = true
    }

    public static func == (left: CallError, right: CallError) -> Bool { left.failure == right.failure }

    package var failure: Failure { Failure(code, sentence, details: details) }

    /// Codes of which a handler that throws them knows better: they say something about calls that it made itself, or about nothing that its caller could have done.
    private static let insideOnly: Set<FailureCode> = [.connectionLost, .invalidReply]

    /// What the caller of a handler is told that throws this. A handler's own words go through. How a call ended that the handler made in turn is its own affair: `unavailable` would
    /// tell its caller that nothing was done.
    func told(by method: String) -> Failure {
        if !isReceived { return Self.insideOnly.contains(code) ? inner(method) : failure }
        return code == .cancelled || code == .deadlineExceeded ? Failure(code, "a call made by the handler of \(method) ended so") : inner(method)
    }

    private func inner(_ method: String) -> Failure { Failure(.internal, "the handler of \(method) failed: a call that it made ended with \(code)") }

    /// What is known of the work that was asked for.
    public enum Outcome: Sendable, Hashable {
        /// The handler was never called, or says so itself: a handler that throws `unavailable` or one of the others promises that it has done nothing. The call may be made again, and a client
        /// that reconnects makes it again on the next connection.
        case notBegun
        /// The handler answered with this error.
        case failed
        /// It may have been carried out or not.
        case unknown
    }

    public var outcome: Outcome {
        switch code {
        case .unavailable, .unknownMethod, .forbidden, .tooLarge, .unsupportedCodec, .encryptionRequired: .notBegun
        case .connectionLost, .cancelled, .deadlineExceeded: .unknown
        default: .failed
        }
    }
}

extension CallError: CustomStringConvertible {
    public var description: String { "\(failure)" }
}

extension Failure {
    /// What the caller is told when a handler throws. What the handler's own errors say is not for strangers: they go to the log.
    init(thrown error: any Error, by method: String) {
        switch error {
        case let error as CallError: self = error.told(by: method)
        case is CancellationError: self = Failure(.cancelled, "the handler of \(method) was cancelled")
        default: self = Failure(.internal, "the handler of \(method) failed with \(type(of: error))")
        }
    }
}
