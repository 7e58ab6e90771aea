// What the system's "permission denied" leaves out: whose the endpoint is, and what to do about it.

internal import CGinnelPlatform
internal import GinnelCore

/// The operating system does not let this user connect to an endpoint, or listen at it.
struct Denial {
    private let facts: gn_endpoint_facts
    private let user = PeerIdentity.own.user.map { "user \($0)" } ?? "this user"

    /// Looks at the endpoint once more, as far as this user can see it.
    init(at path: String) {
        var facts = gn_endpoint_facts()
        gn_endpoint_inspect(path, &facts)
        self.facts = facts
    }

    var ofConnecting: String {
        let remedy = "let the service listen with an access that includes \(user)"
        if facts.socket_exists {
            return "\(user) may not connect to this endpoint (owner \(facts.socket_owner), mode \(EndpointReport.octal(facts.socket_mode))); \(remedy)"
        }
        guard let directory else { return "\(user) may not connect to this endpoint; \(remedy)" }
        return "\(user) may not connect to this endpoint, whose directory it may not enter (\(directory)); \(remedy)"
    }

    /// `offender`: the path that the system did not allow us to make or open; empty when unknown.
    func ofListening(_ offender: String) -> String {
        let remedy = "choose a directory of its own, or run as the user whose it is"
        guard let directory else { return "\(user) may not listen here\(offender.isEmpty ? "" : ", since it may not make \(offender)"); \(remedy)" }
        return "\(user) may not listen in this directory (\(directory)); \(remedy)"
    }

    private var directory: String? {
        facts.directory_exists ? "owner \(facts.directory_owner), mode \(EndpointReport.octal(facts.directory_mode))" : nil
    }
}
