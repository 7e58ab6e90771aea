import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct InboxTests {
    private static let sender = Identity(high: 1, low: 1)

    /// An inbox, the clock, and what it asked for.
    private struct Held {
        var inbox: Inbox
        var now = Moment(awake: 1_000_000_000, continuous: 0)
        private(set) var steps: [Inbox.Step] = []

        init(_ change: (inout InboxLimits) -> Void = { _ in }) {
            var limits = InboxLimits()
            change(&limits)
            inbox = Inbox(limits: limits)
        }

        mutating func connect(_ connection: UInt64, _ sender: Identity = InboxTests.sender) { inbox.connected(sender, on: connection, at: now) }
        mutating func end(_ connection: UInt64) { inbox.connectionEnded(connection, at: now) }

        mutating func receive(_ id: UInt64, on connection: UInt64 = 1, floor: UInt64 = 1, _ lane: Lane = .normal, _ payload: [UInt8] = [], again: Bool = false) {
            let message = IncomingDelivery(id: id, floor: floor, redelivered: again, lane: lane, name: "m", codec: .raw, payload: .borrowed(0..<payload.count))
            inbox.received(message, of: payload.span.bytes, on: connection, at: now, &steps)
        }

        mutating func answer(_ id: UInt64, _ refusal: FailureCode? = nil, of sender: Identity = InboxTests.sender) {
            inbox.answered(id, of: sender, refusal, at: now, &steps)
        }

        mutating func take() -> [Inbox.Step] {
            defer { steps = [] }
            return steps
        }

        mutating func handed() -> [UInt64] { take().compactMap { if case .handle(let message) = $0 { message.id } else { nil } } }
    }

    private func connected(_ change: (inout InboxLimits) -> Void = { _ in }) -> Held {
        var held = Held(change)
        held.connect(1)
        return held
    }

    // MARK: Order

    @Test func `a message is handed on as it came and its answer goes where it came from`() {
        var held = connected()
        held.receive(7, floor: 3, .low, [1, 2], again: true)
        #expect(held.take() == [.handle(InboxMessage(sender: Self.sender, id: 7, lane: .low, name: "m", codec: .raw, payload: [1, 2], redelivered: true))])
        held.answer(7)
        #expect(held.take() == [.acknowledge(connection: 1, id: 7, nil)])
        held.answer(7)
        #expect(held.take() == [])
        #expect(held.inbox.heldCount == 0)
    }

    @Test func `messages of a lane are handed on one at a time, those of other lanes and senders at once`() {
        var held = connected()
        let other = Identity(high: 2, low: 2)
        held.connect(2, other)
        for id in 1...3 as ClosedRange<UInt64> { held.receive(id) }
        held.receive(4, .high)
        held.receive(1, on: 2)
        #expect(held.handed() == [1, 4, 1])
        held.answer(4)
        held.answer(1, of: other)
        #expect(held.handed() == [])
        held.answer(1)
        #expect(held.handed() == [2])
        held.answer(2)
        #expect(held.handed() == [3])
    }

    @Test(arguments: permutations(of: [1, 2, 3, 4] as [UInt64]))
    func `answers of four lanes may come in any order`(order: [UInt64]) {
        var held = connected()
        held.connect(2, Identity(high: 2, low: 2))
        held.receive(1, .high)
        held.receive(2, .normal)
        held.receive(3, .low)
        held.receive(4, on: 2, .low)
        _ = held.take()
        for id in order { held.answer(id, of: id == 4 ? Identity(high: 2, low: 2) : Self.sender) }
        #expect(held.take() == order.map { .acknowledge(connection: $0 == 4 ? 2 : 1, id: $0, nil) })
        #expect(held.inbox.heldCount == 0)
    }

    // MARK: Once

    @Test func `a repeated message is answered with the result of the first`() {
        var held = connected()
        held.receive(1)
        held.answer(1)
        held.receive(2)
        held.answer(2, .forbidden)
        held.end(1)
        held.connect(2)
        _ = held.take()
        held.receive(1, on: 2, again: true)
        held.receive(2, on: 2, again: true)
        held.receive(3, on: 2)
        #expect(
            held.take() == [
                .acknowledge(connection: 2, id: 1, nil), .acknowledge(connection: 2, id: 2, .forbidden),
                .handle(InboxMessage(sender: Self.sender, id: 3, lane: .normal, name: "m", codec: .raw, payload: [], redelivered: false)),
            ])
    }

    @Test func `one that is in hand when it comes again is answered when it is done`() {
        var held = connected()
        held.receive(1)
        held.end(1)
        held.connect(2)
        held.receive(1, on: 2, again: true)
        #expect(held.handed() == [1])
        held.answer(1)
        #expect(held.take() == [.acknowledge(connection: 2, id: 1, nil)])
    }

    @Test func `two connections at once are both answered, and the message is handed on once`() {
        var held = connected()
        held.connect(2)
        held.receive(1)
        held.receive(2)
        for id in 1...2 as ClosedRange<UInt64> { held.receive(id, on: 2, again: true) }
        #expect(held.handed() == [1])
        held.answer(1)
        held.answer(2)
        let both = [1, 1, 2, 2] as [UInt64]
        #expect(held.take().compactMap { if case .acknowledge(_, let id, _) = $0 { id } else { nil } } == both)
    }

    @Test func `what waits is forgotten with its last connection and handed on when it comes again`() {
        var held = connected()
        held.connect(2)
        for id in 1...4 as ClosedRange<UInt64> { held.receive(id) }
        held.receive(1, on: 2)
        held.receive(2, on: 2)
        held.end(1)
        #expect(held.inbox.heldCount == 2)
        #expect(held.handed() == [1])
        held.answer(1)
        #expect(held.handed() == [2])
        for id in 3...4 as ClosedRange<UInt64> { held.receive(id, on: 2, again: true) }
        held.answer(2)
        #expect(held.handed() == [3])
        held.end(2)
        #expect(held.inbox.heldCount == 1)
        held.answer(3)
        held.connect(3)
        held.receive(3, on: 3, again: true)
        held.receive(4, on: 3, again: true)
        #expect(held.handed() == [4])
    }

    @Test func `an id that a later one of its lane has overtaken is over`() {
        var held = connected()
        held.receive(5)
        held.receive(7)
        held.connect(2)
        held.receive(6, on: 2)
        #expect(held.take().last == .acknowledge(connection: 2, id: 6, nil))
        held.receive(4, on: 2, .low)
        #expect(held.handed() == [4])
    }

    /// Three messages of one lane come on one connection and again on another, which is lost or not, with answers in between: all orders in which each connection keeps its own.
    @Test func `whatever comes on two connections in whatever order, each message is handed on once and in order`() {
        for pattern in 0..<(1 << 6) where pattern.nonzeroBitCount == 3 {
            for answering in 0..<(1 << 6) {
                var held = connected()
                held.connect(2)
                var next: [UInt64] = [1, 1]
                var handed: [UInt64] = []
                func settle(_ held: inout Held, _ all: Bool) {
                    repeat {
                        let new = held.handed()
                        handed += new
                        guard all, let last = handed.last, held.inbox.inHand > 0 else { return }
                        held.answer(last)
                    } while true
                }
                for step in 0..<6 {
                    let side = pattern >> step & 1
                    held.receive(next[side], on: UInt64(side) + 1, again: side == 1)
                    next[side] += 1
                    settle(&held, answering >> step & 1 == 1)
                }
                settle(&held, true)
                #expect(handed == [1, 2, 3], "connections \(pattern), answers \(answering)")
                #expect(held.inbox.heldCount == 0)
            }
        }
    }

    // MARK: Floors and limits

    @Test func `refusals are remembered from the floor on`() {
        var held = connected()
        for id in 1...4 as ClosedRange<UInt64> {
            held.receive(id)
            held.answer(id, .forbidden)
        }
        #expect(held.inbox.refusalCount == 4)
        held.receive(5, floor: 3)
        #expect(held.inbox.refusalCount == 2)
        held.connect(2)
        _ = held.take()
        for id in 2...4 as ClosedRange<UInt64> { held.receive(id, on: 2, floor: 1) }
        #expect(
            held.take() == [
                .acknowledge(connection: 2, id: 2, nil), .acknowledge(connection: 2, id: 3, .forbidden), .acknowledge(connection: 2, id: 4, .forbidden),
            ])
    }

    @Test func `a refusal below the floor is not remembered at all`() {
        var held = connected()
        held.receive(1, .low)
        held.receive(2, floor: 2)
        held.answer(1, .forbidden)
        #expect(held.inbox.refusalCount == 0)
        held.answer(2, .forbidden)
        #expect(held.inbox.refusalCount == 1)
    }

    @Test func `so many refusals are remembered as the limit says, the latest`() {
        var held = connected { $0.refusals = 3 }
        for id in 1...5 as ClosedRange<UInt64> {
            held.receive(id)
            held.answer(id, .forbidden)
            #expect(held.inbox.refusalCount == min(Int(id), 3))
        }
        held.connect(2)
        _ = held.take()
        held.receive(2, on: 2)
        held.receive(3, on: 2)
        #expect(held.take() == [.acknowledge(connection: 2, id: 2, nil), .acknowledge(connection: 2, id: 3, .forbidden)])
    }

    @Test func `so many messages are in hand as the limit says, and then lanes take turns`() {
        var held = Held { $0.inHand = 2 }
        let senders = (0..<3).map { Identity(high: 7, low: UInt64($0)) }
        for (index, sender) in senders.enumerated() {
            held.connect(UInt64(index), sender)
            held.receive(1, on: UInt64(index))
            held.receive(2, on: UInt64(index))
        }
        let next = { (held: inout Held) in held.take().compactMap { if case .handle(let message) = $0 { "\(message.sender.low).\(message.id)" } else { nil } } }
        #expect(next(&held) == ["0.1", "1.1"])
        held.answer(1, of: senders[0])
        #expect(next(&held) == ["2.1"])
        held.answer(1, of: senders[2])
        #expect(next(&held) == ["0.2"])
        held.answer(1, of: senders[1])
        #expect(next(&held) == ["2.2"])
        held.answer(2, of: senders[0])
        #expect(next(&held) == ["1.2"])
        #expect(held.inbox.inHand == 2)
    }

    @Test func `a lane in line whose messages are lost with their connection is passed over`() {
        var held = Held { $0.inHand = 1 }
        let other = Identity(high: 2, low: 2)
        held.connect(1)
        held.connect(2, other)
        held.receive(1, on: 2)
        held.receive(1)
        held.end(1)
        held.connect(3)
        held.receive(1, on: 3, again: true)
        #expect(held.handed() == [1])
        held.answer(1, of: other)
        #expect(held.handed() == [1])
        #expect(held.inbox.heldCount == 1)
    }

    @Test func `so many senders are remembered as the limit says, and the one that is away for longest is forgotten`() {
        var held = Held { $0.senders = 3 }
        let senders = (0..<5).map { Identity(high: 7, low: UInt64($0)) }
        func visit(_ index: Int, _ connection: UInt64) {
            held.now = held.now.advanced(by: .seconds(1))
            held.connect(connection, senders[index])
            held.receive(1, on: connection)
            held.answer(1, of: senders[index])
            held.end(connection)
        }
        for index in 0..<3 { visit(index, UInt64(index)) }
        visit(0, 10)
        #expect(held.handed() == [1, 1, 1])
        visit(3, 11)
        #expect(held.inbox.senderCount == 3)
        visit(0, 12)
        visit(2, 13)
        #expect(held.handed() == [1])
        visit(1, 14)
        #expect(held.handed() == [1])
    }

    @Test func `a sender with a connection or a message in hand is not forgotten`() {
        var held = Held { $0.senders = 1 }
        let (other, third) = (Identity(high: 2, low: 2), Identity(high: 3, low: 3))
        held.connect(1)
        held.receive(1)
        held.end(1)
        held.connect(2, other)
        held.receive(1, on: 2)
        held.connect(3, third)
        #expect(held.inbox.senderCount == 3)
        held.answer(1)
        held.connect(4)
        _ = held.take()
        held.receive(1, on: 4)
        #expect(held.take() == [.acknowledge(connection: 4, id: 1, nil)])
    }

    @Test func `a sender that was away for an hour of awake time is new`() {
        for (away, isNew) in [(Duration.seconds(3599), false), (.seconds(3600), true)] {
            var held = connected()
            held.receive(1)
            held.answer(1)
            held.end(1)
            held.now = Moment(awake: held.now.advanced(by: away).awake, continuous: 0)
            held.connect(2)
            _ = held.take()
            held.receive(1, on: 2, again: true)
            #expect(held.handed() == (isNew ? [1] : []))
        }
    }

    @Test func `a sender that is connected is not new, however long ago its last message is`() {
        var held = connected()
        held.receive(1)
        held.answer(1)
        held.now = held.now.advanced(by: .seconds(9000))
        held.connect(2)
        _ = held.take()
        held.receive(1, on: 2)
        #expect(held.handed() == [])
    }

    @Test func `of who has sent nothing nothing is kept`() {
        var held = Held()
        for index in 0..<100 as Range<UInt64> {
            held.connect(index, Identity(high: 0, low: index))
            held.end(index)
        }
        #expect(held.inbox.senderCount == 0)
        held.receive(1, on: 3)
        held.answer(1)
        #expect(held.take() == [])
    }

    @Test func `a sender that connects again and again makes the inbox hold no more than its connections may`() {
        var held = Held()
        var id: UInt64 = 0
        for connection in 1...200 as ClosedRange<UInt64> {
            held.connect(connection)
            for _ in 0..<10 {
                id += 1
                held.receive(id, on: connection, .normal, [1, 2, 3])
            }
            held.end(connection)
            #expect(held.inbox.heldCount == 1)
            #expect(held.inbox.heldBytes == 3)
        }
    }
}
