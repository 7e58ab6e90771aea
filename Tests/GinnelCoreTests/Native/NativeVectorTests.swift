import GinnelTesting
import Testing

@testable import GinnelCore

/// What the machine says is compared with the vectors byte by byte, and what it makes of the vectors with their meaning.
@Suite struct NativeVectorTests {
    let vectors: NativeVectors

    init() throws { vectors = try NativeVectors.read() }

    private func vector(_ name: String) throws -> NativeVectors.Vector { try #require(vectors[name], "no vector \(name)") }

    /// A client with one call in flight on stream 1, whose request has left.
    private func calling(_ meaning: NativeVectors.Meaning, itemsFollow: Bool = false) -> (MachineEnd, RecordedCall) {
        var client = MachineEnd.openClient()
        let call = client.call("call", codec: meaning.codecValue, lane: meaning.laneValue, itemsFollow: itemsFollow)
        _ = client.takeAll()
        client.takeActions()
        return (client, call)
    }

    /// A service whose handler works on the call on stream 1.
    private func serving(lane: Lane = .normal, _ change: Change = { _ in }) -> MachineEnd {
        var service = MachineEnd.openService(change)
        service.receive(.request(1, flags: WireFrame.itemsFollow, lane: lane.rawValue))
        service.takeActions()
        return service
    }

    @Test func `every vector is looked at here`() throws {
        let known = Set([
            "preamble", "hello", "welcome", "hello-with-delivery", "welcome-with-delivery", "hello-with-keys", "reject", "reject-unread", "request",
            "request-with-items-and-deadline", "compressed-request", "compressed-request-in-chunks", "compressed-response",
            "request-in-a-trace", "request-in-a-trace-with-state", "response", "failure", "failure-of-the-application",
            "event", "event-after-missed-ones", "message", "message-again", "short-message-in-chunks", "acknowledge", "item", "end", "credit-for-requests", "credit-for-items",
            "cancel", "ping", "pong", "goodbye", "goodbye-at-last", "upgrade-offer", "upgrade-accept",
            "upgrade-refuse", "upgrade-switch", "sealed-ping", "sealed-request", "extension", "short-response-in-chunks", "large-request-in-chunks",
        ])
        #expect(Set(vectors.vectors.map(\.name)) == known)
    }

    // MARK: Handshake

    @Test(arguments: [("hello", "welcome", 1 as UInt64), ("hello-with-delivery", "welcome-with-delivery", 4)])
    func `a handshake is as written`(first: String, second: String, features: UInt64) throws {
        let hello = try vector(first)
        let welcome = try vector(second)
        let preamble = try vector("preamble").bytes
        let ours = try #require(hello.meaning.greeting)
        let theirs = try #require(welcome.meaning.greeting)
        var pair = MachinePair(client: ours.configuration, service: theirs.configuration)
        pair.start()
        pair.client.produce()
        #expect(pair.client.sent == preamble + hello.bytes)
        pair.deliver(from: .client)
        pair.service.produce()
        #expect(pair.service.sent == preamble + welcome.bytes)
        pair.deliver(from: .service)
        #expect(
            pair.service.actions == [
                .established(
                    Establishment(
                        service: ours.service, instance: ours.identityValue, peerLimits: ours.limits, program: ours.program, delivers: features == 4))
            ])
        #expect(
            pair.client.actions == [
                .established(
                    Establishment(
                        service: theirs.service, instance: theirs.identityValue, peerLimits: theirs.limits, program: theirs.program, delivers: features == 4))
            ])
        #expect(pair.client.native?.agreement?.heartbeat == 30_000_000_000)
        #expect(pair.client.native?.outbound.sealed == (features == 1))
        #expect(pair.service.native?.agreement?.peerCodecs == [.raw, .json, .protobuf])
    }

    @Test func `rejections are as written`() throws {
        let preamble = try vector("preamble").bytes
        var service = MachineEnd(.service, configuration { $0.service = "recorder" })
        service.start()
        service.receive(HandGreeting.hello.with(9, Array("player".utf8)).asHello)
        #expect(service.takeAll() == preamble + (try vector("reject").bytes))
        #expect(NativeSession.refusal(.peerRefused) == preamble + (try vector("reject-unread").bytes))
        for name in ["reject", "reject-unread"] {
            let vector = try vector(name)
            var client = MachineEnd(.client, configuration())
            client.start()
            client.receive(preamble + vector.bytes)
            #expect(client.closed == CloseReason(by: .peer, try #require(vector.meaning.failureValue)))
        }
    }

    // MARK: Calls

    @Test(arguments: [
        "request", "request-with-items-and-deadline", "request-in-a-trace", "request-in-a-trace-with-state", "sealed-request", "large-request-in-chunks",
    ])
    func `requests are as written`(name: String) throws {
        let vector = try vector(name)
        let meaning = vector.meaning
        let request = try #require(meaning.request)
        let sealed = meaning.checksum != nil
        let greeting = HandGreeting.hello.with(2, WireFrame.u64(sealed ? 1 : 0))
        var client = MachineEnd.openClient(welcome: greeting) { $0.offersChecksums = sealed }
        client.call(
            request.method, meaning.payloadBytes, codec: meaning.codecValue, within: meaning.timeLeft.map { .nanoseconds(Int64($0)) }, lane: meaning.laneValue,
            itemsFollow: meaning.itemsFollow ?? false, trace: meaning.trace)
        #expect(client.takeAll() == vector.bytes)

        var service = MachineEnd.openService(hello: greeting) { $0.offersChecksums = sealed }
        service.receive(vector.bytes)
        #expect(
            service.actions == [
                .request(
                    RecordedRequest(
                        call: 1, method: request.method, codec: meaning.codecValue, payload: meaning.payloadBytes, deadline: meaning.timeLeft.map { service.now.continuous + $0 },
                        lane: meaning.laneValue, itemsFollow: meaning.itemsFollow ?? false, trace: meaning.trace))
            ])
    }

    @Test func `a response is as written`() throws {
        let vector = try vector("response")
        var service = serving()
        service.submit(.reply(call: 1, codec: vector.meaning.codecValue, payload: vector.meaning.payloadBytes))
        #expect(service.takeAll() == vector.bytes)
        var (client, call) = calling(vector.meaning)
        client.receive(vector.bytes)
        #expect(call.outcomes == [.replied(codec: vector.meaning.codecValue, payload: vector.meaning.payloadBytes)])
    }

    @Test func `a response in three short chunks is put together`() throws {
        let vector = try vector("short-response-in-chunks")
        var (client, call) = calling(vector.meaning)
        client.receive(vector.bytes)
        #expect(call.outcomes == [.replied(codec: .json, payload: Array("a reply in three pieces".utf8))])
        #expect(vector.meaning.payloadBytes == Array("a reply in three pieces".utf8))
    }

    @Test(arguments: ["failure", "failure-of-the-application"])
    func `failures are as written`(name: String) throws {
        let vector = try vector(name)
        let failure = try #require(vector.meaning.failureValue)
        var service = serving()
        service.submit(.fail(call: 1, failure))
        #expect(service.takeAll() == vector.bytes)
        var (client, call) = calling(vector.meaning)
        client.receive(vector.bytes)
        #expect(call.outcomes == [.failed(failure)])
    }

    @Test func `a cancel is as written`() throws {
        let vector = try vector("cancel")
        var (client, call) = calling(vector.meaning)
        client.submit(.abandon(call, Failure(FailureCode(rawValue: try #require(vector.meaning.code)), "")))
        #expect(client.takeAll() == vector.bytes)
        var service = serving()
        service.receive(vector.bytes)
        #expect(service.actions == [.cancel(call: 1, Failure(.cancelled, "the caller cancelled"))])
    }

    // MARK: Streams and events

    @Test func `an item and an end are as written`() throws {
        let item = try vector("item")
        let end = try vector("end")
        var (client, call) = calling(item.meaning, itemsFollow: true)
        client.submit(.sendItem(call, codec: item.meaning.codecValue, payload: item.meaning.payloadBytes))
        client.submit(.sendItem(call, codec: .raw, payload: nil))
        #expect(client.takeAll() == item.bytes + end.bytes)
        var service = serving()
        service.submit(.item(call: 1, codec: item.meaning.codecValue, payload: item.meaning.payloadBytes))
        #expect(service.takeAll() == item.bytes)
        service.receive(item.bytes + end.bytes)
        #expect(
            service.actions == [
                .item(call: 1, codec: item.meaning.codecValue, payload: item.meaning.payloadBytes), .item(call: 1, codec: .raw, payload: nil),
            ])
        client.receive(item.bytes)
        #expect(call.items == [item.meaning.payloadBytes])
    }

    @Test func `credit for requests is as written`() throws {
        let credit = try vector("credit-for-requests")
        var service = MachineEnd.openService {
            $0.limits.announced.maximumMessage = 200_000
            $0.limits.announced.requestWindow = 200_000
        }
        service.receive(try vector("large-request-in-chunks").bytes)
        #expect(service.takeAll() == credit.bytes)
        var client = MachineEnd.openClient()
        client.receive(credit.bytes)
        #expect(client.native?.outbound.requests.balance == (4 << 20) + Int(try #require(credit.meaning.credit)))
    }

    @Test func `credit for items is as written`() throws {
        let credit = try vector("credit-for-items")
        var service = serving { $0.limits.announced.itemWindow = 1000 }
        service.receive(.item(1, pattern(600)))
        service.submit(.accept(call: 1, bytes: 600))
        #expect(service.takeAll() == credit.bytes)
        var (client, _) = calling(credit.meaning, itemsFollow: true)
        client.receive(credit.bytes)
        #expect(client.native?.outgoing[1]?.flow.send.balance == (256 << 10) + Int(try #require(credit.meaning.credit)))
    }

    @Test(arguments: ["event", "event-after-missed-ones"])
    func `events are as written`(name: String) throws {
        let vector = try vector(name)
        let meaning = vector.meaning
        let event = try #require(meaning.event)
        var service = MachineEnd.openService { $0.limits.eventBytes = 24 }
        for _ in 0...event.missed {
            service.submit(.event(name: event.name, codec: meaning.codecValue, payload: meaning.payloadBytes, lane: meaning.laneValue))
        }
        #expect(service.takeAll() == vector.bytes)
        var client = MachineEnd.openClient()
        client.receive(vector.bytes)
        #expect(client.actions == [.event(name: event.name, codec: meaning.codecValue, payload: meaning.payloadBytes, missed: event.missed)])
    }

    // MARK: Delivery

    @Test(arguments: ["message", "message-again", "short-message-in-chunks"])
    func `messages are as written`(name: String) throws {
        let vector = try vector(name)
        let meaning = vector.meaning
        let message = try #require(meaning.message)
        let (id, floor) = (try #require(UInt64(message.id)), try #require(UInt64(message.floor)))
        var service = MachineEnd.deliveringService()
        service.receive(vector.bytes)
        #expect(
            service.actions == [
                .message(
                    OutgoingDelivery(
                        id: id, floor: floor, redelivered: message.redelivered, lane: meaning.laneValue, name: message.name, codec: meaning.codecValue,
                        payload: meaning.payloadBytes))
            ])
        service.send(id, floor: floor, meaning.payloadBytes, name: message.name, lane: meaning.laneValue, redelivered: message.redelivered, codec: meaning.codecValue)
        if name != "short-message-in-chunks" { #expect(service.takeAll() == vector.bytes) }
    }

    @Test func `acknowledgements are as written`() throws {
        let vector = try vector("acknowledge")
        let records = try #require(vector.meaning.acknowledgements).map { Acknowledgement(id: UInt64($0.id) ?? 0, refusal: $0.code == 0 ? nil : FailureCode(rawValue: $0.code)) }
        #expect(records.count == 2)
        var service = MachineEnd.deliveringService()
        for record in records {
            service.receive(.message(record.id))
            service.acknowledge(record.id, record.refusal)
        }
        #expect(service.takeAll() == vector.bytes)
        for record in records { service.send(record.id) }
        _ = service.takeAll()
        service.receive(vector.bytes)
        #expect(service.acknowledged == records)
    }

    // MARK: Connection

    @Test func `ping and pong are as written, bare and sealed`() throws {
        for name in ["ping", "sealed-ping"] {
            let ping = try vector(name)
            let sealed = name == "sealed-ping"
            let greeting = HandGreeting.hello.with(2, WireFrame.u64(sealed ? 1 : 0))
            var client = MachineEnd.openClient(welcome: greeting) { $0.offersChecksums = sealed }
            client.submit(.ping(0x0102_0304_0506_0708))
            #expect(client.takeAll() == ping.bytes)
            var service = MachineEnd.openService(hello: greeting) { $0.offersChecksums = sealed }
            service.receive(ping.bytes)
            let answer = service.takeAll()
            if !sealed { #expect(answer == (try vector("pong").bytes)) }
            client.receive(answer)
            #expect(client.actions == [.pong(0x0102_0304_0506_0708)])
        }
    }

    @Test func `a goodbye is as written`() throws {
        let (vector, last) = (try vector("goodbye"), try vector("goodbye-at-last"))
        let failure = try #require(vector.meaning.failureValue)
        var service = MachineEnd.openService()
        service.submit(.farewell(failure))
        #expect(service.takeAll() == vector.bytes + last.bytes)
        var client = MachineEnd.openClient()
        client.receive(vector.bytes)
        #expect(client.actions == [.farewell(failure)])
        client.receive(last.bytes)
        #expect(client.closed == CloseReason(by: .peer, failure))
    }

    @Test func `the way to shared memory is as written`() throws {
        let (offer, accept) = (try vector("upgrade-offer"), try vector("upgrade-accept"))
        let (refuse, change) = (try vector("upgrade-refuse"), try vector("upgrade-switch"))
        let offered = try #require(offer.meaning.upgrade)
        let refusal = Failure(FailureCode(rawValue: try #require(refuse.meaning.upgrade).value), "")
        func wanting(_ configuration: inout NativeConfiguration) {
            configuration.sharedMemory = SharedMemoryOptions()
            configuration.sharedMemory?.ringBytes = Int(offered.value)
        }
        let greeting = HandGreeting.hello.with(2, WireFrame.u64(2))
        let geometry = try #require(RingGeometry(capacity: Int(offered.value)))

        var service = MachineEnd.openService(hello: greeting, wanting)
        service.submit(.upgrade(.made(handles: OfferedHandles(offered.handles))))
        #expect(service.takeAll() == offer.bytes)
        var refused = service
        refused.receive(refuse.bytes)
        #expect(refused.actions == [.upgraded(Failure(refusal.code, "the peer refused to use shared memory"))])
        service.receive(accept.bytes)
        #expect(service.takeAll() == change.bytes)
        service.receive(change.bytes)
        #expect(service.actions == [.upgrade(.readFromRing), .upgraded(nil)])

        var client = MachineEnd.openClient(welcome: greeting, wanting)
        client.receive(offer.bytes)
        #expect(client.actions == [.upgrade(.take(geometry, handles: OfferedHandles(offered.handles)))])
        var refusing = client
        refusing.submit(.upgrade(.failed(refusal)))
        #expect(refusing.takeAll() == refuse.bytes)
        client.submit(.upgrade(.taken))
        #expect(client.takeAll() == accept.bytes + change.bytes)
    }

    @Test func `an extension is skipped`() throws {
        var service = MachineEnd.openService()
        service.receive(try vector("extension").bytes + (try vector("ping").bytes))
        #expect(service.takeAll() == (try vector("pong").bytes))
    }
}
