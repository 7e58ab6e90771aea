// What is known of one connection beside its traffic.

internal import GinnelTransport
internal import Synchronization

struct ConnectionCounts: ~Copyable, Sendable {
    /// Differs between the connections of one service; 0 before it is known to the recorder.
    let number = Atomic<Int>(0)
    /// Calls of the peer. Counted on the connection's loop alone, so a load and a store are enough.
    private let served = Atomic<UInt64>(0)
    let since = ContinuousClock.now

    func noteCall() { served.store(served.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }

    var calls: UInt64 { served.load(ordering: .relaxed) }
}

extension Connection {
    /// What is known of it now.
    var reading: MetricsSnapshot.Peer {
        let traffic = traffic
        return MetricsSnapshot.Peer(
            id: counts.number.load(ordering: .relaxed), user: peer.user, process: peer.process, sid: peer.sid, executable: peer.executable, transport: transport.rawValue,
            connectedFor: (ContinuousClock.now - counts.since) / .seconds(1), callsInFlight: callsInFlight, calls: counts.calls, bytesRead: traffic.bytesRead,
            bytesWritten: traffic.bytesWritten, bytesWaiting: bytesWaiting)
    }
}
