// Events that wait for a reply: for clients that take whatever comes after their request for its answer.

import GinnelCore
import Testing

@Suite struct TaggedJSONHeldEventTests {
    private let ping = taggedFrame(#"{"type":"ping"}"#)
    private let pong = #"{"type":"pong"}"#

    private func service(_ configure: (inout TaggedJSONConfiguration) -> Void = { _ in }) -> TaggedJSONSide {
        var side = TaggedJSONSide(.service) {
            $0.holdsEvents = true
            configure(&$0)
        }
        _ = side.taken()
        return side
    }

    private func text(_ n: Int) -> String { #"{"type":"event","n":\#(n)}"# }

    @discardableResult
    private func event(_ n: Int, _ side: inout TaggedJSONSide) -> Acceptance {
        side.submit(.event(name: "event", codec: .json, payload: Array(text(n).utf8), lane: .normal))
    }

    @Test func `events that are made while a request is answered leave after its reply, in their order`() {
        var side = service()
        event(1, &side)
        side.receive(ping)
        event(2, &side)
        event(3, &side)
        // What was made before the request came does not wait.
        #expect(side.session.machine.outputBytes == taggedFrame(text(1)).count)
        #expect(side.output() == taggedFrame(text(1)))
        #expect(!side.session.machine.hasOutput)
        #expect(side.session.machine.outputBytes == 0)
        #expect(side.session.machine.heldBytes > 0)
        #expect(side.output() == [])
        side.reply(pong)
        event(4, &side)
        #expect(side.output() == [pong, text(2), text(3), text(4)].flatMap(taggedFrame))
        #expect(!side.session.machine.hasOutput)
        #expect(side.session.machine.heldBytes == 0)
    }

    @Test func `a failure lets them go as a reply does`() {
        var side = service()
        side.receive(ping)
        event(1, &side)
        side.fail(Failure(.internal, "no"))
        #expect(side.output() == [#"{"type":"error","message":"no"}"#, text(1)].flatMap(taggedFrame))
    }

    @Test func `each request holds the events that are made during it`() {
        var side = service()
        side.receive(ping + ping)
        event(1, &side)
        // The second request is taken from what was kept as soon as the first is answered, and holds what comes then.
        side.reply(pong)
        event(2, &side)
        #expect(side.output() == [pong, text(1)].flatMap(taggedFrame))
        side.reply(pong)
        #expect(side.output() == [pong, text(2)].flatMap(taggedFrame))
    }

    @Test func `the oldest of those that wait give way when they are too many`() {
        var side = service { $0.limits.eventBytes = 60 }
        side.receive(ping)
        for n in 1...9 { #expect(event(n, &side) == .taken(mayCarryOn: true)) }
        #expect(!side.session.machine.hasOutput)
        side.reply(pong)
        #expect(side.output() == [pong, text(8), text(9)].flatMap(taggedFrame))
    }

    @Test func `those that wait count for the limit on what waits`() {
        var side = service {
            $0.limits.eventOverflow = .close
            $0.limits.eventBytes = 60
        }
        side.receive(ping)
        for n in 1...3 { event(n, &side) }
        #expect(side.taken().contains("closed by this side, slowReader: 78 bytes of events wait for the peer, over the limit of 60 (eventBytes)"))
    }

    @Test func `events that wait end with the connection`() {
        var side = service()
        side.receive(ping)
        event(1, &side)
        side.inputEnded()
        #expect(side.output() == [])
        #expect(event(2, &side) == .ended)
    }

    @Test func `a farewell sends what waits behind the reply in hand`() {
        var side = service()
        side.receive(ping)
        event(1, &side)
        side.submit(.farewell(Failure(.shuttingDown, "the service stops")))
        side.reply(pong)
        #expect(side.output() == [pong, text(1)].flatMap(taggedFrame))
    }
}
