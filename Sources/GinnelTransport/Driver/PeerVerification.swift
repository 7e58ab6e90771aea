// Whether the process at the other end is one that we want to talk to. Asked in one place, before the first byte.
//
// Step by step: a field that costs something is read only when the policy cannot decide without it, so that whoever is refused by his user
// makes nobody read his program. The verdict that counts is always on one reading of everything that it rests on.

package import GinnelCore

package struct PeerVerification: Sendable {
    package let policy: PeerPolicy

    private let later: Set<PeerIdentity.Field>

    /// `alsoReading`: what is needed of the peer later, once it is accepted.
    package init(_ policy: PeerPolicy, alsoReading fields: Set<PeerIdentity.Field> = []) {
        self.policy = policy
        later = fields
    }

    /// Reads the peer's identity and asks the policy. Throws `.refused` with the reason, for our own log; the peer is not told.
    package func verify(_ channel: any Channel) throws -> PeerIdentity {
        var fields: Set<PeerIdentity.Field> = []
        while true {
            let peer = try channel.identify(fields)
            let unread = policy.wants.subtracting(fields)
            switch policy.judgement(on: peer, own: .own, children: ChildProcess.running, unread: unread) {
            case .accepted where fields.isSuperset(of: later): return peer
            case .accepted: fields.formUnion(later)
            case .refused(let reason): throw GinnelError(.refused, reason, peer: peer, failure: Failure(.peerRefused, reason))
            case .needs(let field):
                fields.insert(field)
                // Nothing is dearer than a digest, so that the program is read once.
                if field == .digest { fields.formUnion(later) }
            }
        }
    }
}
