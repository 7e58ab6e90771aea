import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeStreamTests {
    /// A client's call with items, arrived at the service.
    private func stream(client: Change = { _ in }, service: Change = { _ in }) -> (MachinePair, RecordedCall) {
        var pair = MachinePair.connected(client: client, service: service)
        let call = pair.client.call("exchange", itemsFollow: true)
        pair.settle()
        pair.client.takeActions()
        pair.service.takeActions()
        return (pair, call)
    }

    private let more = Acceptance.taken(mayCarryOn: true)

    @Test func `items go both ways in order until each side ends`() {
        var (pair, call) = stream()
        #expect(call.permissions == 1)
        for byte in 0..<3 as Range<UInt8> {
            #expect(pair.client.submit(.sendItem(call, codec: .json, payload: [byte])) == more)
            #expect(pair.service.submit(.item(call: 1, codec: .protobuf, payload: [byte, byte])) == more)
        }
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: nil)) == .taken(mayCarryOn: false))
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: [9])) == .ended)
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: nil)) == .ended)
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [8]))
        #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: [9])) == .ended)
        pair.flush(.client)
        #expect(pair.service.actions == [])
        pair.settle()
        #expect(pair.client.actions == (0..<3).map { .streamed("exchange", codec: .protobuf, payload: [$0, $0]) } + [.replied("exchange", codec: .raw, payload: [8])])
        #expect(call.items == [[0, 0], [1, 1], [2, 2]])
        #expect(call.reply == [8])
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
    }

    @Test func `the callee reads the items and their end`() {
        var (pair, call) = stream()
        for byte in 0..<3 as Range<UInt8> { pair.client.submit(.sendItem(call, codec: .json, payload: [byte])) }
        pair.client.submit(.sendItem(call, codec: .json, payload: []))
        pair.client.submit(.sendItem(call, codec: .raw, payload: nil))
        pair.settle()
        let items = (0..<3).map { RecordedAction.item(call: 1, codec: .json, payload: [$0]) }
        #expect(pair.service.actions == items + [.item(call: 1, codec: .json, payload: []), .item(call: 1, codec: .raw, payload: nil)])
    }

    @Test func `a call that waits to begin takes no items yet and says when`() {
        var pair = MachinePair.connected(service: { $0.limits.announced.callsInFlight = 1 })
        pair.client.call("first")
        let second = pair.client.call("second", itemsFollow: true)
        #expect(pair.client.submit(.sendItem(second, codec: .raw, payload: [1])) == .noCredit)
        #expect(pair.client.submit(.sendItem(second, codec: .raw, payload: nil)) == .noCredit)
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .raw, payload: []))
        pair.settle()
        #expect(second.permissions == 1)
        #expect(pair.client.submit(.sendItem(second, codec: .raw, payload: [1])) == more)
        let plain = pair.client.call("plain")
        #expect(pair.client.submit(.sendItem(plain, codec: .raw, payload: [1])) == .ended)
    }

    @Test func `items leave while the balance is above zero and may overdraw it once`() {
        var (pair, call) = stream(service: { $0.limits.announced.itemWindow = 100 })
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(83))) == more)  // 99 spent, 1 left
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(50_000))) == .taken(mayCarryOn: false))
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: [])) == .noCredit)
        pair.settle()
        #expect(pair.service.closed == nil)
        #expect(pair.service.actions.count == 2)
        #expect(call.permissions == 1)
        pair.service.submit(.accept(call: 1, bytes: 83))
        pair.settle()
        #expect(call.permissions == 1)
        pair.service.submit(.accept(call: 1, bytes: 50_000))
        pair.settle()
        #expect(call.permissions == 2)
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: [])) == more)
    }

    @Test func `a balance of exactly zero lets nothing pass`() {
        var (pair, call) = stream(service: { $0.limits.announced.itemWindow = 32 })
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: [])) == more)
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: [])) == .taken(mayCarryOn: false))
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: [])) == .noCredit)
    }

    @Test func `the callee's items wait for credit as the caller's do`() {
        var (pair, call) = stream(client: { $0.limits.announced.itemWindow = 40 })
        #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: pattern(24))) == .taken(mayCarryOn: false))
        #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: [1])) == .noCredit)
        pair.settle()
        pair.client.submit(.grant(call, bytes: 24))
        pair.settle()
        #expect(pair.service.actions == [.carryOn(call: 1)])
        #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: [1])) == more)
    }

    @Test(arguments: [1, 2, 16, 17, 1000])
    func `small windows pass many items, one after the other`(window: Int) {
        var (pair, call) = stream(service: { $0.limits.announced.itemWindow = window })
        let items = (0..<40).map { pattern($0 * 7, seed: UInt64($0)) }
        var consumed = 0
        for item in items {
            while pair.client.submit(.sendItem(call, codec: .raw, payload: item)) == .noCredit {
                pair.settle()
                let arrived = pair.service.actions.count
                guard arrived > consumed else {
                    Issue.record("nobody can go on with a window of \(window)")
                    return
                }
                for action in pair.service.actions[consumed...] {
                    if case .item(let number, _, let payload?) = action { pair.service.submit(.accept(call: number, bytes: payload.count)) }
                }
                consumed = arrived
                pair.settle()
            }
        }
        pair.settle()
        #expect(pair.service.actions == items.map { .item(call: 1, codec: .raw, payload: $0) })
    }

    @Test func `credit is collected until it is worth a frame, and nothing is lost`() {
        var (pair, call) = stream(service: { $0.limits.announced.itemWindow = 10_000 })
        for _ in 0..<10 { pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(84))) }
        pair.settle()
        for _ in 0..<10 { pair.service.submit(.accept(call: 1, bytes: 84)) }
        #expect(pair.service.takeAll() == [])
        for _ in 0..<40 { pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(84))) }
        pair.settle()
        for _ in 0..<40 { pair.service.submit(.accept(call: 1, bytes: 84)) }
        let credits = pair.service.frames()
        #expect(credits.map(\.kind) == [WireFrame.Kind.credit])
        #expect(credits.map(\.stream) == [1])
        #expect(credits.map { WireFrame.u32($0.payload) } == [5000])
    }

    @Test func `a program that consumes more than it was sent gives no credit for that`() {
        var (pair, call) = stream(service: { $0.limits.announced.itemWindow = 1000 })
        pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(584)))
        pair.settle()
        for _ in 0..<10 { pair.service.submit(.accept(call: 1, bytes: 5000)) }
        #expect(pair.service.frames().reduce(0) { $0 + WireFrame.u32($1.payload) } == 600)
    }

    @Test func `the longest item is the peer's maximum message`() {
        var (pair, call) = stream(client: { $0.limits.announced.maximumMessage = 2000 }, service: { $0.limits.announced.maximumMessage = 3000 })
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(3001))) == .tooLarge(limit: 3000))
        #expect(pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(3000))) == more)
        #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: pattern(2001))) == .tooLarge(limit: 2000))
        #expect(pair.service.submit(.item(call: 1, codec: .raw, payload: pattern(2000))) == more)
        pair.settle()
        #expect(call.items.map(\.count) == [2000])
        #expect(pair.client.closed == nil)
        #expect(pair.service.closed == nil)
    }

    // MARK: Peers made by hand

    @Test func `an item without credit is a violation on either side`() {
        var service = MachineEnd.openService { $0.limits.announced.itemWindow = 100 }
        service.receive(.request(1, flags: WireFrame.itemsFollow), .item(1, pattern(83)), .item(1, pattern(500)))
        #expect(service.closed == nil)
        service.receive(.item(1))
        expectRefusal(&service, .flowControl)

        var client = MachineEnd.openClient { $0.limits.announced.itemWindow = 100 }
        client.call()
        client.receive(.item(1, pattern(84)))
        #expect(client.closed == nil)
        client.receive(.item(1))
        expectRefusal(&client, .flowControl, from: .client)
    }

    @Test func `a chunked item is charged whole at its first chunk`() {
        var service = MachineEnd.openService { $0.limits.announced.itemWindow = 100 }
        service.receive(.request(1, flags: WireFrame.itemsFollow), .request(3, flags: WireFrame.itemsFollow))
        let chunks = WireFrame.chunks(WireFrame.Kind.item, stream: 1, first: 10, rest: 50, pattern(84))
        for chunk in chunks { service.receive(chunk) }
        #expect(service.closed == nil)
        service.receive(WireFrame.chunks(WireFrame.Kind.item, stream: 1, first: 10, rest: 50, pattern(84))[0])
        expectRefusal(&service, .flowControl)
    }

    @Test func `credit may lift a balance to 2,147,483,647 and no further`() {
        for beyond in [false, true] {
            var service = MachineEnd.openService()
            service.receive(.request(1), .credit(1, UInt32(Int32.max) - (256 << 10) + (beyond ? 1 : 0)))
            if beyond { expectRefusal(&service, .flowControl) } else { #expect(service.closed == nil) }

            var client = MachineEnd.openClient()
            client.call("m", itemsFollow: true)
            client.receive(.credit(1, UInt32(Int32.max) - (256 << 10) + (beyond ? 1 : 0)))
            if beyond { expectRefusal(&client, .flowControl, from: .client) } else { #expect(client.closed == nil) }
        }
    }

    @Test func `an item after the end is a violation`() {
        var service = MachineEnd.openService()
        service.receive(.request(1, flags: WireFrame.itemsFollow), .end(1))
        #expect(service.closed == nil)
        service.receive(.item(1))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `a second end is a violation`() {
        var service = MachineEnd.openService()
        service.receive(.request(1, flags: WireFrame.itemsFollow), .end(1), .end(1))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `items and an end that the request did not announce are a violation`() {
        for frame in [WireFrame.item(1), .end(1)] {
            var service = MachineEnd.openService()
            service.receive(.request(1), frame)
            expectRefusal(&service, .protocolViolation)
        }
    }

    @Test func `an end from the callee is a violation`() {
        var client = MachineEnd.openClient()
        client.call()
        client.receive(.end(1))
        expectRefusal(&client, .protocolViolation, from: .client)
    }

    @Test func `an end in the middle of an item is a violation`() {
        var service = MachineEnd.openService()
        service.receive(.request(1, flags: WireFrame.itemsFollow), .chunks(WireFrame.Kind.item, stream: 1, first: 10, rest: 50, pattern(84))[0], .end(1))
        expectRefusal(&service, .protocolViolation)
    }

    @Test func `items for a handler that was told to stop are dropped`() {
        var service = MachineEnd.openService { $0.limits.announced.itemWindow = 10 }
        service.receive(.request(1, flags: WireFrame.itemsFollow), .cancel(1))
        service.takeActions()
        service.receive(.item(1, [1]), .item(1, [2]), .end(1), .item(1, [3]))
        #expect(service.actions == [])
        #expect(service.closed == nil)
    }

    @Test(arguments: ["reply", "deadline", "cancel"])
    func `what is left of an item is dropped when its call has ended at the callee`(how: String) {
        var service = MachineEnd.openService()
        service.receive(.request(1, timeLeft: 1_000_000_000, flags: WireFrame.itemsFollow))
        let chunks = WireFrame.chunks(WireFrame.Kind.item, stream: 1, first: 10, rest: 10, pattern(30))
        service.receive(chunks[0])
        switch how {
        case "reply": service.submit(.reply(call: 1, codec: .raw, payload: []))
        case "cancel": service.receive(.cancel(1))
        default:
            service.now = service.now.advanced(by: .seconds(1))
            service.timeOut()
        }
        #expect(service.native?.inbound.assembler.isEmpty == true)
        service.takeActions()
        service.receive(chunks[1], chunks[2], .end(1))
        #expect(service.actions == [])
        #expect(service.closed == nil)
    }

    @Test func `items that wait for a call that has ended are not sent`() {
        var client = MachineEnd.openClient()
        let call = client.call("m", itemsFollow: true)
        client.produce()
        client.submit(.sendItem(call, codec: .raw, payload: pattern(100_000)))
        client.submit(.sendItem(call, codec: .raw, payload: [1]))
        client.receive(.failure(1, .forbidden))
        _ = client.takeSent()
        #expect(client.takeAll() == [])
        #expect(client.leftovers == [])
    }
}
