import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeEventTests {
    private func event(_ byte: UInt8, size: Int = 1, lane: Lane = .normal) -> Command {
        .event(name: "e", codec: .raw, payload: [UInt8](repeating: byte, count: size), lane: lane)
    }

    /// First byte and `missed` of each event that `pair`'s client has been given.
    private func arrived(_ pair: MachinePair) -> [[UInt32]] {
        pair.client.actions.compactMap { if case .event(_, _, let payload, let missed) = $0 { [UInt32(payload[0]), missed] } else { nil } }
    }

    /// A pair whose service keeps events of `bytes` in all; an event of one byte takes eight.
    private func pair(keeping bytes: Int, _ overflow: EventOverflow = .dropOldest) -> MachinePair {
        .connected(service: {
            $0.limits.eventBytes = bytes
            $0.limits.eventOverflow = overflow
        })
    }

    @Test(arguments: [Role.client, .service])
    func `an event reaches the other side with name, codec and payload`(side: Role) {
        var pair = MachinePair.connected()
        pair[side].submit(.event(name: "recording.stopped", codec: .json, payload: [1, 2], lane: .low))
        pair.settle()
        #expect(pair[side.other].actions == [.event(name: "recording.stopped", codec: .json, payload: [1, 2], missed: 0)])
    }

    @Test func `events of one lane keep their order`() {
        var pair = pair(keeping: 2 << 20)
        for byte in 0..<100 as Range<UInt8> { pair.service.submit(event(byte, size: byte % 7 == 0 ? 70_000 : 10)) }
        pair.settle()
        #expect(arrived(pair).map { $0[0] } == Array(0..<100))
    }

    @Test func `an event's name may have one to 255 bytes`() {
        var pair = MachinePair.connected()
        let name = String(repeating: "n", count: 255)
        #expect(pair.service.submit(.event(name: "", codec: .raw, payload: [], lane: .normal)) == .ended)
        #expect(pair.service.submit(.event(name: name + "n", codec: .raw, payload: [], lane: .normal)) == .ended)
        pair.service.submit(.event(name: name, codec: .raw, payload: [], lane: .normal))
        pair.settle()
        #expect(pair.client.actions == [.event(name: name, codec: .raw, payload: [], missed: 0)])
    }

    @Test func `the longest event is the peer's maximum message`() {
        var pair = MachinePair.connected(client: { $0.limits.announced.maximumMessage = 2000 })
        #expect(pair.service.submit(event(1, size: 1994)) == .tooLarge(limit: 2000))
        pair.service.submit(event(1, size: 1993))
        pair.settle()
        #expect(arrived(pair) == [[1, 0]])
    }

    @Test func `events before the handshake and after the end are not taken`() {
        var service = MachineEnd(.service, configuration())
        service.start()
        #expect(service.submit(event(1)) == .ended)
        service.inputEnded()
        #expect(service.submit(event(1)) == .ended)
    }

    @Test func `as many bytes of events wait as the limit says, then the oldest are dropped`() {
        var pair = pair(keeping: 80)
        for byte in 0..<10 as Range<UInt8> { pair.service.submit(event(byte)) }
        pair.settle()
        #expect(arrived(pair) == (0..<10).map { [$0, 0] })

        pair = self.pair(keeping: 80)
        for byte in 0..<13 as Range<UInt8> { pair.service.submit(event(byte)) }
        pair.settle()
        #expect(arrived(pair) == [[3, 3]] + (4..<13).map { [$0, 0] })
        pair.service.submit(event(99))
        pair.settle()
        #expect(arrived(pair).last == [99, 0])
        #expect(pair.service.leftovers == [])
    }

    @Test func `an event that has begun to leave is not dropped, and those dropped behind it are counted in the next`() {
        var pair = pair(keeping: 200_000)
        pair.service.submit(event(1, size: 190_000))
        pair.service.submit(event(2, size: 1000))
        pair.service.produce(goal: 1)
        for byte in 3..<6 as Range<UInt8> { pair.service.submit(event(byte, size: 9000)) }
        pair.service.produce(goal: 1)
        pair.service.submit(event(6, size: 9000))
        pair.settle()
        #expect(arrived(pair) == [[1, 0], [6, 4]])
        #expect(pair.client.closed == nil)
        #expect(pair.service.leftovers == [])
    }

    @Test func `an event larger than all that may wait is missed by the next`() {
        var pair = pair(keeping: 100)
        pair.service.submit(event(1, size: 200))
        pair.service.submit(event(2))
        pair.settle()
        #expect(arrived(pair) == [[2, 1]])
    }

    @Test func `events of a lower lane give way first`() {
        var pair = pair(keeping: 80)
        for byte in 0..<10 as Range<UInt8> { pair.service.submit(event(byte, lane: .low)) }
        for byte in 20..<23 as Range<UInt8> { pair.service.submit(event(byte, lane: .high)) }
        pair.service.submit(event(10, lane: .low))
        pair.settle()
        #expect(arrived(pair) == [[20, 0], [21, 0], [22, 0], [4, 4]] + (5..<11).map { [$0, 0] })
    }

    @Test func `an event that does not fit under those of higher lanes is itself dropped`() {
        var pair = pair(keeping: 80)
        for byte in 0..<10 as Range<UInt8> { pair.service.submit(event(byte, lane: .high)) }
        pair.service.submit(event(20, lane: .low))
        pair.settle()
        pair.service.submit(event(21, lane: .low))
        pair.settle()
        #expect(arrived(pair) == (0..<10).map { [$0, 0] } + [[21, 1]])
    }

    @Test func `a slow reader of events is closed when that was chosen`() {
        var pair = pair(keeping: 80, .close)
        for byte in 0..<10 as Range<UInt8> { pair.service.submit(event(byte)) }
        #expect(pair.service.closed == nil)
        pair.service.submit(event(10))
        #expect(pair.service.closed?.failure.code == .slowReader)
        pair.settle()
        #expect(pair.client.closed?.by == .peer)
        #expect(pair.client.closed?.failure.code == .slowReader)
        #expect(pair.client.actions.count == 1)
    }

    @Test func `of a flood behind an event that is half sent each one is delivered or counted`() {
        var pair = pair(keeping: 1 << 18)
        pair.service.submit(event(1, size: 100_000))
        pair.service.produce(goal: 1)
        for _ in 0..<20_000 { pair.service.submit(event(2, size: 10)) }
        pair.settle()
        #expect(arrived(pair).count > 5000)
        #expect(arrived(pair).reduce(0) { $0 + $1[1] + 1 } == 20_001)
    }

    @Test(
        arguments: [
            [], [0, 0, 0, 0, 1], WireFrame.u32(0) + WireFrame.u16(0), WireFrame.u32(0) + WireFrame.u16(2) + [65], WireFrame.u32(0) + WireFrame.u16(256) + pattern(300),
            WireFrame.u32(0) + WireFrame.u16(2) + [0xC3, 0x28],
        ] as [[UInt8]])
    func `an event whose head lies is a violation`(body: [UInt8]) {
        var service = MachineEnd.openService()
        service.receive(WireFrame(WireFrame.Kind.event, lane: 2, body))
        expectRefusal(&service, .protocolViolation)
    }
}
