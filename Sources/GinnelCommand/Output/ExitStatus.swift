// What the command tells the shell. The numbers are part of its interface: docs/command.md and `ginnel help` list them.

import Ginnel

enum ExitStatus: Int32, CaseIterable {
    case done = 0
    case failed = 1
    case misused = 2
    case unreachable = 3
    case refused = 4
    case callFailed = 5
    case unhealthy = 6
    case notServed = 7
    case interrupted = 130
    case terminated = 143

    var meaning: String {
        switch self {
        case .done: "all went well"
        case .failed: "something failed that has no number of its own; a step of the demo did not do what it says"
        case .misused: "the arguments are not understood"
        case .unreachable: "no connection: nobody listens, or what listens does not answer"
        case .refused: "no connection: the operating system, the service or our own expectation of it forbids it"
        case .callFailed: "the call ended with an error, or the connection was lost under it"
        case .unhealthy: "the doctor found something wrong"
        case .notServed: "the endpoint cannot be served: in use, unsafe or not allowed"
        case .interrupted: "ended by Ctrl-C before it was done"
        case .terminated: "ended by SIGTERM before it was done"
        }
    }
}

extension ExitStatus {
    /// How a service has ended.
    init(_ result: ShutdownResult) { self = ExitStatus(rawValue: result.exitStatus) ?? .failed }
}
