// A caller that counts what happens to its call, from whichever thread, and can be waited for.

package import GinnelCore
import GinnelTransport

/// `@unchecked Sendable`: `callNumber` and `isAbandoned` are touched under the driver's lock, as the contract says; the rest is locked.
package final class ProbedCall: OutgoingCall, @unchecked Sendable {
    package enum Outcome: Equatable, Sendable {
        case replied([UInt8])
        case failed(Failure)
    }

    package var callNumber: UInt32 = 0
    package var isAbandoned = false
    /// Everything that claimed to be the end.
    private let ends = Watched([Outcome]())
    private let whenEnded: (@Sendable () -> Void)?

    /// `whenEnded` runs in the callback that ends the call.
    package init(whenEnded: (@Sendable () -> Void)? = nil) { self.whenEnded = whenEnded }

    package func replied(codec: Codec, payload: borrowing RawSpan) { end(.replied(payload.copied())) }

    package func failed(_ failure: Failure) { end(.failed(failure)) }

    package func received(item: borrowing RawSpan, codec: Codec) {}

    package func mayCarryOn() {}

    private func end(_ outcome: Outcome) {
        ends.change { $0.append(outcome) }
        whenEnded?()
    }

    package var outcomes: [Outcome] { ends.value }

    /// The first outcome, once there is one.
    package var outcome: Outcome {
        get async throws { try await ends.wait { !$0.isEmpty }[0] }
    }
}
