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

    public init(_ code: FailureCode, _ sentence: String, details: [UInt8] = []) {
        self.code = code
        self.sentence = sentence
        self.details = details
    }

    package init(_ failure: Failure) {
        self.init(failure.code, failure.sentence, details: failure.details)
    }

    package var failure: Failure { Failure(code, sentence, details: details) }

    /// What is known of the work that was asked for.
    public enum Outcome: Sendable, Hashable {
        /// The handler was never called: the call may be made again.
        case notBegun
        /// The handler answered with this error.
        case failed
        /// It may have been carried out or not.
        case unknown
    }

    public var outcome: Outcome {
        switch code {
        case .unavailable, .unknownMethod, .forbidden, .tooLarge, .unsupportedCodec: .notBegun
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
        case let error as CallError: self = error.failure
        case is CancellationError: self = Failure(.cancelled, "the handler of \(method) was cancelled")
        default: self = Failure(.internal, "the handler of \(method) failed with \(type(of: error))")
        }
    }
}
