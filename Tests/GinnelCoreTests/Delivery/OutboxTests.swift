import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct OutboxTests {
    private let noWaiting = OutboxOverflow.refuse

    private func limits(_ messages: Int = 10_000, bytes: Int = 64 << 20, _ overflow: OutboxOverflow = .wait) -> OutboxLimits {
        var limits = OutboxLimits()
        limits.messages = messages
        limits.bytes = bytes
        limits.overflow = overflow
        return limits
    }

    // MARK: Order

    @Test func `ids count from one, and nothing is sent without a connection`() {
        var held = HeldOutbox()
        #expect((0..<3).map { _ in held.append() } == [.accepted(1), .accepted(2), .accepted(3)])
        #expect(held.kept == [1, 2, 3])
        #expect(held.pump().isEmpty)
        held.outbox.connected()
        #expect(held.pump().map(\.id) == [1, 2, 3])
        #expect(held.pump().isEmpty)
        held.append()
        #expect(held.pump().map(\.id) == [4])
    }

    @Test func `a message is sent with the floor, and redelivered is said of what another connection has carried`() {
        var held = HeldOutbox()
        for byte in 0..<4 as Range<UInt8> { held.append(byte) }
        held.outbox.connected()
        #expect(held.pump(3).map(\.redelivered) == [false, false, false])
        held.acknowledge(1)
        held.reconnect()
        let again = held.pump()
        #expect(again.map(\.id) == [2, 3, 4])
        #expect(again.map(\.floor) == [2, 2, 2])
        #expect(again.map(\.redelivered) == [true, true, false])
        #expect(again.map(\.payload) == [[1], [2], [3]])
    }

    @Test func `what a session did not take was not sent`() {
        var held = HeldOutbox()
        held.append()
        held.outbox.connected()
        #expect(held.pump(0).isEmpty)
        #expect(held.outbox.next() == nil)
        held.outbox.carryOn()
        #expect(held.pump(0, then: .ended).isEmpty)
        held.reconnect()
        #expect(held.pump().map(\.redelivered) == [false])
    }

    @Test(arguments: permutations(of: [1, 2, 3, 4] as [UInt64]), 0...4)
    func `whatever is acknowledged before a loss, the rest goes out again in order`(order: [UInt64], before: Int) {
        var held = HeldOutbox()
        for lane in [Lane.normal, .high, .normal, .high] { held.append(0, lane) }
        held.outbox.connected()
        #expect(held.pump().count == 4)
        for id in order.prefix(before) { held.acknowledge(id) }
        held.reconnect()
        let left = Set(order.dropFirst(before))
        let again = held.pump()
        #expect(Set(again.map(\.id)) == left)
        #expect(again.allSatisfy { $0.floor == left.min() && $0.redelivered })
        for lane in [Lane.normal, .high] {
            let ids = again.filter { $0.lane == lane }.map(\.id)
            #expect(ids == ids.sorted())
        }
        for id in order.dropFirst(before) { held.acknowledge(id) }
        #expect(held.outbox.isEmpty && held.outbox.byteCount == 0)
        #expect(held.finished == order)
    }

    @Test func `new messages of a lane stay behind those that are sent again`() {
        var held = HeldOutbox()
        held.append()
        held.append()
        held.outbox.connected()
        held.pump(1)
        held.outbox.connectionLost()
        held.append()
        held.outbox.connected()
        held.append()
        #expect(held.pump().map(\.id) == [1, 2, 3, 4])
    }

    @Test func `lanes share by weight, and a message that finds no room is not overtaken for ever`() {
        var held = HeldOutbox()
        for _ in 0..<200 { for lane in [Lane.low, .normal, .high] { held.append(0, lane, size: 4096) } }
        held.outbox.connected()
        let first = held.pump(130).map(\.lane)
        let share = { (lane: Lane) in first.count { $0 == lane } }
        #expect((70...90).contains(share(.high)))
        #expect((30...50).contains(share(.normal)))
        #expect((5...20).contains(share(.low)))
    }

    @Test func `one answer is owed at a time`() {
        var held = HeldOutbox()
        held.append()
        held.append()
        held.outbox.connected()
        let first = held.outbox.next()
        #expect(first?.id == 1)
        #expect(held.outbox.next() == nil)
        held.answer(2, .taken(mayCarryOn: true))
        #expect(held.outbox.next() == nil)
        held.answer(1, .taken(mayCarryOn: true))
        #expect(held.outbox.next()?.id == 2)
    }

    enum Race: CaseIterable { case answer, acknowledge, lose }

    @Test(arguments: permutations(of: Race.allCases))
    func `an answer of the session, an acknowledgement and a loss may come in any order`(order: [Race]) {
        var held = HeldOutbox()
        held.append()
        held.append()
        held.outbox.connected()
        _ = held.outbox.next()
        for race in order {
            switch race {
            case .answer: held.answer(1, .taken(mayCarryOn: true), on: 1)
            case .acknowledge: held.acknowledge(1)
            case .lose: held.reconnect()
            }
        }
        #expect(held.outcome(of: 1) == .taken)
        let rest = held.pump()
        #expect(rest.map(\.id) == [2])
        #expect(rest.map(\.redelivered) == [false])
    }

    @Test(arguments: [Acceptance.taken(mayCarryOn: true), .noCredit, .ended])
    func `what a session says late is not taken for the answer of the next one`(late: Acceptance) {
        var held = HeldOutbox()
        held.append()
        held.append()
        held.outbox.connected()
        #expect(held.outbox.next()?.id == 1)
        held.reconnect()
        #expect(held.outbox.next()?.id == 1)
        held.answer(1, late, on: 1)
        #expect(held.outbox.next() == nil)
        held.answer(1, .taken(mayCarryOn: true))
        #expect(held.pump().map(\.id) == [2])
    }

    @Test func `room that comes while the session is asked is not overlooked`() {
        var held = HeldOutbox()
        held.append()
        held.outbox.connected()
        _ = held.outbox.next()
        held.outbox.carryOn()
        held.answer(1, .noCredit)
        #expect(held.outbox.next()?.id == 1)
        held.answer(1, .noCredit)
        #expect(held.outbox.next() == nil)
        held.outbox.carryOn()
        #expect(held.outbox.next()?.id == 1)
    }

    @Test func `an acknowledgement of an earlier connection counts, one of what was never sent does not`() {
        var held = HeldOutbox()
        held.append()
        held.append()
        held.acknowledge(1)
        #expect(held.outbox.count == 2)
        held.outbox.connected()
        held.pump(1)
        held.reconnect()
        held.acknowledge(1)
        held.acknowledge(1)
        held.acknowledge(99)
        #expect(held.outcome(of: 1) == .taken)
        #expect(held.pump().map(\.id) == [2])
        held.acknowledge(2, refusal: .forbidden)
        #expect(held.outcome(of: 2) == .refused(.forbidden))
    }

    @Test func `a message that no peer takes fails, and those behind it go on`() {
        var held = HeldOutbox()
        held.append(0, size: 100)
        held.append()
        held.outbox.connected()
        _ = held.outbox.next()
        held.answer(1, .tooLarge(limit: 50))
        guard case .failed(let failure)? = held.outcome(of: 1) else {
            Issue.record("\(held.steps)")
            return
        }
        #expect(failure.code == .tooLarge)
        #expect(held.pump().map(\.id) == [2])
    }

    // MARK: Limits

    @Test func `as many messages are kept as the limit says`() {
        for overflow in [OutboxOverflow.wait, .refuse] {
            var held = HeldOutbox(limits: limits(3, overflow))
            for _ in 0..<3 { held.append() }
            let fourth = held.append()
            #expect(held.outbox.count == 3)
            if overflow == .wait { #expect(fourth == .wait) } else { #expect(fourth.failure?.code == .resourceExhausted) }
            #expect(!held.steps.contains(.roomAgain))
            held.outbox.connected()
            held.pump()
            held.acknowledge(2)
            #expect(held.steps.contains(.roomAgain) == (overflow == .wait))
            #expect(held.append() == .accepted(4))
        }
    }

    @Test func `as many bytes are kept as the limit says`() {
        var held = HeldOutbox(limits: limits(bytes: 1000, .refuse))
        #expect(held.append(size: 872).failure?.code == .tooLarge)
        #expect(held.append(size: 871 - 130) == .accepted(1))
        #expect(held.append(size: 2).failure?.code == .resourceExhausted)
        #expect(held.append(size: 1) == .accepted(2))
        #expect(held.outbox.byteCount == 1000)
    }

    @Test func `room is reported once to those who wait, and again when they wait again`() {
        var held = HeldOutbox(limits: limits(2))
        for _ in 0..<2 { held.append() }
        held.outbox.connected()
        held.pump()
        #expect(held.append() == .wait)
        held.acknowledge(1, 2)
        #expect(held.steps.count { $0 == .roomAgain } == 1)
        held.append()
        held.pump()
        held.acknowledge(3)
        #expect(held.steps.count { $0 == .roomAgain } == 1)
    }

    @Test func `the oldest give way, but none that is on its way`() {
        var held = HeldOutbox(limits: limits(4, .dropOldest))
        for lane in [Lane.low, .high, .normal, .low] { held.append(0, lane) }
        held.outbox.connected()
        #expect(held.pump(1).map(\.id) == [2])
        held.append()
        #expect(held.outcome(of: 1) == .dropped)
        held.outbox.carryOn()
        _ = held.outbox.next()
        held.append()
        #expect(held.finished == [1, 4])
        held.append()
        #expect(held.finished == [1, 4, 5])
        #expect(held.outbox.count == 4)
        held.answer(3, .taken(mayCarryOn: true))
        #expect(held.pump().map(\.id) == [6, 7])
        #expect(held.append().failure?.code == .resourceExhausted)
        held.outbox.connectionLost()
        #expect(held.append() == .accepted(8))
        #expect(held.outcome(of: 2) == .dropped)
    }

    @Test func `a message that cannot be is refused`() {
        var held = HeldOutbox()
        var steps: [Outbox.Step] = []
        for (name, lane) in [("", Lane.normal), (String(repeating: "n", count: 256), .normal), ("m", .control)] {
            #expect(held.outbox.append(OutboxMessage(name: name, lane: lane), &steps).failure?.code == .invalidRequest)
        }
        #expect(held.append(durable: true).failure?.code == .invalidRequest)
        #expect(held.append() == .accepted(1))
    }

    @Test func `ids behind one that stays do not gather`() {
        var held = HeldOutbox()
        held.append(0, .low)
        held.outbox.connected()
        held.pump()
        for id in 2...5000 as ClosedRange<UInt64> {
            held.append()
            #expect(held.pump().map(\.floor) == [1])
            held.acknowledge(id)
        }
        #expect(held.outbox.idsKept < 200)
    }
}

extension Outbox.Appended {
    var failure: Failure? { if case .refused(let failure) = self { failure } else { nil } }
}
