import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeLaneTests {
    /// A client whose peer lets it send as much as it likes.
    private func client() -> MachineEnd {
        let most = UInt32(Int32.max)
        return MachineEnd.openClient(welcome: HandGreeting.welcome.with(5, most).with(6, most).with(7, most)) { $0.limits.bufferedBytes = 1 << 30 }
    }

    /// The next frames, one at a time, until `bytes` of payload have come.
    private func take(_ end: inout MachineEnd, bytes: Int) -> [WireFrame] {
        var frames: [WireFrame] = []
        var count = 0
        while count < bytes, end.session.machine.hasOutput {
            end.produce(goal: 1)
            let next = WireFrame.all(in: end.takeSent())
            frames += next
            count += next.reduce(0) { $0 + 16 + $1.payload.count }
        }
        return frames
    }

    private func share(of lane: Lane, in frames: [WireFrame]) -> Double {
        let bytes = frames.filter { $0.lane == lane.rawValue }.reduce(0) { $0 + 16 + $1.payload.count }
        return Double(bytes) / Double(frames.reduce(0) { $0 + 16 + $1.payload.count })
    }

    @Test func `what waits is counted by lane until it has left or is wanted no more`() {
        var client = client()
        var depths: LaneDepths { client.session.machine.laneDepths ?? LaneDepths() }
        #expect(depths == LaneDepths())
        let produced = client.session.machine.messagesProduced
        client.call("m", pattern(1000), lane: .high)
        let long = client.call("n", pattern(200_000), lane: .low)
        client.submit(.event(name: "e", codec: .raw, payload: pattern(10), lane: .low))
        client.submit(.ping(1))
        #expect(depths.high.messages == 1 && depths.high.bytes > 1000 && depths.high.bytes < 1100)
        #expect(depths.low.messages == 2 && depths.low.bytes > 200_010)
        #expect(depths.normal == LaneDepths.Depth() && depths.controlBytes == 24)
        #expect(depths.high.bytes + depths.low.bytes + depths.controlBytes == client.session.machine.outputBytes)
        // The ping, the call of the high lane, and of the low lane a chunk or the event.
        for _ in 0..<3 { client.produce(goal: client.sent.count + 1) }
        #expect(depths.controlBytes == 0 && depths.high == LaneDepths.Depth() && depths.low.messages >= 1)
        client.submit(.abandon(long, Failure(.cancelled, "")))
        _ = client.frames()
        #expect(depths == LaneDepths())
        #expect(client.session.machine.messagesProduced == produced + 2)
    }

    @Test func `control frames overtake everything that waits`() {
        var client = client()
        client.call("m", pattern(1 << 19), lane: .high)
        let second = client.call("n", pattern(1 << 19), lane: .high)
        #expect(take(&client, bytes: 1).count == 1)
        client.receive(.ping(5))
        client.submit(.ping(6))
        client.submit(.abandon(second, Failure(.cancelled, "")))
        client.produce(goal: 48)
        #expect(WireFrame.all(in: client.sent).map(\.kind) == [WireFrame.Kind.pong, WireFrame.Kind.ping])
        _ = client.takeSent()
        client.submit(.farewell(Failure(.finished, "")))
        client.produce(goal: 1)
        #expect(WireFrame.all(in: client.sent).map(\.kind) == [WireFrame.Kind.goodbye])
    }

    @Test func `a cancel overtakes the rest of its request`() {
        var client = client()
        let call = client.call("m", pattern(1 << 19))
        _ = take(&client, bytes: 1)
        client.submit(.abandon(call, Failure(.cancelled, "")))
        #expect(client.frames().map(\.kind) == [WireFrame.Kind.cancel])
    }

    @Test(arguments: [300, 3000, 65_000, 200_000])
    func `lanes share by eight to four to one, in bytes`(size: Int) {
        var client = client()
        for lane in [Lane.low, .normal, .high] {
            for _ in 0..<max(20, 3_000_000 / size) { client.call("m", pattern(size), lane: lane) }
        }
        let frames = take(&client, bytes: 2_000_000)
        #expect(abs(share(of: .high, in: frames) - 8.0 / 13) < 0.05)
        #expect(abs(share(of: .normal, in: frames) - 4.0 / 13) < 0.05)
        #expect(abs(share(of: .low, in: frames) - 1.0 / 13) < 0.05)
    }

    @Test func `the weights hold for lanes with messages of different sizes`() {
        var client = client()
        for _ in 0..<6000 { client.call("m", pattern(200), lane: .low) }
        for _ in 0..<8 { client.call("m", pattern(900_000), lane: .normal) }
        let frames = take(&client, bytes: 4_000_000)
        #expect(abs(share(of: .normal, in: frames) - 0.8) < 0.05)
    }

    @Test func `a lane that was alone owes nothing to those that come later`() {
        var client = client()
        for _ in 0..<10 { client.call("m", pattern(900_000), lane: .normal) }
        _ = take(&client, bytes: 4_000_000)
        for _ in 0..<5 { client.call("m", pattern(900_000), lane: .low) }
        let frames = take(&client, bytes: 4_000_000)
        #expect(abs(share(of: .normal, in: frames) - 0.8) < 0.05)
    }

    @Test func `no lane waits for ever`() {
        var client = client()
        for _ in 0..<3 { client.call("m", pattern(900_000), lane: .high) }
        client.call("last", lane: .low)
        #expect(take(&client, bytes: 400_000).contains { $0.lane == Lane.low.rawValue })
    }

    @Test func `a short message waits for no more than one chunk of each long one`() {
        var client = client()
        for _ in 0..<3 { client.call("long", pattern(1_000_000)) }
        _ = take(&client, bytes: 300_000)
        let short = client.call("short")
        let frames = take(&client, bytes: 4 * 65_552)
        let place = frames.firstIndex { $0.stream == short.callNumber }
        #expect((place ?? .max) <= 3)
    }

    @Test func `long messages of one lane take turns`() {
        var client = client()
        for _ in 0..<3 { client.call("long", pattern(500_000)) }
        let frames = take(&client, bytes: 6 * 65_552)
        #expect(frames.map(\.stream) == [1, 3, 5, 1, 3, 5])
    }

    @Test func `messages of one stream keep their order, whatever their size`() {
        var client = client()
        let calls = (0..<3).map { client.call("m\($0)", pattern($0 * 70_000), itemsFollow: true) }
        let sizes = [10, 150_000, 20, 30, 70_000, 200_000, 0]
        for size in sizes { for call in calls { client.submit(.sendItem(call, codec: .raw, payload: pattern(size, seed: UInt64(size)))) } }
        for call in calls { client.submit(.sendItem(call, codec: .raw, payload: nil)) }

        var service = MachineEnd.openService { $0.limits.announced.itemWindow = 1 << 30 }
        while client.session.machine.hasOutput {
            client.produce(goal: 1)
            service.receive(client.takeSent())
        }
        #expect(service.closed == nil)
        for call in calls {
            let items = service.actions.compactMap { action -> [UInt8]?? in
                if case .item(let number, _, let payload) = action, number == call.callNumber { .some(payload) } else { nil }
            }
            #expect(items == sizes.map { pattern($0, seed: UInt64($0)) } + [nil])
        }
    }

    @Test func `a reply keeps behind the items of its stream`() {
        var service = MachineEnd.openService()
        service.receive(.request(1))
        service.submit(.item(call: 1, codec: .raw, payload: pattern(100_000)))
        service.submit(.item(call: 1, codec: .raw, payload: [1]))
        service.submit(.reply(call: 1, codec: .raw, payload: [2]))
        let frames = service.frames()
        #expect(frames.map(\.kind) == [9, 9, 9, 5])
        #expect(frames.map(\.payload.count) == [65_536, 100_000 + 4 - 65_536, 1, 1])
    }

    @Test func `events and messages of one lane take turns`() {
        var client = client()
        for index in 0..<4 { client.call("m\(index)") }
        for _ in 0..<4 { client.submit(.event(name: "e", codec: .raw, payload: [], lane: .normal)) }
        #expect(client.frames().map(\.kind) == [4, 7, 4, 7, 4, 7, 4, 7])
    }
}
