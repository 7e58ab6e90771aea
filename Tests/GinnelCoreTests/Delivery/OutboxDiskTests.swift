import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct OutboxDiskTests {
    private let full = Failure(.resourceExhausted, "the disk is full")

    @Test func `a durable message is sent and reported once it is on disk`() {
        var held = HeldOutbox.kept()
        held.diskIsSlow = true
        held.append(1, durable: true)
        held.append(2)
        held.outbox.connected()
        #expect(held.pump().isEmpty)
        #expect(held.kept == [])
        held.work()
        #expect(held.kept == [2])
        #expect(held.pump().isEmpty)
        held.work()
        #expect(held.kept.sorted() == [1, 2])
        #expect(held.pump().map(\.id) == [1, 2])
        #expect(held.stored.keys.sorted() == [1])
    }

    @Test func `one that is being stored holds up its lane and no other`() {
        var held = HeldOutbox.kept()
        held.append()
        held.outbox.connected()
        held.pump()
        held.diskIsSlow = true
        held.append(2, durable: true)
        held.append(3)
        held.append(4, .low)
        #expect(held.pump().map(\.id) == [4])
        held.work()
        #expect(held.pump().map(\.id) == [2, 3])
    }

    @Test func `a failed store ends that message alone`() {
        var held = HeldOutbox.kept()
        held.append()
        held.append(2, durable: true)
        held.diskFailure = full
        held.append(3, durable: true)
        held.diskFailure = nil
        held.append(4, durable: true)
        #expect(held.outcome(of: 3) == .failed(full))
        #expect(held.kept == [1, 2, 4])
        held.outbox.connected()
        #expect(held.pump().map(\.id) == [1, 2, 4])
        #expect(held.outbox.count == 3)
    }

    @Test func `ids that cannot be reserved are an error for those who need them`() {
        var held = HeldOutbox.kept()
        held.diskFailure = full
        held.append()
        held.append(2, durable: true)
        #expect(held.outcome(of: 1) == .failed(full))
        #expect(held.outcome(of: 2) == .failed(full))
        held.diskFailure = nil
        #expect(held.append() == .accepted(3))
        #expect(held.kept == [3])
        #expect(held.stored.isEmpty)
    }

    @Test func `what is acknowledged leaves the disk, all of a frame at once`() {
        var held = HeldOutbox.kept()
        for index in 0..<6 as Range<UInt8> { held.append(index, durable: index % 2 == 0) }
        held.outbox.connected()
        held.pump()
        held.diskIsSlow = true
        held.acknowledge(1, 2, 3, 4)
        #expect(held.waiting == [.remove([1, 3])])
        held.work()
        #expect(held.stored.keys.sorted() == [5])
    }

    @Test func `what comes back from the disk has its ids, its order and its sender, and may have been sent before`() {
        var held = HeldOutbox.kept()
        for index in 1...6 as ClosedRange<UInt8> { held.append(index, index % 2 == 0 ? .high : .normal, durable: index != 3) }
        held.outbox.connected()
        held.pump()
        held.acknowledge(2)
        var again = HeldOutbox(on: held.disk)
        #expect(again.outbox.sender == HeldOutbox.sender)
        #expect(again.outbox.byteCount == 4 * 130)
        again.outbox.connected()
        let sent = again.pump()
        #expect(sent.filter { $0.lane == .normal }.map(\.id) == [1, 5])
        #expect(sent.filter { $0.lane == .high }.map(\.id) == [4, 6])
        #expect(sent.allSatisfy { $0.redelivered && $0.floor == 1 && $0.payload == [UInt8($0.id)] })
    }

    /// A restart in every state of the disk: whatever was used before is not used again.
    @Test func `no id is used twice over restarts, also those that were never stored`() {
        var used: Set<UInt64> = []
        var held = HeldOutbox.kept()
        for round in 0..<6 {
            held.outbox.connected()
            for index in 0..<(round == 3 ? 10_000 : 7) {
                held.append(0, size: 0, durable: round == 1 && index % 2 == 0)
                for delivery in held.pump() where !delivery.redelivered {
                    #expect(used.insert(delivery.id).inserted, "round \(round)")
                    held.acknowledge(delivery.id)
                }
            }
            held = HeldOutbox(on: held.disk)
        }
        #expect(used.count == 10_035)
    }

    @Test func `an id above the mark on disk is not sent`() {
        var held = HeldOutbox.kept()
        held.append()
        held.outbox.connected()
        held.pump()
        let mark = held.reserved
        held.diskIsSlow = true
        for id in 2...mark + 10 {
            held.append(0, size: 0)
            held.acknowledge(id - 1)
            held.pump()
        }
        #expect(!held.kept.contains(mark + 1))
        held.acknowledge(mark)
        held.work()
        #expect(held.reserved > mark)
        #expect(held.kept.suffix(10) == Array(mark + 1...mark + 10))
        #expect(held.pump().map(\.id) == Array(mark + 1...mark + 10))
    }

    @Test func `nothing is stored under an id that is not reserved`() {
        var held = HeldOutbox.kept()
        held.diskIsSlow = true
        held.append(1, durable: true)
        #expect(held.waiting == [.reserve(through: 1 + Outbox.block)])
        held.work()
        #expect(held.waiting == [.store(OutboxEntry(id: 1, message: OutboxMessage(name: "m", payload: [1], isDurable: true)))])
        held.work()
        #expect(held.kept == [1])
    }

    /// The simulation found this: the receiver had forgotten a refusal that the sender's next start asked for.
    @Test func `the floor stays below what is acknowledged and still on disk`() {
        var held = HeldOutbox.kept()
        held.append(1, durable: true)
        held.append(2)
        held.append(3)
        held.outbox.connected()
        held.pump(2)
        held.diskIsSlow = true
        held.acknowledge(1, refusal: .forbidden)
        held.outbox.carryOn()
        #expect(held.pump().map(\.floor) == [1])
        held.work()
        held.acknowledge(2)
        held.append(4)
        #expect(held.pump().map(\.floor) == [3])
    }

    @Test func `a message that was given up holds up its lane until it has left the disk`() {
        var limits = OutboxLimits()
        limits.messages = 2
        limits.overflow = .dropOldest
        var held = HeldOutbox.kept(limits: limits)
        held.append(1, durable: true)
        held.append(2)
        held.diskIsSlow = true
        held.append(3, .high)
        #expect(held.outcome(of: 1) == .dropped)
        held.outbox.connected()
        #expect(held.pump().map(\.id) == [3])
        held.work()
        #expect(held.pump().map(\.id) == [2])
    }

    @Test(arguments: [false, true])
    func `the disk may answer in any order`(reversed: Bool) {
        var held = HeldOutbox.kept()
        held.append(0)
        held.outbox.connected()
        held.pump()
        held.acknowledge(1)
        held.diskIsSlow = true
        for index in 1...5 as ClosedRange<UInt8> { held.append(index, durable: true) }
        held.work(reversed: reversed)
        #expect(held.kept.sorted() == [1, 2, 3, 4, 5, 6])
        #expect(held.pump().map(\.id) == [2, 3, 4, 5, 6])
    }

    @Test func `more may come back than the limit allows; nothing is lost and nothing is added`() {
        var held = HeldOutbox.kept()
        for _ in 0..<5 { held.append(durable: true) }
        var limits = OutboxLimits()
        limits.messages = 3
        held = HeldOutbox(on: held.disk, limits: limits)
        #expect(held.outbox.count == 5)
        #expect(held.append() == .wait)
        held.outbox.connected()
        held.pump()
        held.acknowledge(1, 2, 3)
        let mark = held.reserved
        #expect(held.append() == .accepted(mark + 1))
    }

    @Test func `one that is on its way to the disk is not given up for a newer one`() {
        var limits = OutboxLimits()
        limits.messages = 2
        limits.overflow = .dropOldest
        var held = HeldOutbox.kept(limits: limits)
        held.diskIsSlow = true
        held.append(1, durable: true)
        held.append(2, durable: true)
        #expect(held.append().failure?.code == .resourceExhausted)
        held.work()
        held.work()
        #expect(held.append() == .accepted(3))
        #expect(held.outcome(of: 1) == .dropped)
        held.work()
        #expect(held.stored.keys.sorted() == [2])
    }
}
