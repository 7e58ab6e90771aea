// Whatever races, a call ends exactly once, and with what came first.

import GinnelCore
import Testing

@Suite struct TaggedJSONOutcomeOrderTests {
    @Test(arguments: NativeOutcomeOrderTests.orders, [true, false])
    func `a caller has exactly one outcome in every order`(order: [NativeOutcomeOrderTests.Race], isError: Bool) throws {
        var client = TaggedJSONSide(.client)
        let (call, waiting) = (TaggedJSONSide.Caller("A"), TaggedJSONSide.Caller("B"))
        client.call(call, #"{"type":"a"}"#, deadline: 1_000_000_000)
        client.call(waiting, #"{"type":"b"}"#)
        _ = (client.output(), client.taken())
        for race in order {
            switch race {
            case .reply: client.receive(taggedFrame(isError ? #"{"type":"error","message":"no"}"# : #"{"type":"ok"}"#))
            case .deadline: client.wait(.seconds(1))
            case .cancel: client.submit(.abandon(call, Failure(.cancelled, "no interest")))
            case .disconnect: client.inputEnded()
            }
        }
        let log = client.taken()
        let outcomes = log.filter { $0.contains(" A ") }
        #expect(outcomes.count == 1 && call.callNumber == 0, "\(log)")
        let expected =
            switch try #require(order.first) {
            case .reply: isError ? "failed A 1000: no" : #"replied A {"type":"ok"}"#
            case .deadline: "failed A deadlineExceeded: "
            case .cancel: "failed A cancelled: "
            case .disconnect: "failed A connectionLost: "
            }
        #expect(outcomes.first?.hasPrefix(expected) == true, "\(log)")
        if order.contains(.disconnect) {
            #expect(log.count { $0.contains(" B ") } == 1, "\(log)")
        } else if order.contains(.reply) {
            // The reply was the first call's, whether anybody waited for it or not.
            #expect(client.output() == taggedFrame(#"{"type":"b"}"#))
            client.receive(taggedFrame(#"{"type":"ok"}"#))
            #expect(client.taken() == [#"replied B {"type":"ok"}"#])
        } else {
            #expect(client.output() == [])
        }
    }
}
