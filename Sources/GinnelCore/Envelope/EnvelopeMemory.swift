// Which messages have come before, over all connections: whoever loses a connection before the acknowledgement sends the message again on the next one, with the same id.
//
// Only GUIDs count, since nobody gives out the same one twice; two programs that number their messages from 1 must not be taken for one. A message that is being dealt with is
// remembered until it was; of the others the last 4,096 are, with their answers. The memory of a service is shared by its connections, so it stands behind a protocol, and what locks it is made above the core.

/// Asked by machines, under their locks: it must be quick and must not call back.
package protocol EnvelopeRecall: AnyObject, Sendable {
    /// A message has come; from now on it is in hand, if it is new.
    func took(_ id: Identity) -> EnvelopeMemory.Finding
    /// It was dealt with; `error`: the sentence of its acknowledgement, `nil` for success.
    func answered(_ id: Identity, _ error: String?)
    /// It was let go of without having been dealt with, if it was in hand.
    func forgot(_ id: Identity)
    /// What has become of a message that was in hand.
    func finding(_ id: Identity) -> EnvelopeMemory.Finding
}

package struct EnvelopeMemory: Sendable {
    package enum Finding: Sendable, Equatable {
        case new
        /// It has come before and is not answered yet.
        case inHand
        /// It was answered: the sentence of its acknowledgement, `nil` for success.
        case answered(String?)
    }

    /// Answered messages that are remembered.
    package static let window = 4096

    private var findings: [Identity: Finding] = [:]
    private var answeredOrder = Queue<Identity>()

    package init() {}

    package func finding(_ id: Identity) -> Finding { findings[id] ?? .new }

    package mutating func took(_ id: Identity) -> Finding {
        let finding = finding(id)
        if finding == .new { findings[id] = .inHand }
        return finding
    }

    package mutating func forgot(_ id: Identity) {
        if findings[id] == .inHand { findings[id] = nil }
    }

    package mutating func answered(_ id: Identity, _ error: String?) {
        guard findings[id] == .inHand else { return }
        findings[id] = .answered(error)
        answeredOrder.append(id)
        if answeredOrder.count > Self.window, let oldest = answeredOrder.popFirst() { findings[oldest] = nil }
    }
}
