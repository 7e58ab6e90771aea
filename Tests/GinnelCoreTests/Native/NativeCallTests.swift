import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct NativeCallTests {
    @Test(arguments: [Role.client, .service])
    func `a call from either side arrives whole and its reply comes back`(caller: Role) {
        var pair = MachinePair.connected()
        let call = pair[caller].call("start_recording", [1, 2, 3], codec: .json, lane: .high)
        pair.settle()
        let request = RecordedRequest(
            call: caller == .client ? 1 : 2, method: "start_recording", codec: .json, payload: [1, 2, 3], lane: .high)
        #expect(pair[caller.other].actions == [.request(request)])
        pair[caller.other].submit(.reply(call: request.call, codec: .protobuf, payload: [4, 5]))
        pair.settle()
        #expect(call.outcomes == [.replied(codec: .protobuf, payload: [4, 5])])
        #expect(pair.client.leftovers == [])
        #expect(pair.service.leftovers == [])
    }

    @Test func `numbers go up by two from the parity of their side`() {
        var pair = MachinePair.connected()
        for _ in 0..<3 {
            pair.client.call()
            pair.service.call()
        }
        pair.settle()
        #expect(pair.service.requests.map(\.call) == [1, 3, 5])
        #expect(pair.client.requests.map(\.call) == [2, 4, 6])
    }

    @Test func `replies come back in any order`() {
        var pair = MachinePair.connected()
        let calls = (0..<4).map { pair.client.call("m\($0)") }
        pair.settle()
        for request in pair.service.requests.reversed() {
            pair.service.submit(.reply(call: request.call, codec: .raw, payload: Array(request.method.utf8)))
        }
        pair.settle()
        #expect(calls.map(\.reply) == (0..<4).map { Array("m\($0)".utf8) })
    }

    @Test func `a reply travels in the lane of its request`() {
        var service = MachineEnd.openService()
        service.receive(.request(1, lane: 3), .request(3, lane: 1))
        service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        service.submit(.fail(call: 3, Failure(.forbidden, "")))
        #expect(service.frames().sorted { $0.stream < $1.stream }.map(\.lane) == [3, 1])
    }

    @Test func `a failure crosses with its code, sentence and details`() {
        var pair = MachinePair.connected()
        let call = pair.client.call()
        pair.settle()
        let failure = Failure(FailureCode(rawValue: 70_000), "no such display: 東京", details: [1, 2, 3])
        pair.service.submit(.fail(call: pair.service.lastCall, failure))
        pair.settle()
        #expect(call.outcomes == [.failed(failure)])
        #expect(pair.client.leftovers == [])
    }

    @Test func `a failure that is too long for the caller keeps its code`() {
        var pair = MachinePair.connected(client: { $0.limits.announced.maximumMessage = 1024 })
        let calls = (0..<4).map { pair.client.call("m\($0)") }
        pair.settle()
        let numbers = pair.service.requests.map(\.call)
        let long = String(repeating: "é", count: 1000)
        pair.service.submit(.fail(call: numbers[0], Failure(.forbidden, long)))
        pair.service.submit(.fail(call: numbers[1], Failure(.forbidden, "short", details: pattern(1013))))
        pair.service.submit(.fail(call: numbers[2], Failure(.forbidden, "short", details: pattern(1014))))
        pair.service.submit(.fail(call: numbers[3], Failure(.forbidden, "short", details: pattern(200_000))))
        pair.settle()
        #expect(pair.client.closed == nil)
        #expect(calls.map(\.failure?.code) == [.forbidden, .forbidden, .forbidden, .forbidden])
        #expect(calls[0].failure?.sentence == String(repeating: "é", count: 509))
        #expect(calls[1].failure?.details.count == 1013)
        #expect(calls[2].failure?.details == [])
        #expect(calls[3].failure?.sentence == "short")
    }

    @Test(arguments: [1, 255])
    func `a method name may have one to 255 bytes`(length: Int) {
        var pair = MachinePair.connected()
        let name = String(repeating: "n", count: length)
        let call = pair.client.call(name)
        let tooLong = pair.client.call(name + String(repeating: "n", count: 255))
        let empty = pair.client.call("")
        pair.settle()
        #expect(pair.service.requests.map(\.method) == [name])
        #expect(!call.hasEnded)
        #expect(tooLong.failure?.code == .invalidRequest)
        #expect(empty.failure?.code == .invalidRequest)
    }

    @Test func `long names that share a place in the cache are not mixed up`() {
        var pair = MachinePair.connected()
        let names = (0..<200).map { "a_rather_long_method_name_\($0)" }
        for _ in 0..<2 { for name in names { pair.client.call(name) } }
        pair.settle()
        #expect(pair.service.requests.map(\.method) == names + names)
    }

    @Test func `a codec that the peer does not read is refused before it is sent`() {
        var pair = MachinePair.connected(service: { $0.codecs = [.json] })
        let refused = pair.client.call("m", codec: .raw)
        let taken = pair.client.call("n", codec: .json)
        #expect(refused.failure?.code == .unsupportedCodec)
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["n"])
        #expect(!taken.hasEnded)
    }

    @Test func `a request in a codec that nobody knows here is answered with unsupportedCodec`() {
        var service = MachineEnd.openService()
        service.receive(.request(1, flags: 9 << 4), .request(3, flags: 2 << 4))
        #expect(service.requests.map(\.call) == [3])
        let answer = service.frames()
        #expect(answer.map(\.failureCode) == [FailureCode.unsupportedCodec.rawValue])
        #expect(answer.map(\.stream) == [1])
    }

    @Test func `a method name that is no text is answered with invalidRequest`() {
        var service = MachineEnd.openService()
        let body = WireFrame.u64(.max) + WireFrame.u16(2) + WireFrame.u16(0) + [0xC3, 0x28]
        service.receive(WireFrame(WireFrame.Kind.request, stream: 1, lane: 2, body))
        #expect(service.requests == [])
        #expect(service.frames().map(\.failureCode) == [FailureCode.invalidRequest.rawValue])
        #expect(service.closed == nil)
    }

    @Test func `fields of a request that nobody knows are skipped`() {
        var service = MachineEnd.openService()
        let fields = WireFrame.field(1, [1, 2, 3]) + WireFrame.field(900, [])
        service.receive(WireFrame(WireFrame.Kind.request, stream: 1, lane: 2, WireFrame.requestBody("m", [7, 8], fields: fields)))
        #expect(service.requests.map(\.payload) == [[7, 8]])
    }

    @Test func `a peer that serves no calls refuses them without being asked`() {
        var pair = MachinePair(client: configuration(), service: configuration { $0.limits.announced.callsInFlight = 0 })
        let early = pair.client.call()
        pair.connect()
        #expect(early.failure?.code == .unavailable)
        #expect(pair.client.call().failure?.code == .unavailable)
        let back = pair.service.call()
        pair.settle()
        #expect(pair.client.requests.count == 1)
        #expect(!back.hasEnded)
    }

    @Test func `a call on a closed session fails as unavailable`() {
        var client = MachineEnd.openClient()
        client.inputEnded()
        #expect(client.call().failure?.code == .unavailable)
    }

    @Test func `answers that nobody waits for are dropped`() {
        var client = MachineEnd.openClient()
        let call = client.call()
        client.receive(
            .response(1, [1]), .response(1, [2]), .failure(1, .internal), .response(99, [3]), .response(2, [4]), .item(1, [5]), .item(99, [6]), .credit(99, 7),
            .failure(4, .internal), .credit(2, 1))
        #expect(call.reply == [1])
        #expect(client.actions == [.replied("m", codec: .raw, payload: [1])])
        #expect(client.closed == nil)
    }

    @Test func `what comes for a call that the callee has answered is dropped`() {
        var service = MachineEnd.openService()
        service.receive(.request(1, flags: WireFrame.itemsFollow))
        service.submit(.reply(call: 1, codec: .raw, payload: []))
        service.takeActions()
        service.receive(.item(1, [1]), .end(1), .end(1), .cancel(1), .credit(1, 100), .item(1), .cancel(77), .end(77))
        #expect(service.actions == [])
        #expect(service.closed == nil)
        #expect(service.frames().count == 1)
    }

    @Test func `a second reply of a handler is ignored`() {
        var service = MachineEnd.openService()
        service.receive(.request(1))
        service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        service.submit(.reply(call: 1, codec: .raw, payload: [2]))
        service.submit(.fail(call: 1, Failure(.internal, "")))
        #expect(service.submit(.item(call: 1, codec: .raw, payload: [3])) == .ended)
        #expect(service.frames() == [.response(1, [1])])
    }
}
