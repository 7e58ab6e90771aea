// Whether the process at the other end is one that we want to talk to. Asked in one place, before the first byte.

package import GinnelCore

package struct PeerVerification: Sendable {
    package let policy: PeerPolicy

    private let fields: Set<PeerIdentity.Field>

    /// `alsoReading`: what is needed of the peer later, beyond what the policy itself asks for.
    package init(_ policy: PeerPolicy, alsoReading fields: Set<PeerIdentity.Field> = []) {
        self.policy = policy
        self.fields = fields.union(policy.wants)
    }

    /// Reads the peer's identity and asks the policy. Throws `.refused` with the reason, for our own log; the peer is not told.
    package func verify(_ channel: any Channel) throws -> PeerIdentity {
        let peer = try channel.identify(fields)
        switch policy.verdict(on: peer, own: .own, children: ChildProcess.running) {
        case .accepted: return peer
        case .refused(let reason):
            throw GinnelError(.refused, reason, peer: peer, failure: Failure(.peerRefused, reason))
        }
    }
}
