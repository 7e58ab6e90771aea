// What is logged, with the keys that stay the same: docs/observability.md has the table. The message is for people and may change; `event`, `reason` and `limit` are for programs.

internal import GinnelCore
internal import GinnelTransport

/// What happened.
enum LogEvent: String {
    case listening
    case controlListening = "control-listening"
    case controlFailed = "control-failed"
    case fewerConnections = "fewer-connections"
    case connected
    case connectingAgain = "connecting-again"
    case refused
    case turnedAway = "turned-away"
    case acceptFailed = "accept-failed"
    case streamNotOpened = "stream-not-opened"
    case changedToSharedMemory = "changed-to-shared-memory"
    case stayedOnSocket = "stayed-on-socket"
    case farewell
    case ended
    case forbidden
    case handlerFailed = "handler-failed"
    case loopHeldUp = "loop-held-up"
    case stopping
    case cutOff = "cut-off"
    case stopped
    case askedToStop = "asked-to-stop"
    case sidecarReady = "sidecar-ready"
    case sidecarRestarted = "sidecar-restarted"
    case sidecarGivenUp = "sidecar-given-up"
}

extension Failure {
    /// What a peer says: its code.
    var said: [String: String] { ["reason": code.label] }

    /// What this side says: its code, and the name of the limit that was reached. A sentence about a limit ends with its name in brackets.
    var known: [String: String] {
        var keys = said
        if sentence.hasSuffix(")"), let open = sentence.lastIndex(of: "(") {
            let name = sentence[sentence.index(after: open)...].dropLast()
            if !name.isEmpty, name.utf8.allSatisfy({ $0.isLetter || $0 == UInt8(ascii: ".") }) { keys["limit"] = String(name) }
        }
        return keys
    }
}

extension GinnelError {
    /// The keys of what went wrong on this side.
    var keys: [String: String] {
        var keys = failure?.known ?? ["reason": "\(code)"]
        if let peer { keys["peer"] = "\(peer)" }
        return keys
    }
}

extension CloseReason {
    /// The keys of a connection's end.
    var keys: [String: String] {
        switch by {
        case .us: failure.known.merging(["by": "us"]) { $1 }
        case .peer: failure.said.merging(["by": "peer"]) { $1 }
        case .nobody: failure.said.merging(["by": "nobody"]) { $1 }
        }
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
}
