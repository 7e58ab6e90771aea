// Policies made of others.

extension PeerPolicy {
    /// One of these policies at least accepts the peer. Of none, nobody is accepted.
    ///
    /// Guards against what all of them guard against. All fields that any of them wants are read.
    public static func anyOf(_ policies: [PeerPolicy]) -> PeerPolicy {
        combined("anyOf", policies) { question in
            var reasons: [String] = []
            for policy in policies {
                guard case .refused(let reason) = policy.verdict(on: question) else { return .accepted }
                reasons.append("\(policy): \(reason)")
            }
            return .refused(reasons.joined(separator: "; "))
        }
    }

    /// All of these policies accept the peer. Of none, nobody is accepted.
    ///
    /// Guards against what any of them guards against.
    public static func allOf(_ policies: [PeerPolicy]) -> PeerPolicy {
        combined("allOf", policies) { question in
            for policy in policies {
                if case .refused(let reason) = policy.verdict(on: question) { return .refused("\(policy): \(reason)") }
            }
            return .accepted
        }
    }

    private static func combined(
        _ name: String, _ policies: [PeerPolicy], _ judge: @escaping @Sendable (Question) -> Verdict
    ) -> PeerPolicy {
        let wants = policies.reduce(into: Set()) { $0.formUnion($1.wants) }
        return PeerPolicy("\(name)(\(policies.map(\.name).joined(separator: ", ")))", wants: wants) { question in
            policies.isEmpty ? .refused("\(name) of no policies accepts nobody") : judge(question)
        }
    }
}
