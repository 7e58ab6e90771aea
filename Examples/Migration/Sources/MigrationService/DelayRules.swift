// How a request for more time is answered: a function of what was asked and when.

import Ginnel

enum DelayRules {
    /// Delays that a user has; who asks for one more is escalated.
    static let most = 3
    /// No delay is longer, whatever was asked for.
    static let longest: Duration = .seconds(72 * 3600)

    enum Verdict: Equatable {
        case granted(until: Envelope.Time)
        case escalated
    }

    static func verdict(on request: Envelope.DelayRequest, now: Envelope.Time) -> Verdict {
        guard request.delaysUsed < most else { return .escalated }
        return .granted(until: now.advanced(by: min(.seconds(max(request.requestedDelay, 0)), longest)))
    }
}
