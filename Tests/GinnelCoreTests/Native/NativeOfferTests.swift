// What becomes of an offer of shared memory that cannot be sent, or that nobody answers.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeOfferTests {
    private let wanting: Change = { $0.sharedMemory = .defaults }

    @Test func `an offer that could not be sent leaves the connection on the socket`() {
        var pair = MachinePair(client: configuration(wanting), service: configuration(wanting))
        pair.start()
        pair.settle()
        pair.service.submit(.upgrade(.made(handles: 3)))
        _ = pair.service.takeAll()
        let failure = Failure(.resourceExhausted, "no descriptors")
        pair.service.submit(.upgrade(.failed(failure)))
        #expect(pair.service.actions.contains(.upgraded(failure)))
        let call = pair.client.call()
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        pair.settle()
        #expect(call.reply == [1])
    }

    @Test func `a client that does not answer an offer is closed after the time for the handshake`() {
        var service = MachineEnd(.service, configuration(wanting))
        var client = MachineEnd(.client, configuration(wanting))
        service.start()
        client.start()
        service.receive(client.takeAll())
        service.submit(.upgrade(.made(handles: 3)))
        _ = service.takeAll()
        service.now = service.now.advanced(by: .seconds(4))
        service.timeOut()
        #expect(service.closed == nil)
        service.now = service.now.advanced(by: .seconds(2))
        service.timeOut()
        #expect(service.closed?.failure.code == .handshakeTimeout)
        #expect(service.closed?.failure.sentence.contains("offer of shared memory") == true)
    }
}
