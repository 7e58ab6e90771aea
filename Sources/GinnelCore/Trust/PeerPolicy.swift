// Which peers a side talks to: a pure function of who the peer is, who we are and which processes we started.
//
// It is asked on both sides, before a byte of the peer is read. The sentence of a refusal is for the log of this side; the refused peer never sees it. What needs
// a field that is not known refuses: a policy that cannot be checked is not passed. The policies themselves are in PeerPolicy+Users,
// +Programs and +Combined.

/// Decides whether a peer may be talked to. Default for both sides: `.sameUser`. Any thread.
public struct PeerPolicy: Sendable {
    public enum Verdict: Sendable, Equatable {
        case accepted
        /// With one sentence that says why.
        case refused(String)
    }

    /// What a policy is asked about.
    struct Question {
        let peer: PeerIdentity
        let own: PeerIdentity
        let children: Set<UInt32>
    }

    /// For logs and error messages.
    let name: String
    /// The fields that must be read for this policy beyond user, group and process.
    public let wants: Set<PeerIdentity.Field>
    private let judge: @Sendable (Question) -> Verdict

    init(_ name: String, wants: Set<PeerIdentity.Field> = [], _ judge: @escaping @Sendable (Question) -> Verdict) {
        self.name = name
        self.wants = wants
        self.judge = judge
    }

    /// Whether `peer` may be talked to. `own` is this process; `children` are the ids of processes that it started and that run.
    public func verdict(on peer: PeerIdentity, own: PeerIdentity, children: Set<UInt32> = []) -> Verdict {
        verdict(on: Question(peer: peer, own: own, children: children))
    }

    func verdict(on question: Question) -> Verdict { judge(question) }

    /// A policy of your own, in addition to what the others offer. `name` appears in logs; `wants` are the fields that must be read for it, and a peer of which
    /// one of them is not known is refused without asking. `judge` may be called on any thread and must not block. Guards against what it checks.
    public static func custom(
        _ name: String, wants: Set<PeerIdentity.Field> = [], _ judge: @escaping @Sendable (PeerIdentity) -> Verdict
    ) -> PeerPolicy {
        PeerPolicy(name, wants: wants) { question in
            if wants.contains(.executable), question.peer.executable == nil { return .unknown("executable") }
            if wants.contains(.digest), question.peer.digest == nil { return .unknown("program's SHA-256") }
            return judge(question.peer)
        }
    }
}

extension PeerPolicy: CustomStringConvertible {
    public var description: String { name }
}

extension PeerPolicy.Verdict {
    static func unknown(_ what: String) -> Self { .refused("the peer's \(what) is not known") }
}
