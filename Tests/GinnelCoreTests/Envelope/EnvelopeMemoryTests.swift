// What is remembered of messages that came, of their answers, and for whom.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeMemoryTests {
    private func id(_ number: Int) -> Identity { Identity(high: 1, low: UInt64(number)) }

    @Test func `what was answered is remembered for 4,096 messages`() {
        var memory = EnvelopeMemory()
        #expect(memory.took(id(0)) == .new)
        for number in 1...4097 {
            #expect(memory.took(id(number)) == .new)
            memory.answered(id(number), number == 4097 ? .failed("no") : .acknowledged)
        }
        #expect(memory.finding(id(1)) == .new)
        #expect(memory.took(id(2)) == .answered(.acknowledged))
        #expect(memory.took(id(4097)) == .answered(.failed("no")))
        #expect(memory.took(id(0)) == .inHand && memory.inHand == 1)
        memory.answered(id(9999), .acknowledged)
        #expect(memory.finding(id(9999)) == .new)
    }

    @Test func `of answers the latest 4 MiB are remembered whole, and of the others whether they said no`() {
        var memory = EnvelopeMemory()
        let text = EnvelopeMemory.Answer.message([UInt8](repeating: 1, count: 1 << 20))
        let no = EnvelopeMemory.Answer.failed(String(repeating: "n", count: 4096))
        let answers = [no, .acknowledged, text, text, text, text]
        for (number, answer) in answers.enumerated() {
            _ = memory.took(id(number))
            memory.answered(id(number), answer)
        }
        #expect(memory.finding(id(0)) == .answered(no.inBrief) && no.inBrief.cost < 64)
        for number in 1..<6 { #expect(memory.finding(id(number)) == .answered(answers[number])) }
        _ = memory.took(id(6))
        memory.answered(id(6), .message([1]))
        #expect(memory.finding(id(2)) == .answered(.acknowledged))
        #expect(memory.finding(id(3)) == .answered(text))
        // What is forgotten altogether makes room.
        for number in 7..<4200 {
            _ = memory.took(id(number))
            memory.answered(id(number), .message([2]))
        }
        for number in 4200..<4204 {
            _ = memory.took(id(number))
            memory.answered(id(number), number == 4203 ? .message([UInt8](repeating: 3, count: (1 << 20) - 4092)) : text)
        }
        #expect(memory.finding(id(4199)) == .answered(.message([2])))
        #expect((4200..<4203).allSatisfy { memory.finding(id($0)) == .answered(text) })
    }

    @Test func `each user has a memory of its own, and of very many users the one is forgotten that was away for longest`() {
        var memories = EnvelopeMemories()
        func owner(_ number: Int) -> OutputOwner { OutputOwner(PeerIdentity(user: UInt32(number))) }
        func took(_ number: Int) -> EnvelopeMemory.Finding { memories.with(owner(number)) { $0.took(id(1)) } }
        func finding(_ number: Int) -> EnvelopeMemory.Finding { memories.with(owner(number)) { $0.finding(id(1)) } }
        for number in 0..<EnvelopeMemories.users { #expect(took(number) == .new) }
        for number in 1..<EnvelopeMemories.users where number != 2 { memories.with(owner(number)) { $0.answered(id(1), .acknowledged) } }
        #expect(finding(1) == .answered(.acknowledged))
        #expect(memories.count == EnvelopeMemories.users)
        // Of the first and the third something is in hand, and the second was just asked.
        #expect(took(1000) == .new)
        #expect(memories.count == EnvelopeMemories.users)
        #expect([0, 2].map { finding($0) } == [.inHand, .inHand])
        #expect(finding(1) == .answered(.acknowledged))
        #expect(finding(3) == .new)
    }

    // MARK: In a session

    private let question = #"{"id":"\#(guid(1))","type":"AGENT_STARTED"}"#
    private func answer(_ own: UInt64) -> String {
        #"{"id":"\#(ours(own))","type":"STATUS_UPDATE","timestamp":"2024-01-01T12:00:00Z","payload":{"totalUsers":2}}"#
    }

    @Test func `a message that comes again is answered with the message that answered it first, under its id`() {
        var service = MachineEnd.envelope(.service)
        service.hear(question, question)
        service.answer(envelope: 1, #"{"type":"STATUS_UPDATE","payload":{"totalUsers":2}}"#)
        #expect(service.texts() == [answer(1)])
        service.pass(.milliseconds(100))
        #expect(service.texts() == [answer(1)])
        service.hear(question)
        #expect(service.texts() == [answer(1)])
        #expect(service.requests.count == 1)
        #expect(service.envelopeLeftovers == nil)
    }

    @Test func `an answer that was made when its connection was gone is given on the next one`() {
        let shared = SharedMemory()
        var first = MachineEnd.envelope(.service) { $0.memory = shared }
        first.hear(question)
        first.inputEnded()
        first.answer(envelope: 1, #"{"type":"STATUS_UPDATE","payload":{"totalUsers":2}}"#)
        #expect(first.texts() == [])
        var second = MachineEnd.envelope(.service) { $0.memory = shared }
        second.hear(question)
        #expect(second.requests.isEmpty)
        #expect(second.texts() == [answer(1)])
    }

    @Test func `of a great many repeated messages no more than a thousand are looked at in a second`() {
        let shared = CountingMemory()
        var service = MachineEnd.envelope(.service) { $0.memory = shared }
        service.hear(question)
        for _ in 0..<1000 { service.hear(question) }
        shared.looks = 0
        for _ in 0..<100 { service.pass(.milliseconds(100)) }
        #expect((5000...11_000).contains(shared.looks))
        service.answer(envelope: 1)
        service.pass(.seconds(2))
        #expect(service.texts().count == 1001)
        #expect(service.envelopeLeftovers == nil)
    }
}

/// Counts how often it is asked what has become of a message.
private final class CountingMemory: EnvelopeRecall, @unchecked Sendable {  // protected by being used from one thread only
    private var memory = EnvelopeMemory()
    var looks = 0

    func took(_ id: Identity) -> EnvelopeMemory.Finding { memory.took(id) }
    func answered(_ id: Identity, _ answer: EnvelopeMemory.Answer) { memory.answered(id, answer) }
    func forgot(_ id: Identity) { memory.forgot(id) }
    func finding(_ id: Identity) -> EnvelopeMemory.Finding {
        looks += 1
        return memory.finding(id)
    }
}
