// What the senders of one user may take of an inbox, on both sides of each limit.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct InboxSharesTests {
    /// An inbox with users: sender n and connection n belong together.
    private struct Held {
        var inbox: Inbox
        var now = Moment(awake: 1_000_000_000, continuous: 0)
        private var steps: [Inbox.Step] = []

        init(_ change: (inout InboxLimits) -> Void) {
            var limits = InboxLimits()
            change(&limits)
            inbox = Inbox(limits: limits)
        }

        static func sender(_ number: UInt64) -> Identity { Identity(high: 1, low: number) }

        mutating func connect(_ number: UInt64, of owner: String) { inbox.connected(Self.sender(number), of: owner, on: number, at: now) }

        mutating func receive(_ id: UInt64, on number: UInt64, _ bytes: Int = 0) {
            let payload = [UInt8](repeating: 7, count: bytes)
            let message = IncomingDelivery(id: id, floor: 1, redelivered: false, lane: .normal, name: "m", codec: .raw, payload: .borrowed(0..<bytes))
            inbox.received(message, of: payload.span.bytes, on: number, at: now, &steps)
        }

        mutating func answer(_ id: UInt64, of number: UInt64) { inbox.answered(id, of: Self.sender(number), nil, at: now, &steps) }

        mutating func take() -> (handed: [UInt64], closed: [UInt64]) {
            defer { steps = [] }
            let handed = steps.compactMap { if case .handle(let message) = $0 { message.sender.low } else { nil } }
            return (handed, steps.compactMap { if case .close(let connection, _) = $0 { connection } else { nil } })
        }

        mutating func disconnect(_ number: UInt64) { inbox.connectionEnded(number, at: now) }

        func refusals() -> [UInt64: FailureCode] {
            steps.reduce(into: [:]) { refused, step in if case .acknowledge(_, let id, let code?) = step { refused[id] = code } }
        }

        mutating func failures() -> [Failure] {
            defer { steps = [] }
            return steps.compactMap { if case .close(_, let failure) = $0 { failure } else { nil } }
        }
    }

    /// What one message of so many payload bytes counts.
    private static func cost(_ bytes: Int) -> Int { 1 + bytes + SessionLimits.messageOverhead }

    // MARK: Turns

    @Test func `a user has so many messages in hand as the limit says, and others go on`() {
        var held = Held {
            $0.inHand = 4
            $0.inHandPerUser = 2
        }
        for number: UInt64 in 1...3 { held.connect(number, of: "greedy") }
        held.connect(4, of: "other")
        for number: UInt64 in 1...3 { held.receive(1, on: number) }
        #expect(held.take().handed == [1, 2])
        held.receive(1, on: 4)
        #expect(held.take().handed == [4])
        held.answer(1, of: 2)
        #expect(held.take().handed == [3])
        #expect(held.inbox.inHand == 3)
    }

    @Test func `a user whose only sender comes and goes while there is no room stands in line once`() {
        var held = Held { $0.inHand = 1 }
        held.connect(1, of: "busy")
        held.receive(1, on: 1)
        for number: UInt64 in 2...9 {
            held.connect(number, of: "restless")
            held.receive(1, on: number)
            if number < 9 { held.disconnect(number) }
        }
        #expect(held.inbox.lineCount == 1)
        held.answer(1, of: 1)
        #expect(held.take().handed == [1, 9])
    }

    @Test func `a message that alone is more than may be held is refused, and one that just fits is not`() {
        var held = Held { $0.bytesPerUser = Self.cost(100) }
        held.connect(1, of: "user")
        held.receive(1, on: 1, 100)
        held.receive(2, on: 1, 101)
        #expect(held.refusals() == [2: .tooLarge])
        #expect(held.take().handed == [1])
    }

    @Test func `users take turns however many senders one of them has`() {
        var held = Held { $0.inHand = 1 }
        for number: UInt64 in 1...5 { held.connect(number, of: "many") }
        held.connect(6, of: "one")
        for number: UInt64 in 1...6 { held.receive(1, on: number) }
        var order = held.take().handed
        for _ in 1...5 {
            held.answer(1, of: order[order.count - 1])
            order += held.take().handed
        }
        #expect(order == [1, 2, 6, 3, 4, 5])
    }

    // MARK: Bytes

    @Test func `at the limit of a user nothing is closed, and one byte above it the connection of which most waits`() {
        for (last, closed) in [(100, [UInt64]()), (101, [1])] {
            var held = Held { $0.bytesPerUser = 3 * Self.cost(0) + Self.cost(300) + Self.cost(200) + Self.cost(100) }
            for (number, bytes) in [(UInt64(1), 300), (2, 200), (3, last)] {
                held.connect(number, of: "user")
                held.receive(1, on: number)
                held.receive(2, on: number, bytes)
            }
            #expect(held.take().closed == closed)
        }
    }

    @Test func `the failure names the limit, and what comes on the closed connection counts no more`() {
        var held = Held { $0.bytesPerUser = Self.cost(100) }
        held.connect(1, of: "user")
        held.receive(1, on: 1, 50)
        held.receive(2, on: 1, 60)
        let failures = held.failures()
        #expect(failures.count == 1 && failures[0].code == .resourceExhausted && failures[0].sentence.contains("inbox.bytesPerUser"))
        held.receive(3, on: 1, 1)
        // What the program has stays with it.
        #expect(held.inbox.heldCount == 1)
        held.answer(1, of: 1)
        // Its sender comes again with the rest.
        held.inbox.connected(Held.sender(1), of: "user", on: 2, at: held.now)
        held.receive(2, on: 2, 60)
        #expect(held.take().handed == [1])
    }

    @Test func `a neighbour is never closed for what another user holds`() {
        var held = Held {
            $0.bytes = 3 * Self.cost(1000)
            $0.bytesPerUser = 2 * Self.cost(1000)
        }
        held.connect(1, of: "neighbour")
        held.receive(1, on: 1, 1000)
        for number: UInt64 in 2...20 {
            held.connect(number, of: "greedy")
            held.receive(1, on: number, 700)
            #expect(!held.take().closed.contains(1))
        }
        #expect(held.inbox.knows(Held.sender(1)))
    }

    @Test func `when all together have too much, it is the user with the most who pays, whoever came last`() {
        var held = Held { $0.bytes = 2 * Self.cost(0) + Self.cost(900) + Self.cost(400) + Self.cost(99) }
        held.connect(1, of: "most")
        held.connect(2, of: "less")
        for number: UInt64 in 1...2 { held.receive(1, on: number) }
        held.receive(2, on: 1, 900)
        held.receive(2, on: 2, 400)
        held.receive(3, on: 2, 99)
        #expect(held.take().closed == [] && held.inbox.heldCount == 5)
        held.receive(4, on: 2)
        #expect(held.inbox.heldCount == 5 && held.inbox.cost == 3 * Self.cost(0) + Self.cost(400) + Self.cost(99))
        let failures = held.failures()
        #expect(failures.count == 1 && failures[0].sentence.contains("(inbox.bytes)"))
    }

    @Test func `what is answered or lost counts no more`() {
        var held = Held { $0.bytesPerUser = 2 * Self.cost(100) }
        held.connect(1, of: "user")
        for id: UInt64 in 1...50 {
            held.receive(id, on: 1, 100)
            held.answer(id, of: 1)
        }
        for number: UInt64 in 2...50 {
            held.connect(number, of: "user")
            held.receive(1, on: number, 100)
            held.answer(1, of: number)
            held.receive(2, on: number, 100)
            held.inbox.connectionEnded(number, at: held.now)
            held.answer(2, of: number)
        }
        #expect(held.take().closed == [])
        #expect(held.inbox.cost == 0 && held.inbox.shares.values.allSatisfy { $0.cost == 0 && $0.inHand == 0 })
    }

    @Test func `what is in hand of connections that have ended counts on`() {
        var held = Held { $0.bytesPerUser = 2 * Self.cost(100) }
        for number: UInt64 in 1...2 {
            held.connect(number, of: "user")
            held.receive(1, on: number, 100)
            held.inbox.connectionEnded(number, at: held.now)
        }
        held.connect(3, of: "user")
        held.receive(1, on: 3, 0)
        #expect(held.take().closed == [3])
    }

    // MARK: Senders

    @Test func `new senders of one user push out that user's own, and nobody else's`() {
        var held = Held { $0.senders = 10 }
        for number: UInt64 in 1...3 { seen(number, of: "quiet", &held) }
        for number: UInt64 in 100...200 {
            seen(number, of: "restless", &held)
            #expect(held.inbox.senderCount <= 10)
        }
        for number: UInt64 in 1...3 { #expect(held.inbox.knows(Held.sender(number))) }
        #expect(held.inbox.knows(Held.sender(200)) && !held.inbox.knows(Held.sender(100)))
        #expect(Set(held.inbox.shares.keys) == ["quiet", "restless"])
    }

    /// It connects, has a message dealt with and goes.
    private func seen(_ number: UInt64, of owner: String, _ held: inout Held) {
        held.now = held.now.advanced(by: .seconds(1))
        held.connect(number, of: owner)
        held.receive(1, on: number)
        held.answer(1, of: number)
        held.inbox.connectionEnded(number, at: held.now)
    }

    @Test(arguments: 1...20) func `whatever comes, the sums are those of what is held`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var held = Held {
            $0.bytes = 40_000
            $0.bytesPerUser = 15_000
            $0.inHand = 12
            $0.inHandPerUser = 5
            $0.senders = 12
        }
        var ids: [UInt64: UInt64] = [:]
        for _ in 0..<500 {
            let number = random.next() % 20 + 1
            switch random.next() % 5 {
            case 0:
                held.inbox.connectionEnded(number, at: held.now)
                held.inbox.connected(Held.sender(number), of: "\(number % 3)", on: number, at: held.now)
            case 1: held.answer(ids[number, default: 0] == 0 ? 1 : random.next() % ids[number, default: 1] + 1, of: number)
            default:
                ids[number, default: 0] += 1
                held.receive(ids[number, default: 1], on: number, Int(random.next() % 2000))
            }
            held.now = held.now.advanced(by: .milliseconds(1))
            let all = held.inbox.senders.values
            #expect(held.inbox.cost == all.reduce(0) { $1.held.values.reduce($0) { $0 + $1.message.cost } })
            for (owner, share) in held.inbox.shares {
                let own = all.filter { $0.owner == owner }
                #expect(share.senders == own.count && share.cost == own.reduce(0) { $0 + $1.cost } && share.inHand <= 5)
                #expect(share.inHand == own.reduce(0) { $0 + $1.held.values.count { $0.isInHand } })
            }
            // No more is remembered of those who left than there are, and whoever may be forgotten is among them.
            #expect(held.inbox.shares.values.allSatisfy { $0.away.count <= 2 * $0.senders + 16 })
            for (identity, sender) in held.inbox.senders where sender.mayBeForgotten {
                #expect(held.inbox.shares[sender.owner]?.away.first { $0.sender == identity && $0.seenAt == sender.seenAt } != nil)
            }
            #expect(held.inbox.inHand <= 12 && held.inbox.shares.values.reduce(0) { $0 + $1.inHand } == held.inbox.inHand)
        }
    }

    /// So many senders have come and left; how long it takes on average until each of further ones has a place.
    private func timeForNewcomers(among senders: Int) -> Duration {
        var inbox = Inbox(
            limits: {
                var limits = InboxLimits()
                limits.senders = senders
                return limits
            }())
        var now = Moment(awake: 0, continuous: 0)
        func live(_ number: UInt64) {
            now = now.advanced(by: .nanoseconds(1))
            inbox.connected(Identity(high: 0, low: number), of: "user", on: number, at: now)
            var steps: [Inbox.Step] = []
            let message = IncomingDelivery(id: 1, floor: 1, redelivered: false, lane: .normal, name: "n", codec: .raw, payload: .empty)
            inbox.received(message, of: RawSpan(), on: number, at: now, &steps)
            inbox.answered(1, of: Identity(high: 0, low: number), nil, at: now, &steps)
            inbox.connectionEnded(number, at: now)
        }
        for number in 1...UInt64(senders) { live(number) }
        let newcomers = 300
        let began = ContinuousClock.now
        for number in 1...UInt64(newcomers) { live(UInt64(senders) + number) }
        #expect(inbox.senderCount == senders)
        return (ContinuousClock.now - began) / newcomers
    }

    @Test func `one more sender takes no longer where sixteen times as many are remembered`() {
        var ratios: [Double] = []
        for _ in 0..<3 { ratios.append(1 / (timeForNewcomers(among: 2_000) / timeForNewcomers(among: 32_000))) }
        #expect(ratios.sorted()[1] < 5, "\(ratios)")
    }
}
