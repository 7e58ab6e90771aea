// Heartbeats, on the clock that stops while the machine sleeps.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct EnvelopeLivenessTests {
    private func beating(_ role: Role, _ change: EnvelopeChange = { _ in }) -> MachineEnd {
        MachineEnd.envelope(role) {
            $0.timeouts.heartbeat = .seconds(30)
            $0.sender = "agent"
            change(&$0)
        }
    }

    private func heartbeat(_ id: UInt64, _ number: Int) -> String {
        #"{"id":"\#(ours(id))","type":"HEARTBEAT","timestamp":"2024-01-01T12:00:00Z","payload":{"senderId":"agent","timestamp":"2024-01-01T12:00:00Z","sequenceNumber":\#(number)}}"#
    }

    @Test func `a client sends a heartbeat every thirty seconds, whatever it hears`() {
        var client = beating(.client)
        for number in 1...4 {
            client.pass(.seconds(29))
            #expect(client.texts() == [])
            client.pass(.seconds(1))
            #expect(client.texts() == [heartbeat(UInt64(number), number)])
            client.hear(#"{"type":"STATUS_UPDATE"}"#)
        }
        #expect(client.closed == nil)
    }

    @Test func `a service asks when it has heard nothing, and not otherwise`() {
        var service = beating(.service)
        for _ in 0..<3 {
            service.pass(.seconds(29))
            service.hear(#"{"type":"HEARTBEAT"}"#)
            #expect(service.texts().count == 1)
        }
        service.pass(.seconds(30))
        #expect(service.texts().map { $0.contains("HEARTBEAT") } == [true])
    }

    @Test(arguments: [Role.client, .service]) func `who is silent for two intervals is dropped`(role: Role) {
        var end = beating(role)
        end.pass(.seconds(30))
        #expect(end.texts().count == 1)
        end.pass(.seconds(29))
        #expect(end.closed == nil)
        end.pass(.seconds(1))
        #expect(end.closed?.failure.code == .stale)
        #expect(end.closed?.by == .us)
        #expect(end.takeAll() == [])
    }

    @Test(arguments: [Role.client, .service]) func `any bytes are a sign of life`(role: Role) {
        var end = beating(role) { $0.timeouts.readMidMessage = .seconds(86_400) }
        let message = enveloped(#"{"id":"a","type":"STATUS_UPDATE"}"#)
        for byte in message {
            end.pass(.seconds(31))
            end.receive([byte])
        }
        #expect(end.closed == nil)
        #expect(end.actions.count == 1)
    }

    @Test func `a client of another make that sends no heartbeats may be kept`() {
        var service = beating(.service) { $0.expectsHeartbeats = false }
        for _ in 0..<10 { service.pass(.seconds(30)) }
        #expect(service.closed == nil)
        #expect(service.texts().count > 3)
        var client = beating(.client) { $0.expectsHeartbeats = false }
        client.pass(.seconds(30))
        client.pass(.seconds(30))
        #expect(client.closed?.failure.code == .stale)
    }

    @Test func `an acknowledgement that says no is a sign of life too`() {
        var client = beating(.client)
        for number in 1...5 {
            client.pass(.seconds(30))
            client.hearAcknowledgment(of: ours(UInt64(number)), #""success":false,"error":"No handler registered for message type: HEARTBEAT""#)
        }
        #expect(client.closed == nil)
        #expect(client.actions == [])
    }

    @Test func `without an interval there are no heartbeats, and nobody is dropped`() {
        for role in [Role.client, .service] {
            var end = MachineEnd.envelope(role)
            end.pass(.seconds(86_400))
            #expect(end.closed == nil)
            #expect(end.texts() == [])
            #expect(end.session.wakeUp == WakeUp())
        }
    }

    @Test(arguments: [Role.client, .service]) func `a ping is a heartbeat, and its acknowledgement the answer`(role: Role) {
        var end = MachineEnd.envelope(role)
        #expect(end.submit(.ping(77)) == .taken(mayCarryOn: true))
        #expect(end.texts().count == 1)
        end.hearAcknowledgment(of: ours(1), #""success":false"#)
        #expect(end.actions == [.pong(77)])
        #expect(end.envelopeLeftovers == nil)
    }

    @Test func `who has nothing to say for too long is closed, unless a message is in hand`() {
        var service = MachineEnd.envelope(.service) { $0.timeouts.idle = .seconds(10) }
        service.hear(#"{"id":"1","type":"X"}"#)
        service.pass(.seconds(11))
        #expect(service.closed == nil)
        service.answer(envelope: 1)
        service.hear(#"{"type":"HEARTBEAT"}"#)
        service.pass(.seconds(10))
        #expect(service.closed?.failure.code == .idle)
    }

    @Test func `a side that was held up itself takes no peer for dead`() {
        var service = beating(.service)
        service.pass(.seconds(500))
        #expect(service.closed == nil)
        service.pass(.seconds(29))
        #expect(service.closed == nil)
    }

    @Test func `a program that is asked again and again and never answers leaves nothing behind for each time`() {
        var service = MachineEnd.envelope(.service)
        for number in 0..<64 { #expect(service.submit(.ping(UInt64(number))) == .taken(mayCarryOn: true)) }
        #expect(service.submit(.ping(64)) == .ended)
        #expect(service.texts().count == 64)
        service.hearAcknowledgment(of: ours(1))
        #expect(service.actions.contains(.pong(0)))
        #expect(service.submit(.ping(65)) == .taken(mayCarryOn: true))
    }
}
