// Handshake, Heartbeat, Disconnect, and ends without a word.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct HeaderedConnectionTests {
    // MARK: Handshake

    @Test func `a service answers every Handshake, with its id, and takes no notice of what is in it`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.handshake, id: 9, [1, 2]), HeaderedFrame(Headers.handshake, id: 0))
        #expect(service.headeredFrames() == [HeaderedFrame(Headers.handshakeAck, id: 9), HeaderedFrame(Headers.handshakeAck, id: 0)])
        #expect(service.actions == [])
    }

    @Test func `a client that greets begins its calls with the ack`() {
        var client = MachineEnd.headered(.client) { $0.greets = true }
        let call = client.ask(within: .seconds(9))
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.handshake, id: 1)])
        #expect(client.submit(.event(name: "chat_message", codec: .json, payload: [], lane: .normal)) == .ended)
        client.hear(HeaderedFrame(Headers.handshakeAck, id: 1, json: #"{"more":1}"#))
        guard case .established? = client.takeActions().first else { return #expect(client.actions == []) }
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.askRequest, id: 2, json: "{}")])
        client.hear(HeaderedFrame(Headers.askResponse, id: 2, json: "1"))
        #expect(call.replyText == "1")
    }

    @Test func `a client gives up when its greeting is not answered`() {
        var client = MachineEnd.headered(.client) { $0.greets = true }
        let call = client.ask()
        client.now = client.now.advanced(by: .seconds(5))
        #expect(client.session.wakeUp.isDue(at: client.now))
        client.timeOut()
        #expect(client.closed == CloseReason(by: .us, Failure(.handshakeTimeout, "no HandshakeAck within 5.0 seconds (timeouts.handshake)")))
        #expect(call.failure?.code == .unavailable)
        #expect(!client.isSpinning)
    }

    @Test(arguments: [
        (Role.client, [Headers.handshake], "Handshake (0x0010) from the service"), (.service, [Headers.handshakeAck], "HandshakeAck (0x0011) from the client"),
        (.client, [Headers.handshakeAck], "HandshakeAck (0x0011) with the id 1, for which no Handshake waits"),
    ])
    func `a greeting from the wrong side is a violation`(role: Role, types: [UInt16], sentence: String) {
        var end = MachineEnd.headered(role)
        for type in types { end.hear(HeaderedFrame(type, id: 1)) }
        #expect(end.closed == CloseReason(by: .us, Failure(.protocolViolation, sentence)))
    }

    // MARK: Heartbeats

    @Test func `a service sends a Heartbeat back as it came and a client answers none`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.heartbeat, id: 5, [1, 2, 3]))
        #expect(service.headeredFrames() == [HeaderedFrame(Headers.heartbeat, id: 5, [1, 2, 3])])
        var client = MachineEnd.headered(.client)
        client.hear(HeaderedFrame(Headers.heartbeat, id: 5), HeaderedFrame(Headers.ack, id: 99))
        #expect(client.takeAll() == [])
        #expect(client.actions == [])
    }

    @Test func `a ping of the program is a Heartbeat, and its answer the pong`() {
        var client = MachineEnd.headered(.client)
        for value in [70, 71] as [UInt64] { #expect(client.submit(.ping(value)) == .taken(mayCarryOn: true)) }
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.heartbeat, id: 1), HeaderedFrame(Headers.heartbeat, id: 2)])
        client.hear(HeaderedFrame(Headers.heartbeat, id: 2), HeaderedFrame(Headers.heartbeat, id: 2), HeaderedFrame(Headers.heartbeat, id: 1))
        #expect(client.actions == [.pong(71), .pong(70)])
        var service = MachineEnd.headered(.service)
        #expect(service.submit(.ping(1)) == .ended)
    }

    @Test func `a silent service that has answered before is given up`() {
        var client = MachineEnd.headered(.client) { $0.timeouts.heartbeat = .seconds(30) }
        client.pass(.seconds(30))
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.heartbeat, id: 1)])
        client.hear(HeaderedFrame(Headers.heartbeat, id: 1))
        client.pass(.seconds(30))
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.heartbeat, id: 2)])
        client.pass(.seconds(30))
        #expect(client.closed == CloseReason(by: .us, Failure(.stale, "nothing was heard for 60.0 seconds, and a Heartbeat was not answered")))
    }

    @Test func `a service that never answers Heartbeats is let be`() {
        var client = MachineEnd.headered(.client) { $0.timeouts.heartbeat = .seconds(30) }
        for _ in 0..<50 { client.pass(.seconds(30)) }
        #expect(client.closed == nil)
        #expect(!client.isSpinning)
        #expect((20...50).contains(client.headeredFrames().count))
    }

    @Test func `idle time counts between messages, and Heartbeats are none`() {
        var service = MachineEnd.headered(.service) { $0.timeouts.idle = .seconds(10) }
        service.pass(.seconds(9))
        service.hear(HeaderedFrame(Headers.heartbeat, id: 1), HeaderedFrame(Headers.askRequest, id: 2, json: "{}"))
        service.pass(.seconds(60))
        #expect(service.closed == nil)
        service.answer(1, "{}")
        service.pass(.seconds(9))
        service.hear(HeaderedFrame(Headers.heartbeat, id: 3))
        service.pass(.seconds(1))
        #expect(service.closed?.failure == Failure(.idle, "no message for 10.0 seconds (timeouts.idle)"))
    }

    // MARK: Disconnect

    @Test func `a service that leaves says so, lets calls in flight end and takes no more`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.askRequest, id: 1, json: "{}"))
        service.submit(.farewell(Failure(.shuttingDown, "the service stops")))
        service.hear(HeaderedFrame(Headers.askRequest, id: 2, json: "{}"))
        #expect(service.headeredFrames() == [HeaderedFrame(Headers.disconnect, id: 0), .error(2, 7, "the connection is ending; the call was not begun")])
        #expect(service.closed == nil)
        service.answer(1, #"{"a":1}"#)
        #expect(service.closed == CloseReason(by: .us, Failure(.shuttingDown, "the service stops")))
        #expect(service.headeredFrames() == [HeaderedFrame(Headers.askResponse, id: 1, json: #"{"a":1}"#)])
    }

    @Test func `a client that is told goodbye ends with its last call`() {
        var client = MachineEnd.headered(.client) { $0.limits.announced.callsInFlight = 1 }
        let begun = client.ask()
        let waiting = client.ask()
        _ = client.takeAll()
        for _ in 0..<2 { client.hear(HeaderedFrame(Headers.disconnect, id: 3)) }
        #expect(waiting.failure == Failure(.unavailable, "the peer is leaving; the call was not begun"))
        #expect(client.ask().failure?.code == .unavailable)
        #expect(client.closed == nil)
        client.hear(HeaderedFrame(Headers.askResponse, id: 1, json: "{}"))
        #expect(begun.replyText == "{}")
        #expect(client.closed == CloseReason(by: .peer, Failure(.shuttingDown, "the peer has said Disconnect")))
    }

    @Test func `an idle side that is told goodbye ends at once`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.disconnect, id: 0))
        #expect(service.closed?.by == .peer)
        #expect(service.takeAll() == [])
        var client = MachineEnd.headered(.client)
        client.submit(.farewell(Failure(.finished, "done")))
        #expect(client.closed == CloseReason(by: .us, Failure(.finished, "done")))
        #expect(client.headeredFrames() == [HeaderedFrame(Headers.disconnect, id: 0)])
    }

    @Test func `a side that leaves does not wait for a call that nobody wants`() {
        var client = MachineEnd.headered(.client)
        let call = client.ask(within: .seconds(1))
        client.submit(.farewell(Failure(.finished, "done")))
        #expect(client.closed == nil)
        client.pass(.seconds(1))
        #expect(call.failure?.code == .deadlineExceeded)
        #expect(client.closed?.failure.code == .finished)
    }

    // MARK: Ends

    @Test func `an end between two messages is one, before the answer is not`() {
        var client = MachineEnd.headered(.client)
        client.inputEnded()
        #expect(client.actions.closing == "closed by the peer, finished: the peer ended the connection between two messages")
        client = MachineEnd.headered(.client)
        let sent = client.ask()
        _ = client.takeAll()
        let unsent = client.ask()
        client.inputEnded()
        let reason = "closed by the peer, connectionLost: the peer ended the connection before the answer"
        #expect(client.actions.closing == reason)
        #expect(sent.failure == Failure(.connectionLost, "\(reason); whether the call was carried out is unknown"))
        #expect(unsent.failure == Failure(.unavailable, "\(reason); the call was not begun"))
        #expect(client.headeredLeftovers == nil)
    }

    @Test func `an end in the middle of a message and a broken channel say so`() {
        var service = MachineEnd.headered(.service)
        service.receive(Array(HeaderedFrame(Headers.askRequest, id: 1, json: "{}").encoded.dropLast()))
        service.inputEnded(Failure(.connectionLost, "reset"))
        #expect(
            service.actions.closing
                == "connection lost, connectionLost: the peer ended the connection in the middle of a message, after 25 of its bytes: reset")
    }

    @Test func `a handler is stopped when its client has gone`() {
        var service = MachineEnd.headered(.service)
        service.hear(HeaderedFrame(Headers.askRequest, id: 1, json: "{}"))
        service.takeActions()
        service.inputEnded()
        #expect(service.actions.stops == 1)
        service.answer(1, "{}")
        #expect(service.takeAll() == [])
        #expect(service.headeredLeftovers == nil)
    }

    @Test func `a message that was begun has to be completed in time`() {
        var service = MachineEnd.headered(.service)
        service.receive(Array(HeaderedFrame(Headers.askRequest, id: 1, json: "{}").encoded.prefix(3)))
        service.pass(.seconds(29))
        #expect(service.closed == nil)
        service.pass(.seconds(1))
        #expect(service.closed?.failure.code == .readTimeout)
        #expect(service.headeredFrames().map(\.type) == [Headers.error])
    }
}

extension MachineEnd {
    mutating func pass(_ span: Duration) {
        now = now.advanced(by: span)
        timeOut()
    }
}
