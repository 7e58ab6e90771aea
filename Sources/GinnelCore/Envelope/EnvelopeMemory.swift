// Which messages of one user have come before, over all its connections: whoever loses a connection before the acknowledgement sends the message again on the next one, with the same id.
//
// Only GUIDs count, since nobody gives out the same one twice; two programs that number their messages from 1 must not be taken for one. A message that is being dealt with is
// remembered until it was; of the others the last 4,096 are. Their answers are too, as far as there is room for them: what was longest ago is then remembered in brief.
// The memory of a service is shared by its connections, so it stands behind a protocol, and what locks it is made above the core.

/// Asked by machines, under their locks: it must be quick and must not call back.
package protocol EnvelopeRecall: AnyObject, Sendable {
    /// A message has come; from now on it is in hand, if it is new.
    func took(_ id: Identity) -> EnvelopeMemory.Finding
    /// It was dealt with.
    func answered(_ id: Identity, _ answer: EnvelopeMemory.Answer)
    /// It was let go of without having been dealt with, if it was in hand.
    func forgot(_ id: Identity)
    /// What has become of a message that was in hand.
    func finding(_ id: Identity) -> EnvelopeMemory.Finding
}

package struct EnvelopeMemory: Sendable {
    package enum Answer: Sendable, Equatable {
        case acknowledged
        /// The sentence of the acknowledgement.
        case failed(String)
        /// The text of the message that was sent in place of an acknowledgement.
        case message([UInt8])

        /// What it counts against `answerBytes`.
        var cost: Int {
            switch self {
            case .acknowledged: 0
            case .failed(let sentence): sentence.utf8.count
            case .message(let text): text.count
            }
        }

        /// What is still known when it was too much.
        var inBrief: Answer { if case .failed = self { .failed("Error handling message: why is not remembered") } else { .acknowledged } }
    }

    package enum Finding: Sendable, Equatable {
        case new
        /// It has come before and is not answered yet.
        case inHand
        case answered(Answer)
    }

    /// Answered messages that are remembered.
    package static let window = 4096
    /// Bytes of their answers that are.
    package static let answerBytes = 4 << 20

    private var findings: [Identity: Finding] = [:]
    private var answeredOrder = Queue<Identity>()
    /// Those of them whose answers are remembered whole and cost something.
    private var whole = Queue<Identity>()
    private var wholeBytes = 0
    /// Messages that are being dealt with.
    package private(set) var inHand = 0

    package init() {}

    package func finding(_ id: Identity) -> Finding { findings[id] ?? .new }

    package mutating func took(_ id: Identity) -> Finding {
        let finding = finding(id)
        guard finding == .new else { return finding }
        findings[id] = .inHand
        inHand += 1
        return .new
    }

    package mutating func forgot(_ id: Identity) {
        guard findings[id] == .inHand else { return }
        findings[id] = nil
        inHand -= 1
    }

    package mutating func answered(_ id: Identity, _ answer: Answer) {
        guard findings[id] == .inHand else { return }
        inHand -= 1
        findings[id] = .answered(answer)
        answeredOrder.append(id)
        if answer.cost > 0 {
            whole.append(id)
            wholeBytes += answer.cost
        }
        if answeredOrder.count > Self.window, let oldest = answeredOrder.popFirst() {
            if whole.first == oldest { abridgeOldest() }
            findings[oldest] = nil
        }
        while wholeBytes > Self.answerBytes, !whole.isEmpty { abridgeOldest() }
    }

    private mutating func abridgeOldest() {
        guard let oldest = whole.popFirst(), case .answered(let answer)? = findings[oldest] else { return }
        wholeBytes -= answer.cost
        findings[oldest] = .answered(answer.inBrief)
    }
}

/// The memories of a service's users, or of a client's services: a busy user shortens nobody else's, and nobody is answered what another was.
package struct EnvelopeMemories: Sendable {
    private struct Entry: Sendable {
        var memory = EnvelopeMemory()
        /// When it was last asked, by the count of questions.
        var asked: UInt64 = 0
    }

    /// Users that are remembered. Beyond it the one is forgotten of whom nothing is in hand and nothing came for longest.
    package static let users = 256

    private var entries: [OutputOwner: Entry] = [:]
    private var questions: UInt64 = 0

    package init() {}

    package var count: Int { entries.count }

    package mutating func with<Result>(_ owner: OutputOwner, _ body: (inout EnvelopeMemory) -> Result) -> Result {
        questions += 1
        if entries[owner] == nil, entries.count >= Self.users, let oldest = entries.filter({ $0.value.memory.inHand == 0 }).min(by: { $0.value.asked < $1.value.asked }) {
            entries[oldest.key] = nil
        }
        entries[owner, default: Entry()].asked = questions
        return body(&entries[owner, default: Entry()].memory)
    }
}
