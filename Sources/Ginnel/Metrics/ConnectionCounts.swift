// What is known of one connection: for whoever looks at who is connected, and for the list of peers in a snapshot.

public import GinnelCore
internal import GinnelTransport
internal import Synchronization

struct ConnectionCounts: ~Copyable, Sendable {
    /// See `Connection.number`.
    let number = Atomic<Int>(0)
    /// Calls of the peer. Counted on the connection's loop alone, so a load and a store are enough.
    private let served = Atomic<UInt64>(0)
    let since = ContinuousClock.now

    func noteCall() { served.store(served.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }

    var calls: UInt64 { served.load(ordering: .relaxed) }
}

extension Connection {
    /// Later ones of one service or client have greater numbers; 0 before it has started.
    var number: Int { counts.number.load(ordering: .relaxed) }

    /// What is known of it now.
    var reading: MetricsSnapshot.Peer {
        let traffic = traffic
        return MetricsSnapshot.Peer(
            id: number, user: peer.user, process: peer.process, sid: peer.sid, executable: peer.executable, transport: transport.rawValue,
            connectedFor: (ContinuousClock.now - counts.since) / .seconds(1), callsInFlight: callsInFlight, calls: counts.calls, bytesRead: traffic.bytesRead,
            bytesWritten: traffic.bytesWritten, bytesWaiting: bytesWaiting, lanes: lanes, writes: traffic.writes, messagesWritten: traffic.messagesWritten)
    }

    /// When it began.
    public var since: ContinuousClock.Instant { counts.since }

    /// Calls of this peer so far, those in flight among them.
    public var calls: UInt64 { counts.calls }

    /// Bytes that this peer has sent so far, and that have been sent to it.
    public var bytesRead: UInt64 { traffic.bytesRead }
    public var bytesWritten: UInt64 { traffic.bytesWritten }

    /// What waits to be sent to this peer, by lane; `nil` in formats other than `.native`. What the socket or ring has taken waits here no longer, nor up to 64 KiB that are on their way there.
    public var lanes: LaneDepths? { depths }
}

extension MetricsSnapshot {
    /// The connections of each user added up.
    static func users(of peers: [Peer]) -> [User] {
        struct Name: Hashable {
            let user: UInt32?
            let sid: String?
        }
        var users: [Name: User] = [:]
        for peer in peers {
            var user = users[Name(user: peer.user, sid: peer.sid)] ?? User(user: peer.user, sid: peer.sid)
            user.connections += 1
            user.callsInFlight += peer.callsInFlight
            user.bytesRead += peer.bytesRead
            user.bytesWritten += peer.bytesWritten
            user.bytesWaiting += peer.bytesWaiting
            users[Name(user: peer.user, sid: peer.sid)] = user
        }
        return users.values.sorted { ($1.connections, $0.user ?? .max) < ($0.connections, $1.user ?? .max) }
    }
}
