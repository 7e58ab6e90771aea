// Which peers a side talks to: a pure function of who the peer is, who we are and which processes we started.
//
// It is asked on both sides, before a byte of the peer is read. The sentence of a refusal is for the log of this side; the refused peer never sees it. What needs
// a field that is not known refuses: a policy that cannot be checked is not passed. The policies themselves are in PeerPolicy+Users,
// +Programs and +Combined.
//
// Some fields are dear: a digest takes the reading of a stranger's whole program. So a policy can be asked before they are read, and names the
// field that its verdict hangs on.

/// Decides whether a peer may be talked to. Default for both sides: `.sameUser`. Any thread.
public struct PeerPolicy: Sendable {
    public enum Verdict: Sendable, Equatable {
        case accepted
        /// With one sentence that says why.
        case refused(String)
    }

    /// A verdict that may depend on more than has been read so far.
    package enum Judgement: Sendable, Equatable {
        case accepted
        case refused(String)
        /// This field decides, and it has not been read yet.
        case needs(PeerIdentity.Field)
    }

    /// What a policy is asked about.
    struct Question {
        let peer: PeerIdentity
        let own: PeerIdentity
        let children: Set<UInt32>
        /// Fields that could still be read. Without them, what is not known stays unknown.
        var unread: Set<PeerIdentity.Field> = []

        /// What to say where a policy is about a field that is not known.
        func unknown(_ field: PeerIdentity.Field) -> Judgement {
            if unread.contains(field) { return .needs(field) }
            return switch field {
            case .executable: .unknown("executable")
            case .digest: .unknown("program's SHA-256", ": the program cannot be read, has ended, or is larger than 256 MiB")
            }
        }
    }

    /// For logs and error messages.
    let name: String
    /// The fields that must be read for this policy beyond user, group and process.
    public let wants: Set<PeerIdentity.Field>
    private let judge: @Sendable (Question) -> Judgement

    init(_ name: String, wants: Set<PeerIdentity.Field> = [], _ judge: @escaping @Sendable (Question) -> Judgement) {
        self.name = name
        self.wants = wants
        self.judge = judge
    }

    /// Whether `peer` may be talked to. `own` is this process; `children` are the ids of processes that it started and that run.
    public func verdict(on peer: PeerIdentity, own: PeerIdentity, children: Set<UInt32> = []) -> Verdict {
        switch judgement(on: peer, own: own, children: children, unread: []) {
        case .accepted: .accepted
        case .refused(let reason): .refused(reason)
        // Not without unread fields.
        case .needs: .refused("the peer is not known well enough")
        }
    }

    /// The same of a peer of whom the fields in `unread` have not been read: they are asked for only where the verdict depends on them.
    package func judgement(on peer: PeerIdentity, own: PeerIdentity, children: Set<UInt32>, unread: Set<PeerIdentity.Field>) -> Judgement {
        judgement(on: Question(peer: peer, own: own, children: children, unread: unread))
    }

    func judgement(on question: Question) -> Judgement { judge(question) }

    /// A policy of your own, in addition to what the others offer. `name` appears in logs; `wants` are the fields that must be read for it, and a peer of which
    /// one of them is not known is refused without asking; the others may be missing. `judge` may be called on any thread, more than once for a peer, and must
    /// not block. Guards against what it checks.
    public static func custom(
        _ name: String, wants: Set<PeerIdentity.Field> = [], _ judge: @escaping @Sendable (PeerIdentity) -> Verdict
    ) -> PeerPolicy {
        PeerPolicy(name, wants: wants) { question in
            if wants.contains(.executable), question.peer.executable == nil { return question.unknown(.executable) }
            if wants.contains(.digest), question.peer.digest == nil { return question.unknown(.digest) }
            return switch judge(question.peer) {
            case .accepted: .accepted
            case .refused(let reason): .refused(reason)
            }
        }
    }
}

extension PeerPolicy: CustomStringConvertible {
    public var description: String { name }
}

extension PeerPolicy.Judgement {
    static func unknown(_ what: String, _ why: String = "") -> Self { .refused("the peer's \(what) is not known\(why)") }
}
