// Calls that wait for the peer's permission, given up and begun in every order, beside a plain list that does the same.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct WaitingCallTests {
    /// What `OutgoingCalls` must be equal to, written to be seen through.
    private struct Plain {
        var lanes: [[RecordedCall]] = Array(repeating: [], count: Lane.allCases.count)
        var first: RecordedCall? { lanes.first { !$0.isEmpty }?.first }
        var count: Int { lanes.map(\.count).reduce(0, +) }
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func `whoever is given up is not begun, and the others are begun in order`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var calls = OutgoingCalls(role: .client, firstStream: nil)
        var plain = Plain()
        var everybody: [RecordedCall] = []
        for step in 0..<2_000 {
            switch random.number(in: 0...9) {
            case 0...4:
                let lane = Lane.allCases[random.number(in: 1...3)]
                let call = RecordedCall("\(step)")
                var request = OutgoingRequest(method: "m", codec: .raw, payload: [], lane: lane)
                if random.oneIn(3) { request.deadline = UInt64(step + random.number(in: 1...500)) }
                calls.wait(call, request)
                plain.lanes[Int(lane.rawValue)].append(call)
                everybody.append(call)
            case 5...8 where !everybody.isEmpty:
                let call = everybody[random.number(in: 0...everybody.count - 1)]
                let waits = plain.lanes.contains { $0.contains { $0 === call } }
                let removed = calls.removeWaiting(call)
                #expect(removed == waits)
                for lane in plain.lanes.indices { plain.lanes[lane].removeAll { $0 === call } }
            default:
                #expect(calls.firstWaiting?.token === plain.first)
                if let first = plain.first {
                    calls.removeFirstWaiting()
                    for lane in plain.lanes.indices { plain.lanes[lane].removeAll { $0 === first } }
                }
            }
            #expect(calls.waitingCount == plain.count)
        }
        let left = calls.removeAll().map { ($0.token as? RecordedCall)?.name }
        #expect(left == plain.lanes.joined().map(\.name))
        #expect(calls.isEmpty)
    }

    @Test func `those whose deadline passes while they wait are taken out, and nobody who was given up is`() {
        var calls = OutgoingCalls(role: .client, firstStream: nil)
        let waiting = (0..<100).map { RecordedCall("\($0)") }
        for (index, call) in waiting.enumerated() {
            calls.wait(call, OutgoingRequest(method: "m", codec: .raw, payload: [], deadline: UInt64(index + 1)))
        }
        for call in waiting where Int(call.name)! % 2 == 0 {
            let removed = calls.removeWaiting(call)
            #expect(removed)
        }
        let overdue = calls.removeOverdueWaiting(50).compactMap { ($0 as? RecordedCall)?.name }
        #expect(overdue == stride(from: 1, to: 50, by: 2).map(String.init))
        #expect(calls.waitingCount == 25)
    }
}
