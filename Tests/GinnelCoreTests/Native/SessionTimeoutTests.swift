import GinnelTesting
import Testing

@testable import GinnelCore

/// The time-outs of `SessionTimeouts`, on both sides of their value. Heartbeat and idle time are in NativeLivenessTests.
@Suite struct SessionTimeoutTests {
    private let almostFive = Duration.nanoseconds(4_999_999_999)

    @Test(arguments: [0, 3, 8, 20])
    func `a handshake must be complete within its time`(bytes: Int) {
        var service = MachineEnd(.service, configuration())
        service.start()
        #expect(service.session.wakeUp.awake == service.now.awake + 5_000_000_000)
        service.receive(Array(HandGreeting.hello.asHello.prefix(bytes)))
        service.now = service.now.advanced(by: almostFive)
        service.timeOut()
        #expect(service.closed == nil)
        service.now = service.now.advanced(by: .nanoseconds(1))
        service.timeOut()
        #expect(service.closed?.by == .us)
        #expect(service.closed?.failure.code == .handshakeTimeout)

        var client = MachineEnd(.client, configuration())
        client.start()
        client.receive(service.takeAll())
        #expect(client.closed?.by == .peer)
        #expect(client.closed?.failure.code == .handshakeTimeout)
    }

    @Test func `a client gives up on a silent service and says nothing`() {
        var client = MachineEnd(.client, configuration())
        client.start()
        _ = client.takeAll()
        let call = client.call()
        client.now = client.now.advanced(by: .seconds(5))
        client.timeOut()
        #expect(client.closed?.failure.code == .handshakeTimeout)
        #expect(call.failure?.code == .unavailable)
        #expect(client.takeAll() == [])
    }

    @Test func `after the handshake its time-out is forgotten`() {
        var pair = MachinePair.connected()
        pair.advance(by: .seconds(100))
        #expect(pair.client.closed == nil)
        #expect(pair.service.closed == nil)
        #expect(pair.client.session.wakeUp == WakeUp())
    }

    @Test func `a handshake whose time-out is endless waits for ever`() {
        var service = MachineEnd(.service, configuration { $0.timeouts.handshake = .seconds(Int64.max) })
        service.start()
        #expect(service.session.wakeUp == WakeUp())
    }

    @Test func `a frame that was begun must be completed in time, however slowly its bytes trickle`() {
        var pair = MachinePair.connected()
        let frame = WireFrame.request(1, "m", pattern(100)).encoded
        pair.service.receive([frame[0]])
        for byte in frame[1..<30] {
            pair.advance(by: .seconds(1))
            pair.service.receive([byte])
        }
        #expect(pair.service.closed == nil)
        pair.advance(by: .nanoseconds(999_999_999))
        #expect(pair.service.closed == nil)
        pair.advance(by: .nanoseconds(1))
        #expect(pair.service.closed?.failure.code == .readTimeout)
        pair.settle()
        #expect(pair.client.closed?.by == .peer)
        #expect(pair.client.closed?.failure.code == .readTimeout)
    }

    @Test func `each frame has its own time`() {
        var service = MachineEnd.openService()
        let frame = WireFrame.ping().encoded
        service.receive(Array(frame.prefix(10)))
        for _ in 0..<5 {
            service.now = service.now.advanced(by: .seconds(29))
            service.timeOut()
            service.receive(Array(frame.dropFirst(10) + frame.prefix(10)))
        }
        #expect(service.closed == nil)
        service.receive(Array(frame.dropFirst(10)))
        #expect(service.session.wakeUp == WakeUp())
    }

    @Test func `a peer that takes nothing while bytes wait is closed as a slow reader`() {
        var service = MachineEnd.openService()
        service.noteOutputBlocked()
        service.now = service.now.advanced(by: .nanoseconds(9_999_999_999))
        service.noteOutputBlocked()
        service.timeOut()
        #expect(service.closed == nil)
        service.now = service.now.advanced(by: .nanoseconds(1))
        service.timeOut()
        expectRefusal(&service, .slowReader)

        service = MachineEnd.openService()
        service.noteOutputBlocked()
        service.now = service.now.advanced(by: .seconds(9))
        service.noteOutputMoved()
        service.noteOutputBlocked()
        service.now = service.now.advanced(by: .seconds(9))
        service.timeOut()
        #expect(service.closed == nil)
    }
}
