// Policies made of others.

extension PeerPolicy {
    /// One of these policies at least accepts the peer. Of none, nobody is accepted.
    ///
    /// Guards against what all of them guard against. What is dear to read is read only when none of the others accepts.
    public static func anyOf(_ policies: [PeerPolicy]) -> PeerPolicy {
        combined("anyOf", policies) { question in
            var reasons: [String] = []
            var needed: Set<PeerIdentity.Field> = []
            for policy in policies {
                switch policy.judgement(on: question) {
                case .accepted: return .accepted
                case .refused(let reason): reasons.append("\(policy): \(reason)")
                case .needs(let field): needed.insert(field)
                }
            }
            return cheapest(needed) ?? .refused(reasons.joined(separator: "; "))
        }
    }

    /// All of these policies accept the peer. Of none, nobody is accepted.
    ///
    /// Guards against what any of them guards against. What is dear to read is read only when none of the others refuses.
    public static func allOf(_ policies: [PeerPolicy]) -> PeerPolicy {
        combined("allOf", policies) { question in
            var needed: Set<PeerIdentity.Field> = []
            for policy in policies {
                switch policy.judgement(on: question) {
                case .accepted: break
                case .refused(let reason): return .refused("\(policy): \(reason)")
                case .needs(let field): needed.insert(field)
                }
            }
            return cheapest(needed) ?? .accepted
        }
    }

    private static func cheapest(_ fields: Set<PeerIdentity.Field>) -> Judgement? {
        fields.contains(.executable) ? .needs(.executable) : fields.first.map { .needs($0) }
    }

    private static func combined(
        _ name: String, _ policies: [PeerPolicy], _ judge: @escaping @Sendable (Question) -> Judgement
    ) -> PeerPolicy {
        let wants = policies.reduce(into: Set()) { $0.formUnion($1.wants) }
        return PeerPolicy("\(name)(\(policies.map(\.name).joined(separator: ", ")))", wants: wants) { question in
            policies.isEmpty ? .refused("\(name) of no policies accepts nobody") : judge(question)
        }
    }
}
