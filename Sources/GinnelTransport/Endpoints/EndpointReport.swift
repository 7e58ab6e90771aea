// What stands at an endpoint's path, and what is wrong with it in words.

package import CGinnelPlatform
internal import GinnelCore

/// What was seen at an endpoint's path.
public struct EndpointReport: Sendable {
    /// One thing that is wrong, and how to mend it.
    public struct Finding: Sendable, Equatable {
        public let what: String
        public let remedy: String
    }

    public let path: String
    public let directoryExists: Bool
    public let socketExists: Bool
    /// A live service holds the endpoint's lock.
    public let lockHeld: Bool
    /// Process id of the lock's holder, as written in the lock file; 0 when unknown.
    public let lockHolder: UInt32
    /// Somebody accepts connections.
    public let answers: Bool
    /// Empty when all is well.
    public let findings: [Finding]

    /// Looks at `path` without changing anything; connects and closes at once to see whether somebody answers.
    public init(inspecting path: String) {
        var facts = gn_endpoint_facts()
        gn_endpoint_inspect(path, &facts)
        self.init(path: path, facts)
    }

    package init(path: String, _ facts: gn_endpoint_facts) {
        self.path = path
        directoryExists = facts.directory_exists
        socketExists = facts.socket_exists
        lockHeld = facts.lock_held
        lockHolder = facts.lock_holder
        answers = facts.answers
        findings = Self.findings(path, facts)
    }

    private static func findings(_ path: String, _ facts: gn_endpoint_facts) -> [Finding] {
        var findings: [Finding] = []
        var longerWorks = false
        let limit = gn_path_limit(&longerWorks)
        if path.utf8.count > limit, !longerWorks {
            findings.append(Finding(what: "the path has \(path.utf8.count) bytes, over the limit of \(limit)", remedy: "choose a shorter directory"))
        }
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        guard facts.directory_exists else {
            findings.append(Finding(what: "the directory \(directory) does not exist", remedy: "start the service, which makes it, or make it with mode 0700"))
            return findings
        }
        findings += directoryFindings(directory, facts)
        findings += socketFindings(path, facts)
        return findings
    }

    private static func directoryFindings(_ directory: String, _ facts: gn_endpoint_facts) -> [Finding] {
        var findings: [Finding] = []
        let own = PeerIdentity.own.user ?? 0
        let isSharedRoot = facts.directory_owner == 0 && facts.directory_mode & 0o1000 != 0
        if facts.directory_is_link {
            findings.append(Finding(what: "\(directory) is a symbolic link", remedy: "use the directory it points to"))
        }
        if facts.directory_owner != own, facts.directory_owner != 0 {
            findings.append(Finding(
                what: "\(directory) belongs to user \(facts.directory_owner), not to \(own)", remedy: "let its owner remove it, or choose another directory"))
        }
        if facts.directory_mode & 0o022 != 0, !isSharedRoot {
            findings.append(Finding(what: "\(directory) can be written by others (mode \(octal(facts.directory_mode)))", remedy: "chmod go-w \(directory)"))
        }
        return findings
    }

    private static func socketFindings(_ path: String, _ facts: gn_endpoint_facts) -> [Finding] {
        guard facts.socket_exists else {
            return [Finding(what: "there is no socket at \(path): nobody listens", remedy: "start the service")]
        }
        if facts.socket_is_link || !facts.socket_is_socket {
            return [Finding(what: "\(path) is no socket", remedy: "remove it if nobody needs it: rm \(path)")]
        }
        if !facts.answers, !facts.lock_held {
            return [Finding(what: "the socket is stale: its service is gone", remedy: "start the service, which takes it over; nothing needs to be removed")]
        }
        if !facts.answers {
            return [Finding(
                what: "process \(facts.lock_holder) holds the endpoint but does not accept connections", remedy: "look at that process: it hangs, or its backlog is full, or this user may not connect (owner \(facts.socket_owner), mode \(octal(facts.socket_mode)))")]
        }
        return []
    }

    static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }
}
