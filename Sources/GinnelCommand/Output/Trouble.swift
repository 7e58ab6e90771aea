// Every error as the command reports it: an exit status, a sentence that says what is wrong and where, and what to do about it.

import Ginnel

struct Trouble: Error {
    var status: ExitStatus
    /// For programs: a code of the library, or a word of the command's own.
    var code: String
    var sentence: String
    var remedy: String?

    init(_ status: ExitStatus, code: String, _ sentence: String, remedy: String? = nil) {
        self.status = status
        self.code = code
        self.sentence = sentence
        self.remedy = remedy
    }

    /// `endpoint` is what the user typed.
    init(_ error: any Error, endpoint: String?) {
        switch error {
        case let trouble as Trouble: self = trouble
        case let error as UsageError: self.init(.misused, code: "usage", error.sentence, remedy: error.remedy)
        case let error as CallError: self.init(.callFailed, code: "\(error.code)", "the call ended with \(error.description.harmless)")
        case let error as GinnelError: self.init(connecting: error, endpoint: endpoint ?? "the service")
        case is CancellationError: self.init(.interrupted, code: "interrupted", "interrupted")
        default: self.init(.failed, code: "other", "\(error)".harmless)
        }
    }
}

extension Trouble {
    /// There is no connection.
    init(connecting error: GinnelError, endpoint: String) {
        let doctor = "to find out more: ginnel doctor \(endpoint)"
        switch error.code {
        case .invalid:
            self.init(.misused, code: "invalid", "\(endpoint): \(error.detail)", remedy: "an endpoint is a NAME, system:NAME, or a path that begins with a slash")
        case .denied:
            self.init(.refused, code: "denied", "not allowed to connect to \(endpoint): \(error.detail)", remedy: doctor)
        case .refused where error.peer != nil:
            self.init(
                .refused, code: "refused", "what listens at \(endpoint) is not whom we expect: \(error.detail)",
                remedy: "if that is as it should be, say whom to expect with --expect (me, root, any, or a user's id)")
        case .refused: self.init(refusedBy: endpoint, error)
        default:
            self.init(.unreachable, code: "\(error.code)", "cannot connect to \(endpoint): \(error.detail)", remedy: doctor)
        }
    }

    /// The service has sent us away.
    private init(refusedBy endpoint: String, _ error: GinnelError) {
        let code = error.failure.map { "\($0.code)" } ?? "refused"
        let (sentence, remedy): (String, String) =
            switch error.failure?.code {
            case .peerRefused:
                (
                    "the service at \(endpoint) does not talk to this user or program; it does not tell strangers why",
                    "its own log has the reason; it may want another user, or a program in a certain place"
                )
            case .tooManyConnections: ("the service at \(endpoint) has as many connections as it takes", "try again later, or raise its limit (connections.maximum)")
            case .versionUnsupported: ("the service at \(endpoint) speaks another version of the protocol: \(error.detail)", "use the ginnel command that belongs to it")
            default: ("the service at \(endpoint) refused the connection: \(error.detail)", "its own log has the reason")
            }
        self.init(.refused, code: code, sentence, remedy: remedy)
    }

    /// An established connection is gone.
    init(losing error: GinnelError, endpoint: String) {
        self.init(.callFailed, code: "connectionLost", "the connection to \(endpoint) ended: \(error.detail)", remedy: "to see whether it runs: ginnel doctor \(endpoint)")
    }

    /// The endpoint cannot be listened to.
    init(serving error: GinnelError, endpoint: String) {
        if error.code == .invalid {
            self.init(.misused, code: "invalid", "cannot listen at \(endpoint): \(error.detail)", remedy: "see ginnel help and ginnel help serve-echo")
        } else {
            self.init(.notServed, code: "\(error.code)", "cannot listen at \(endpoint): \(error.detail)", remedy: "to find out more: ginnel doctor \(endpoint)")
        }
    }
}

extension GinnelError {
    /// The sentence with the path and what the system said, without the code.
    var detail: String {
        var text = sentence
        if let path { text += " [\(path)]" }
        // Without a number of the system the cause is one of our own steps, which the sentence has explained.
        if let cause, cause.native != 0 { text += " (\(cause))" }
        return text.harmless
    }
}
