// Policies about whose process the peer is.

extension PeerPolicy {
    /// The peer runs as the same user as this process. The default. Root is nobody's equal but root's: it is refused here like any other user.
    ///
    /// Guards against other users of the machine, also where a directory or socket was left open to them, and on the client's side against a stranger who
    /// took the service's place. Does not guard against other programs of the same user.
    public static let sameUser = PeerPolicy("sameUser") { question in
        if let own = question.own.sid {
            guard let sid = question.peer.sid else { return .unknown("user") }
            return sid == own ? .accepted : .refused("the peer is user \(sid.printable), this process user \(own)")
        }
        guard let user = question.peer.user else { return .unknown("user") }
        guard let own = question.own.user else { return .refused("this process's own user is not known") }
        return user == own ? .accepted : .refused("the peer is user \(user), this process user \(own)")
    }

    /// The peer runs as root, or as SYSTEM (S-1-5-18) on Windows. The default of clients of a `.system` endpoint.
    ///
    /// Guards against a user's program that took the place of a service of the machine.
    public static let systemService = PeerPolicy("systemService") { question in
        if let sid = question.peer.sid {
            return sid == "S-1-5-18" ? .accepted : .refused("the peer is user \(sid.printable), not SYSTEM (S-1-5-18)")
        }
        guard let user = question.peer.user else { return .unknown("user") }
        return user == 0 ? .accepted : .refused("the peer is user \(user), not root")
    }

    /// The peer is one of these users (ids, as of `getuid`). Only these: this process's own user has to be named too.
    ///
    /// Guards against all other users. Does not guard against other programs of the users named. On Windows, where users have no numbers, refuses everybody.
    public static func users(_ users: [UInt32]) -> PeerPolicy {
        PeerPolicy("users(\(users.map(String.init).joined(separator: ", ")))") { question in
            guard let user = question.peer.user else { return .unknown("user id") }
            return users.contains(user) ? .accepted : .refused("the peer is user \(user), which is not among those allowed")
        }
    }

    /// Every peer, as far as the endpoint's access lets it come.
    ///
    /// Guards against nobody on this machine. For services that any local user may use, with policies for single methods where they matter.
    public static let anyLocalUser = PeerPolicy("anyLocalUser") { _ in .accepted }

    /// The peer holds the other end of a pair of sockets that this process made (`.inherited` endpoints): of such a pair the kernel says at both ends that its
    /// maker is the peer, and whoever has an end was given it by us. Or the peer is a child that the program has made known with `SpawnedProcesses.register`:
    /// of processes that it merely started, Ginnel knows nothing.
    ///
    /// Guards against every program that was not started here, other programs of the same user included. Children of children are not ours.
    public static let spawnedByUs = PeerPolicy("spawnedByUs") { question in
        guard let process = question.peer.process else { return .unknown("process id") }
        if process == question.own.process { return .accepted }
        return question.children.contains(process) ? .accepted : .refused("the peer is process \(process), which is not known as a child of this process")
    }
}
