// A caller that writes down what happens to its call, so that a test can ask whether it ended exactly once and how.

package import GinnelCore

/// Stands where a waiting task stands in a program. Belongs to one test and one thread.
package final class RecordedCall: OutgoingCall, @unchecked Sendable {  // protected by being used from one thread only
    package enum Outcome: Equatable, Sendable {
        case replied(codec: Codec, payload: [UInt8])
        case failed(Failure)
    }

    package let name: String
    package var callNumber: UInt32 = 0
    package var isAbandoned = false
    /// Everything that claimed to be the end; a healthy machine puts exactly one here.
    package private(set) var outcomes: [Outcome] = []
    package private(set) var items: [[UInt8]] = []
    /// How often the call was told that it may send items.
    package private(set) var permissions = 0
    /// Things that happened after the end.
    package private(set) var lateEvents = 0

    package init(_ name: String = "call") { self.name = name }

    package func replied(codec: Codec, payload: borrowing RawSpan) { outcomes.append(.replied(codec: codec, payload: payload.copied())) }

    package func failed(_ failure: Failure) { outcomes.append(.failed(failure)) }

    package func received(item: borrowing RawSpan, codec: Codec) {
        if hasEnded { lateEvents += 1 }
        items.append(item.copied())
    }

    package func mayCarryOn() {
        if hasEnded { lateEvents += 1 }
        permissions += 1
    }

    package var hasEnded: Bool { !outcomes.isEmpty }

    /// The reply's bytes; `nil` when there is none, or more than one outcome.
    package var reply: [UInt8]? {
        if outcomes.count == 1, case .replied(_, let payload) = outcomes[0] { payload } else { nil }
    }

    /// The failure; `nil` when there is none, or more than one outcome.
    package var failure: Failure? {
        if outcomes.count == 1, case .failed(let failure) = outcomes[0] { failure } else { nil }
    }
}
