import GinnelTesting
import Testing

@testable import GinnelCore

/// Numbers of calls near the top of 32 bits.
@Suite struct NativeStreamIdTests {
    @Test func `numbers wrap, and zero is not one of them`() {
        var pair = MachinePair.connected(client: { $0.firstStream = .max - 4 }, service: { $0.firstStream = .max - 5 })
        for _ in 0..<6 {
            pair.client.call()
            pair.service.call()
        }
        pair.settle()
        let top = UInt32.max
        let odd: [UInt32] = [top - 4, top - 2, top, 1, 3, 5]
        let even: [UInt32] = [top - 5, top - 3, top - 1, 2, 4, 6]
        #expect(pair.service.requests.map(\.call) == odd)
        #expect(pair.client.requests.map(\.call) == even)
        #expect(pair.client.closed == nil)
        #expect(pair.service.closed == nil)
    }

    @Test(arguments: [Role.client, .service])
    func `numbers of calls that have not ended are skipped after the wrap`(side: Role) {
        let first = UInt32.max - (side == .client ? 4 : 5)
        var pair = MachinePair.connected(client: { if side == .client { $0.firstStream = 1 } }, service: { if side == .service { $0.firstStream = 2 } })
        let live = (0..<3).map { pair[side].call("live\($0)") }
        let low: [UInt32] = side == .client ? [1, 3, 5, 7] : [2, 4, 6, 8]
        #expect(live.map(\.callNumber) == Array(low.prefix(3)))
        pair.settle()
        pair[side.other].submit(.reply(call: live[1].callNumber, codec: .raw, payload: []))
        pair.settle()
        pair[side.other].takeActions()
        pair[side].jump(to: first)
        let wrapped = (0..<5).map { pair[side].call("wrapped\($0)") }
        let expected: [UInt32] = [first, first + 2, first + 4, low[1], low[3]]
        #expect(wrapped.map(\.callNumber) == expected)
        pair.settle()
        for request in pair[side.other].requests { pair[side.other].submit(.reply(call: request.call, codec: .raw, payload: Array(request.method.utf8))) }
        pair.settle()
        #expect(wrapped.enumerated().allSatisfy { $1.reply == Array("wrapped\($0)".utf8) })
        for call in [live[0], live[2]] {
            pair[side.other].submit(.reply(call: call.callNumber, codec: .raw, payload: [0]))
            pair.settle()
            #expect(call.reply == [0])
        }
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
    }

    @Test func `the number of a call that was given up is live until its final frame`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        pair.client.submit(.abandon(call, Failure(.cancelled, "")))
        pair.client.jump(to: .max)
        let next = [pair.client.call(), pair.client.call()]
        #expect(next.map(\.callNumber) == [UInt32.max, 3])
        pair.settle()
        pair.service.submit(.fail(call: 1, Failure(.cancelled, "")))
        pair.settle()
        pair.client.jump(to: .max - 2)
        #expect(pair.client.call().callNumber == UInt32.max - 2)
        #expect(pair.client.call().callNumber == 1)
    }

    @Test func `a deadline of an ended call does not touch the next one of its number`() {
        var pair = MachinePair.connected()
        pair.client.call("old", within: .seconds(1))
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .raw, payload: []))
        pair.settle()
        pair.client.jump(to: 1)
        let next = pair.client.call("new", within: .seconds(3))
        #expect(next.callNumber == 1)
        pair.settle()
        pair.service.takeActions()
        pair.advance(by: .seconds(2))
        #expect(!next.hasEnded)
        #expect(pair.service.actions == [])
        pair.advance(by: .seconds(1))
        #expect(next.failure?.code == .deadlineExceeded)
        #expect(pair.service.actions.count == 1)
    }
}
