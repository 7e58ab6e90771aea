import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeDeliveryTests {
    /// What a message of a one-letter name and `payload` bytes is charged.
    private func cost(_ payload: Int) -> Int { 21 + payload + 128 }

    // MARK: Agreement

    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func `delivery is in force when both sides offer it`(client: Bool, service: Bool) {
        var pair = MachinePair(client: configuration { $0.offersDelivery = client }, service: configuration { $0.offersDelivery = service })
        pair.start()
        pair.settle()
        for side in [Role.client, .service] {
            let establishment = pair[side].actions.compactMap { if case .established(let it) = $0 { it } else { nil } }.first
            #expect(establishment?.delivers == (client && service))
            #expect(pair[side].send(1) == (client && service ? .taken(mayCarryOn: true) : .ended))
        }
    }

    @Test func `each side learns the window of the other and who it is`() {
        var pair = MachinePair(
            client: configuration {
                $0.offersDelivery = true
                $0.limits.announced.deliveryWindow = 2 << 20
            },
            service: configuration {
                $0.offersDelivery = true
                $0.identity = Identity(high: 8, low: 9)
            })
        pair.start()
        pair.settle()
        guard case .established(let atClient) = pair.client.actions.first, case .established(let atService) = pair.service.actions.first else {
            Issue.record("no establishment")
            return
        }
        #expect(atService.peerLimits.deliveryWindow == 2 << 20)
        #expect(atClient.peerLimits.deliveryWindow == 4 << 20)
        #expect(atService.instance == Identity(high: 1, low: 2))
        #expect(atClient.instance == Identity(high: 8, low: 9))
    }

    @Test(arguments: [(1023, false), (1024 + 127, false), (1024 + 128, true), (Int(Int32.max), true), (1 << 31, false)])
    func `a window holds at least the maximum message and what it costs more`(window: Int, isFine: Bool) {
        var service = MachineEnd(.service, configuration { $0.offersDelivery = true })
        service.start()
        service.receive(HandGreeting.delivering(window: UInt32(window)).with(4, 1024).asHello)
        #expect((service.closed == nil) == isFine)
    }

    @Test func `a window is due with the feature and ignored without it`() {
        for (features, window, isFine) in [(4, nil, false), (0, [0, 0, 0, 0], true), (0, [1], true), (4, [1], false)] as [(UInt64, [UInt8]?, Bool)] {
            var service = MachineEnd(.service, configuration { $0.offersDelivery = true })
            service.start()
            service.receive(HandGreeting.hello.with(2, WireFrame.u64(features)).with(12, window).asHello)
            #expect((service.closed == nil) == isFine, "\(features) \(String(describing: window))")
        }
    }

    @Test func `limits out of range are announced as the nearest inside`() {
        for (limit, announced) in [(0, 1 << 20 + 128), (Int.max, Int(Int32.max))] {
            let pair = MachinePair.delivering(client: { $0.limits.announced.deliveryWindow = limit })
            #expect(pair.service.native?.peerLimits.deliveryWindow == (limit == 0 ? (1 << 20) + 128 : announced))
        }
    }

    @Test func `the longest message of all leaves room for what it costs`() {
        let top = Int(Int32.max)
        let pair = MachinePair.delivering(client: { $0.limits.announced.maximumMessage = top })
        #expect(pair.service.native?.delivery?.outgoing.longest == top - 128)
    }

    // MARK: Messages

    @Test(arguments: [Role.client, .service])
    func `a message arrives as it was sent and is acknowledged`(side: Role) {
        var pair = MachinePair.delivering()
        let payload = pattern(70)
        #expect(pair[side].send(9, floor: 4, payload, name: "stock.changed", lane: .low, redelivered: true, codec: .json) == .taken(mayCarryOn: true))
        pair.settle()
        let expected = OutgoingDelivery(id: 9, floor: 4, redelivered: true, lane: .low, name: "stock.changed", codec: .json, payload: payload)
        #expect(pair[side.other].actions == [.message(expected)])
        #expect(pair[side.other].acknowledge(9) == .taken(mayCarryOn: true))
        pair.settle()
        #expect(pair[side].actions == [.acknowledged([Acknowledgement(id: 9)])])
        #expect(pair.client.isAtRest && pair.service.isAtRest)
        #expect(pair.client.leftovers == [] && pair.service.leftovers == [])
    }

    @Test func `a refusal carries its code, whatever it is`() {
        var pair = MachinePair.delivering()
        let codes = [FailureCode.forbidden, FailureCode(rawValue: 4711), FailureCode(rawValue: .max), FailureCode(rawValue: 0)]
        for id in 1...4 as ClosedRange<UInt64> { pair.client.send(id) }
        pair.settle()
        for (index, code) in codes.enumerated() { pair.service.acknowledge(UInt64(index) + 1, code) }
        pair.settle()
        #expect(pair.client.acknowledged.map(\.refusal) == [.forbidden, FailureCode(rawValue: 4711), FailureCode(rawValue: .max), .internal])
    }

    @Test func `acknowledgements that wait share a frame`() {
        var pair = MachinePair.delivering()
        for id in 1...500 as ClosedRange<UInt64> { pair.client.send(id) }
        pair.settle()
        for id in (1...500 as ClosedRange<UInt64>).reversed() { pair.service.acknowledge(id) }
        let before = pair.service.session.machine.outputBytes
        let frames = framesWaiting(at: pair.service)
        #expect(before == 6000)
        #expect(frames.map(\.kind) == [WireFrame.Kind.acknowledge, WireFrame.Kind.acknowledge])
        #expect(frames.map(\.payload.count) == [340 * 12, 160 * 12])
        pair.settle()
        #expect(pair.client.acknowledged.map(\.id) == (1...500).reversed())
        #expect(pair.client.isAtRest)
    }

    @Test func `messages of one lane keep their order, also behind long ones`() {
        var pair = MachinePair.delivering()
        for id in 1...60 as ClosedRange<UInt64> {
            #expect(pair.client.send(id, pattern(id % 7 == 0 ? 150_000 : 10), lane: id % 2 == 0 ? .high : .low) == .taken(mayCarryOn: true))
        }
        pair.settle()
        #expect(pair.service.arrived.filter { $0 % 2 == 0 } == Array(stride(from: 2, through: 60, by: 2)))
        #expect(pair.service.arrived.filter { $0 % 2 == 1 } == Array(stride(from: 1, through: 59, by: 2)))
        #expect(pair.service.closed == nil)
    }

    @Test func `long messages of different lanes, events and calls may alternate`() {
        var pair = MachinePair.delivering()
        var auditor = WireAuditor(client: .defaults, service: .defaults)
        for (id, lane) in [(1, Lane.high), (2, .normal), (3, .low)] as [(UInt64, Lane)] { pair.client.send(id, pattern(200_000, seed: id), lane: lane) }
        pair.client.submit(.event(name: "e", codec: .raw, payload: pattern(200_000), lane: .normal))
        let call = pair.client.call("m", pattern(200_000))
        while pair.client.session.machine.hasOutput {
            pair.client.produce(goal: 1)
            auditor.produced(by: .client, pair.client.sent)
            pair.deliver(from: .client)
        }
        #expect(auditor.findings == [])
        #expect(Set(pair.service.arrived) == [1, 2, 3])
        let payloads = pair.service.actions.compactMap { if case .message(let message) = $0 { (message.id, message.payload) } else { nil } }
        for (id, payload) in payloads { #expect(payload == pattern(200_000, seed: id)) }
        pair.service.submit(.reply(call: pair.service.lastCall, codec: .raw, payload: []))
        pair.settle()
        #expect(call.reply == [])
    }

    @Test func `ids that do not grow in their lane are not taken`() {
        var pair = MachinePair.delivering()
        #expect(pair.client.send(5) == .taken(mayCarryOn: true))
        for id in [5, 4, 0] as [UInt64] { #expect(pair.client.send(id, floor: min(id, 1)) == .ended) }
        #expect(pair.client.send(5, lane: .low) == .ended)
        #expect(pair.client.send(3, lane: .low) == .taken(mayCarryOn: true))
        #expect(pair.client.send(7, floor: 8) == .ended)
        #expect(pair.client.send(8, floor: 0) == .ended)
        #expect(pair.client.send(9, lane: .control) == .ended)
        #expect(pair.client.send(10, name: "") == .ended)
        #expect(pair.client.send(11, name: String(repeating: "n", count: 256)) == .ended)
        #expect(pair.client.send(12, name: String(repeating: "n", count: 255)) == .taken(mayCarryOn: true))
        pair.settle()
        #expect(Set(pair.service.arrived) == [5, 3, 12])
    }

    // MARK: The window

    @Test func `as much is under way as the window holds, and the rest waits with its sender`() {
        let window = 1024 + 128
        var pair = MachinePair.delivering(service: {
            $0.limits.announced.maximumMessage = 1024
            $0.limits.announced.deliveryWindow = window
        })
        #expect(pair.client.send(1, pattern(window - cost(0) * 2)) == .taken(mayCarryOn: true))
        #expect(pair.client.send(2, pattern(1)) == .noCredit)
        #expect(pair.client.send(2) == .taken(mayCarryOn: true))
        #expect(pair.client.send(3) == .noCredit)
        pair.settle()
        #expect(pair.service.closed == nil)
        #expect(pair.service.native?.delivery?.incoming.balance == 0)
        pair.service.acknowledge(2)
        pair.settle()
        #expect(pair.client.mayCarryOnWithMessages == 1)
        #expect(pair.client.send(3, pattern(1)) == .noCredit)
        pair.service.acknowledge(1)
        pair.settle()
        #expect(pair.client.mayCarryOnWithMessages == 2)
        #expect(pair.client.send(3, pattern(1)) == .taken(mayCarryOn: true))
    }

    @Test func `who did not ask is not told of room`() {
        var pair = MachinePair.delivering()
        pair.client.send(1)
        pair.settle()
        pair.service.acknowledge(1)
        pair.settle()
        #expect(pair.client.mayCarryOnWithMessages == 0)
    }

    @Test func `the longest message is the peer's maximum`() {
        var pair = MachinePair.delivering(service: { $0.limits.announced.maximumMessage = 2000 })
        #expect(pair.client.send(1, pattern(1980)) == .tooLarge(limit: 2000))
        #expect(pair.client.send(1, pattern(1979)) == .taken(mayCarryOn: true))
        pair.settle()
        #expect(pair.service.arrived == [1])
    }

    @Test func `a side lets itself send four mebibytes, whatever the peer announces, or one message that is longer`() {
        for (maximum, longest) in [(1 << 20, 4 << 20), (16 << 20, (16 << 20) + 128)] {
            let pair = MachinePair.delivering(service: {
                $0.limits.announced.maximumMessage = maximum
                $0.limits.announced.deliveryWindow = 1 << 30
            })
            #expect(pair.client.native?.delivery?.outgoing.window.balance == longest)
        }
    }

    @Test func `a message beyond the window is refused, one that fills it is not`() {
        let window = 2000 + 128
        for excess in [0, 1] {
            var service = MachineEnd.deliveringService {
                $0.limits.announced.maximumMessage = 2000
                $0.limits.announced.deliveryWindow = window
            }
            service.receive(.message(1, pattern(window - 2 * cost(0) - 1)), .message(2, pattern(1 + excess)))
            if excess == 0 { #expect(service.arrived == [1, 2]) } else { expectRefusal(&service, .flowControl) }
        }
    }

    @Test func `the charge comes with the first chunk`() {
        var service = MachineEnd.deliveringService {
            $0.limits.announced.maximumMessage = 2000
            $0.limits.announced.deliveryWindow = 2128
        }
        let chunks = WireFrame.chunks(WireFrame.Kind.message, stream: 0, lane: 2, first: 10, rest: 900, WireFrame.messageBody(1, "m", pattern(1979)))
        service.receive(chunks[0])
        #expect(service.native?.delivery?.incoming.balance == 0)
        service.receive(WireFrame.message(2, lane: 3))
        expectRefusal(&service, .flowControl)
    }

    // MARK: Leaving

    @Test(arguments: [Role.client, .service])
    func `a side that leaves waits for what is under way in either direction`(leaver: Role) {
        var pair = MachinePair.delivering()
        pair.client.send(1)
        pair.service.send(1)
        pair.settle()
        pair[leaver].submit(.farewell(Failure(.shuttingDown, "")))
        pair.settle()
        #expect(pair.client.send(2) == .ended)
        #expect(pair.service.send(2) == .ended)
        #expect(pair[leaver].closed == nil)
        pair.client.acknowledge(1)
        pair.settle()
        #expect(pair[leaver].closed == nil)
        pair.service.acknowledge(1)
        pair.settle()
        #expect(pair[leaver].closed?.by == .us)
        #expect(pair.client.acknowledged == [Acknowledgement(id: 1)])
        #expect(pair.service.acknowledged == [Acknowledgement(id: 1)])
    }

    @Test func `a message that crosses the farewell is neither handed on nor answered`() {
        var pair = MachinePair.delivering()
        pair.client.send(1)
        pair.settle()
        pair.client.send(2)
        pair.client.send(3, pattern(100_000), lane: .low)
        pair.service.submit(.farewell(Failure(.shuttingDown, "")))
        pair.flush(.client)
        #expect(pair.service.arrived == [1])
        pair.service.acknowledge(1)
        pair.settle()
        #expect(pair.service.closed?.by == .us)
        #expect(pair.client.acknowledged == [Acknowledgement(id: 1)])
    }

    @Test func `a connection with messages under way is not idle`() {
        var pair = MachinePair.delivering(client: { $0.timeouts.idle = .seconds(5) }, service: { $0.timeouts.idle = .seconds(5) })
        pair.client.send(1)
        pair.settle()
        pair.advance(by: .seconds(60))
        #expect(pair.client.closed == nil && pair.service.closed == nil)
        pair.service.acknowledge(1)
        pair.settle()
        pair.advance(by: .seconds(60))
        #expect(pair.client.closed != nil && pair.service.closed != nil)
    }

    @Test func `after the end nothing is taken and nothing is left`() {
        var pair = MachinePair.delivering()
        pair.client.send(1)
        pair.client.send(2)
        pair.settle()
        pair.service.acknowledge(1)
        pair.cut()
        #expect(pair.client.send(3) == .ended)
        #expect(pair.service.acknowledge(2) == .ended)
        #expect(pair.client.isAtRest && pair.service.isAtRest)
        #expect(pair.service.leftovers == [] && pair.client.leftovers == [])
    }

    @Test func `an answer for what is not under way is ignored`() {
        var pair = MachinePair.delivering()
        pair.client.send(1)
        pair.settle()
        #expect(pair.service.acknowledge(2) == .ended)
        #expect(pair.service.acknowledge(1) == .taken(mayCarryOn: true))
        #expect(pair.service.acknowledge(1) == .ended)
        pair.settle()
        #expect(pair.client.acknowledged == [Acknowledgement(id: 1)])
    }

    @Test func `answers that a peer does not read count as control frames`() {
        var service = MachineEnd.deliveringService { $0.limits.controlBytes = 1200 }
        for id in 1...100 as ClosedRange<UInt64> {
            service.receive(.message(id))
            service.acknowledge(id)
        }
        #expect(service.closed == nil)
        service.receive(.message(101))
        service.acknowledge(101)
        #expect(service.closed?.failure.code == .slowReader)
    }
}
