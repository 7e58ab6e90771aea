// From what was seen at a place to sentences with a remedy: the directory, the lock, the socket, in the order in which one is of use without the next.
//
// The rules are those by which a service opens its endpoint and a client trusts it: a directory of the service's user that nobody else can write to, or one of root's that is
// sticky; a lock and a socket of that user.

internal import CGinnelPlatform
internal import GinnelCore

struct EndpointDiagnosis {
    typealias Finding = EndpointReport.Finding

    let place: EndpointPlace
    /// To whom the service should belong; `nil` for anybody.
    let owner: UInt32?
    let facts: gn_endpoint_facts

    private var path: String { place.path }
    private var directory: String { Self.parent(of: path) }
    private var user: String { PeerIdentity.own.user.map { "user \($0)" } ?? "this user" }

    var findings: [Finding] {
        if let nameTooLong { return [nameTooLong] }
        if let denied { return lengthFindings + [denied] }
        guard facts.directory_exists else { return lengthFindings + [missingDirectory] }
        return lengthFindings + directoryFindings + lockFindings + socketFindings
    }

    // MARK: The path

    /// File systems end a name at 255 bytes, and the lock's is the longer one.
    private var nameTooLong: Finding? {
        let name = path.split(separator: "/").last ?? ""
        guard name.utf8.count > 250 else { return nil }
        return Finding(.problem, "the socket's name has \(name.utf8.count) bytes, over the limit of 250 that leaves room for its lock", remedy: "choose a shorter name")
    }

    private var lengthFindings: [Finding] {
        var longerWorks = false
        let limit = gn_path_limit(&longerWorks)
        guard path.utf8.count > limit else { return [] }
        let what = "the path has \(path.utf8.count) bytes, over the limit of \(limit) for a socket's name"
        if longerWorks { return [Finding(.note, what + "; Ginnel reaches it all the same, other programs may not", remedy: "choose a shorter directory if others are to connect")] }
        return [Finding(.problem, what, remedy: "choose a shorter directory")]
    }

    /// The system does not let us see or reach it.
    private var denied: Finding? {
        let offender = withUnsafeBytes(of: facts.offender) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard !offender.isEmpty, !facts.answers, !facts.socket_exists || facts.socket_is_socket else { return nil }
        if offender == path {
            return Finding(
                .problem, "\(user) may not connect to \(path), \(described(facts.socket_owner, facts.socket_mode))",
                remedy: "run as user \(facts.socket_owner), or let the service listen with an access that includes \(user)")
        }
        let whose = facts.directory_exists ? ", \(described(facts.directory_owner, facts.directory_mode))" : ""
        return Finding(
            .problem, "\(user) may not look into \(offender)\(whose)", remedy: "run as the service's user, or let the service listen with an access that includes \(user)")
    }

    // MARK: The directory

    private var missingDirectory: Finding {
        guard place.makesDirectory else {
            return Finding(.problem, "the directory \(directory) does not exist", remedy: "mkdir -m 700 \(directory)")
        }
        // The facts about a path say whether its directory is there: here, whether the directory has one.
        var around = gn_endpoint_facts()
        gn_endpoint_inspect(directory, &around)
        if around.directory_exists || place.makesParent { return Finding(.nobody, "there is no \(directory) yet: nobody listens", remedy: "start the service, which makes it") }
        return Finding(.note, "there is no \(Self.parent(of: directory)) on this system: services and clients pass over this place")
    }

    private var directoryFindings: [Finding] {
        var findings: [Finding] = []
        let isShared = facts.directory_owner == 0 && facts.directory_mode & 0o1000 != 0 && !place.makesDirectory
        let whose = described(facts.directory_owner, facts.directory_mode)
        if facts.directory_is_link, !isShared {
            findings.append(Finding(.problem, "\(directory) is a symbolic link, which a service does not follow", remedy: "use the directory it points to"))
        }
        if let owner, facts.directory_owner != owner, !isShared {
            findings.append(
                Finding(
                    .problem, "\(directory) belongs to user \(facts.directory_owner), not to user \(owner): the service cannot keep its socket there",
                    remedy: "let its owner remove it, or choose another directory"))
        }
        if facts.directory_mode & 0o022 != 0, !isShared {
            findings.append(
                Finding(
                    .problem, "others can write to \(directory) (\(whose)), so whatever is in it may be theirs: a service refuses it",
                    remedy: "see what is in it, then chmod go-w \(directory)"))
        }
        return findings
    }

    // MARK: The lock

    private var lockFindings: [Finding] {
        guard facts.lock_exists else { return [] }
        if let owner, facts.lock_owner != owner {
            return [
                Finding(
                    .problem, "the lock \(path).lock belongs to user \(facts.lock_owner), not to user \(owner): the service cannot start",
                    remedy: "let its owner remove it: rm \(path).lock")
            ]
        }
        return []
    }

    // MARK: The socket

    private var socketFindings: [Finding] {
        guard facts.socket_exists else {
            if facts.lock_held {
                return [
                    Finding(.problem, "\(holder) serves this endpoint, but somebody removed its socket: nobody can connect", remedy: "end \(holder) and start the service again")
                ]
            }
            return [Finding(.nobody, "there is no socket at \(path): nobody listens", remedy: "start the service")]
        }
        if facts.socket_is_link {
            return [Finding(.problem, "\(path) is a symbolic link, which a service does not replace", remedy: "look where it leads, and remove it: rm \(path)")]
        }
        if !facts.socket_is_socket { return [Finding(.problem, "\(path) is no socket", remedy: "move it away if somebody needs it; else rm \(path)")] }
        var findings: [Finding] = []
        if let owner, facts.socket_owner != owner {
            findings.append(
                Finding(
                    .problem,
                    "the socket belongs to user \(facts.socket_owner), not to user \(owner): \(facts.answers ? "somebody else listens here" : "the service cannot replace it")",
                    remedy: "let its owner end that service and remove it: rm \(path)"))
        }
        // Of a stranger's socket it does not matter whether it is stale.
        if !facts.answers, findings.isEmpty { findings.append(silence) }
        if facts.answers, !facts.lock_held, let unlocked { findings.append(unlocked) }
        return findings
    }

    /// There is a socket, and no connection.
    private var silence: Finding {
        if facts.lock_held {
            return Finding(
                .problem, "\(holder) serves this endpoint but takes no connections: it hangs, or is being started or stopped",
                remedy: "look at that process; end it and start the service again if it hangs")
        }
        return Finding(
            .problem, "the socket is stale: its service ended without removing it, as when it is killed",
            remedy: "start the service, which takes it over; nothing needs to be removed")
    }

    /// Whoever may not read the lock cannot tell whether it is held.
    private var unlocked: Finding? {
        let readsLocks = PeerIdentity.own.user == 0 || PeerIdentity.own.user == facts.lock_owner
        guard !facts.lock_exists || readsLocks else { return nil }
        return Finding(
            .note, "somebody answers who does not hold the lock \(path).lock: no Ginnel service, one that was handed its socket, or its lock was removed",
            remedy: "if it is a Ginnel service whose lock was removed, start it again, or a second one may think that it is alone")
    }

    private var holder: String { facts.lock_holder == 0 ? "a process" : "process \(facts.lock_holder)" }

    private func described(_ owner: UInt32, _ mode: UInt32) -> String { "owner \(owner), mode \(EndpointReport.octal(mode))" }

    private static func parent(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return parts.count <= 1 ? "/" : parts.joined(separator: "/")
    }
}
