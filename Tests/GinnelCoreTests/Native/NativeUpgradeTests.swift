// The way from the socket to shared memory (docs/shared-memory.md §4) as the machine sees it: who may say what and when, and what becomes of messages that are under way.

import GinnelTesting
import Testing

@testable import GinnelCore

private func wanting(_ configuration: inout NativeConfiguration) { configuration.sharedMemory = .defaults }

private func wantingSealed(_ configuration: inout NativeConfiguration) {
    wanting(&configuration)
    configuration.offersChecksums = true
}

private let features = HandGreeting.hello.with(2, WireFrame.u64(2))
private let offer = WireFrame.upgrade(1, handles: 3, value: 262_144)
private let accept = WireFrame.upgrade(2)
private let refuse = WireFrame.upgrade(3, value: 6)
private let change = WireFrame.upgrade(4)
private let geometry = SharedMemoryOptions.defaults.geometry

/// How far the exchange has come, in the words of the side that is tested.
enum UpgradePhase: CaseIterable, Sendable {
    case unwanted, notAgreed, beginning, offered, accepted, switched, refused, failed

    /// A side that has come so far with a peer made by hand; `nil` where this side has no such phase.
    func end(_ role: Role) -> MachineEnd? {
        if self == .unwanted { return role == .service ? .openService(hello: features) : .openClient() }
        if self == .notAgreed { return role == .service ? .openService(wanting) : .openClient(wanting) }
        return role == .service ? service : client
    }

    private var service: MachineEnd? {
        var end = MachineEnd.openService(hello: features, wanting)
        switch self {
        case .beginning: break
        case .failed: end.submit(.upgrade(.failed(Failure(.resourceExhausted, "no memory"))))
        default:
            end.submit(.upgrade(.made(handles: 3)))
            if self == .refused { end.receive(refuse) } else if self != .offered { end.receive(accept) }
            if self == .switched { end.receive(change) }
        }
        return forgetting(end)
    }

    private var client: MachineEnd? {
        var end = MachineEnd.openClient(welcome: features, wanting)
        if self == .refused { return nil }
        if self != .beginning { end.receive(offer) }
        if self == .failed { end.submit(.upgrade(.failed(Failure(.resourceExhausted, "no memory")))) }
        if self == .accepted || self == .switched { end.submit(.upgrade(.taken)) }
        if self == .switched { end.receive(change) }
        return forgetting(end)
    }

    private func forgetting(_ end: MachineEnd) -> MachineEnd {
        var end = end
        end.takeActions()
        _ = end.takeAll()
        return end
    }

    /// The verbs that may come now.
    func allows(_ verb: UInt8, _ role: Role) -> Bool {
        switch (self, role) {
        case (.beginning, .client): verb == 1
        case (.offered, .service): verb == 2 || verb == 3
        case (.accepted, _): verb == 4
        default: false
        }
    }
}

@Suite struct NativeUpgradeTests {
    static let verbs: [UInt8: String] = [1: "offer", 2: "accept", 3: "refuse", 4: "switch"]
    static let turns: [(Role, UpgradePhase, UInt8)] = [Role.client, .service].flatMap { role in
        UpgradePhase.allCases.flatMap { phase in verbs.keys.sorted().map { (role, phase, $0) } }
    }

    @Test(arguments: turns) func `each word has its turn, and is a violation at any other`(role: Role, phase: UpgradePhase, verb: UInt8) throws {
        guard var end = phase.end(role) else { return }
        end.receive(verb == 1 ? offer : WireFrame.upgrade(verb, value: verb == 3 ? 6 : 0))
        guard !phase.allows(verb, role) else {
            #expect(end.closed == nil)
            return
        }
        #expect(end.closed?.failure.sentence == "\(Self.verbs[verb]!) of shared memory from the \(role.other), out of turn")
        expectRefusal(&end, .protocolViolation, from: role)
    }

    static let malformed: [(String, WireFrame)] = [
        ("no bytes", altered(offer) { $0.payload = [] }), ("a byte too few", altered(offer) { $0.payload.removeLast() }),
        ("a byte too many", altered(offer) { $0.payload.append(0) }), ("verb 0", .upgrade(0)), ("verb 5", .upgrade(5)),
        ("version 2", altered(offer) { $0.payload[1] = 2 }), ("a reserved byte", altered(offer) { $0.payload[3] = 1 }),
        ("a reserved byte at the end", altered(offer) { $0.payload[15] = 1 }), ("a value with accept", .upgrade(2, value: 1)),
        ("descriptors with accept", .upgrade(2, handles: 3)), ("descriptors with refuse", .upgrade(3, handles: 1, value: 6)),
        ("more descriptors in the header than in the body", .upgrade(1, handles: 3, says: 2, value: 4096)),
        ("fewer descriptors in the header than in the body", .upgrade(1, handles: 0, says: 3, value: 4096)),
        ("a chunk", altered(offer) { $0.flags = WireFrame.more }), ("a stream", altered(offer) { $0.stream = 1 }),
        ("handles on another kind", altered(.ping()) { $0.handles = 3 }),
    ]

    private static func altered(_ frame: WireFrame, _ body: (inout WireFrame) -> Void) -> WireFrame {
        var frame = frame
        body(&frame)
        return frame
    }

    @Test(arguments: malformed) func `a word that is not formed as it should be is a violation`(name: String, frame: WireFrame) throws {
        for (role, phase) in [(Role.client, UpgradePhase.beginning), (.service, .offered)] {
            var end = try #require(phase.end(role))
            end.receive(frame)
            #expect(end.closed?.failure.sentence.isEmpty == false)
            expectRefusal(&end, .protocolViolation, from: role)
        }
    }

    @Test func `a word during the handshake is a violation`() {
        var service = MachineEnd(.service, configuration(wanting))
        service.start()
        service.receive(WireFrame.preamble + offer.encoded)
        #expect(service.closed?.failure.code == .protocolViolation)
        var client = MachineEnd(.client, configuration(wanting))
        client.start()
        client.receive(WireFrame.preamble + offer.encoded)
        #expect(client.closed?.failure.code == .protocolViolation)
    }

    // MARK: Who begins

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func `a service makes a segment exactly when both want it`(client: Bool, service: Bool) {
        var pair = MachinePair(client: configuration { if client { wanting(&$0) } }, service: configuration { if service { wanting(&$0) } })
        pair.start()
        pair.settle()
        #expect(pair.service.actions.contains(.upgrade(.make(geometry))) == (client && service))
        #expect(pair.client.actions.contains(.upgrade(.drop)) == (client && !service), "a client that wanted it lets no descriptors in any more")
        #expect(pair.service.actions.contains(.upgrade(.drop)) == (!client && service))
    }

    @Test func `a welcome with a feature that was not offered is a violation`() {
        var client = MachineEnd(.client, configuration())
        client.start()
        client.receive(features.asWelcome)
        #expect(client.closed?.failure.code == .protocolViolation)
    }

    @Test func `the offer begins a write of its own, and the switch is the last frame of one`() throws {
        var service = MachineEnd(.service, configuration(wanting))
        service.start()
        service.receive(features.asHello)
        service.submit(.upgrade(.made(handles: 3)))
        service.receive(.ping(), .request(1))
        service.submit(.reply(call: 1, codec: .raw, payload: [1]))
        var portions: [MachineEnd.Portion] = []
        while let portion = service.takePortion() { portions.append(portion) }
        #expect(portions.map(\.boundary) == [nil, .carriesHandles, nil])
        #expect(portions.map { WireFrame.all(in: $0.bytes).map(\.kind) } == [[2], [16], [14, 5]])
        #expect(portions[1].bytes == offer.encoded)

        service.receive(accept, .ping(), .request(3))
        service.submit(.reply(call: 3, codec: .raw, payload: [3]))
        guard let last = service.takePortion(), let first = service.takePortion() else { throw Missing() }
        #expect(last.boundary == .lastOnSocket)
        #expect(WireFrame.all(in: last.bytes).last == change)
        #expect(first.boundary == nil)
        #expect(WireFrame.all(in: first.bytes).last?.kind == WireFrame.Kind.response)
    }

    // MARK: Refusals

    static let capacities: [(UInt32, Int, FailureCode)] = [
        (0, 1 << 26, .protocolViolation), (32, 1 << 26, .protocolViolation), (65_537, 1 << 26, .protocolViolation), (1 << 27, 1 << 26, .resourceExhausted),
        (65_536, 65_535, .resourceExhausted), (1 << 31, .max, .protocolViolation), (.max, .max, .protocolViolation), (64, 63, .resourceExhausted),
    ]

    @Test(arguments: capacities) func `a ring that the client does not take is refused with a code, and the connection goes on`(capacity: UInt32, limit: Int, code: FailureCode) {
        var client = MachineEnd.openClient(welcome: features) {
            wanting(&$0)
            $0.sharedMemory?.maximumRingBytes = limit
        }
        client.receive(.upgrade(1, handles: 3, value: capacity))
        #expect(client.frames() == [.upgrade(3, value: code.rawValue)])
        #expect(client.actions.contains(.upgrade(.refuse(handles: 3))))
        guard case .upgraded(let failure?) = client.actions.last else {
            Issue.record("\(client.actions)")
            return
        }
        #expect(failure.code == code && failure.sentence.contains("\(capacity) bytes"))
        let call = client.call()
        #expect(client.frames().map(\.kind) == [WireFrame.Kind.request])
        client.receive(.response(1, [9]))
        #expect(call.reply == [9])
    }

    @Test(arguments: [Role.client, .service]) func `a side that has no memory says so once, and everything works on the socket`(role: Role) {
        var pair = MachinePair(client: configuration(wanting), service: configuration(wanting))
        pair.start()
        pair.settle()
        let failure = Failure(.resourceExhausted, "no memory")
        pair.service.submit(.upgrade(role == .service ? .failed(failure) : .made(handles: 3)))
        pair.settle()
        if role == .client {
            pair.client.submit(.upgrade(.failed(failure)))
            pair.settle()
        }
        #expect(pair[role].actions.contains(.upgraded(failure)))
        let tells = pair[role.other].actions.contains { if case .upgraded(let failure?) = $0 { failure.code == .resourceExhausted } else { false } }
        #expect(tells == (role == .client), "a client that is offered nothing learns nothing")
        let calls = [pair.client.call("m", pattern(100_000)), pair.service.call("m", pattern(5))]
        pair.settle()
        pair.service.submit(.reply(call: pair.service.lastCall, codec: .raw, payload: [1]))
        pair.client.submit(.reply(call: pair.client.lastCall, codec: .raw, payload: [2]))
        pair.settle()
        #expect(calls.map(\.reply) == [[1], [2]])
    }

    @Test(arguments: UpgradePhase.allCases, [Role.client, .service]) func `answers of the driver that nobody waits for change nothing`(phase: UpgradePhase, role: Role) {
        guard var end = phase.end(role) else { return }
        let isAwaited = role == .service ? phase == .beginning : phase == .offered
        guard !isAwaited else { return }
        end.submit(.upgrade(.made(handles: 3)))
        end.submit(.upgrade(.taken))
        // An offer that could not be sent is the one thing that fails later.
        if !(role == .service && phase == .offered) { end.submit(.upgrade(.failed(Failure(.internal, "")))) }
        #expect(end.actions.isEmpty && end.takeAll().isEmpty)
    }

    // MARK: The change

    private struct Missing: Error {}

    /// Both sides say all that they have to say, one portion at a time, and change over on the way.
    private func exchange(_ pair: inout MachinePair, goal: Int) {
        let made = pair.service.actions.contains(.upgrade(.make(geometry)))
        if made { pair.service.submit(.upgrade(.made(handles: 3))) }
        var hasTaken = false
        while true {
            var moved = false
            for side in [Role.client, .service] {
                guard let portion = pair[side].takePortion(goal: goal) else { continue }
                moved = true
                pair[side.other].receive(portion.bytes)
            }
            if !hasTaken, pair.client.actions.contains(.upgrade(.take(geometry, handles: 3))) {
                hasTaken = true
                pair.client.submit(.upgrade(.taken))
            }
            guard moved || pair.client.session.machine.hasOutput else { return }
        }
    }

    @Test(arguments: [false, true], [1, 64 << 10]) func `messages that are half sent go on behind the switch, with checksums and without`(sealed: Bool, goal: Int) {
        let wish = sealed ? wantingSealed : wanting
        var pair = MachinePair(client: configuration(wish), service: configuration(wish))
        pair.start()
        pair.client.call("early", pattern(1_000_000, seed: 1))
        pair.flush(.client)
        pair.flush(.service)
        // One chunk has left when the exchange begins.
        let there = pair.client.call("there", pattern(300_000, seed: 2))
        let back = pair.service.call("back", pattern(300_000, seed: 3))
        for side in [Role.client, .service] { if let portion = pair[side].takePortion(goal: 1) { pair[side.other].receive(portion.bytes) } }
        exchange(&pair, goal: goal)
        for side in [Role.client, .service] {
            #expect(pair[side].closed == nil)
            #expect(pair[side].actions.contains(.upgraded(nil)))
            #expect(pair[side].native?.outbound.sealed == sealed)
        }
        #expect(pair.service.requests.map(\.payload).contains(pattern(300_000, seed: 2)))
        #expect(pair.client.requests.map(\.payload) == [pattern(300_000, seed: 3)])
        pair.service.submit(.reply(call: pair.service.requests.first { $0.method == "there" }?.call ?? 0, codec: .raw, payload: [4]))
        pair.client.submit(.reply(call: pair.client.lastCall, codec: .raw, payload: [5]))
        pair.settle()
        #expect(there.reply == [4] && back.reply == [5])
    }

    @Test(arguments: [Role.client, .service]) func `nothing may follow the switch on the socket`(role: Role) throws {
        var end = try #require(UpgradePhase.accepted.end(role))
        end.receive(WireFrame.upgrade(4).encoded + [0, 0, 0])
        #expect(end.closed?.failure.sentence == "3 bytes on the socket after its last frame")
        expectRefusal(&end, .protocolViolation, from: role)
    }

    @Test(arguments: [([UInt8(0)], true), ([0, 0, 0, 0], true), ([1], false), ([0, 7], false)])
    func `where doorbells ring through the socket they may follow the switch, and nothing else may`(rest: [UInt8], isFine: Bool) {
        var client = MachineEnd.openClient(welcome: features, wanting)
        client.receive(.upgrade(1, handles: 1, value: 4096))
        client.submit(.upgrade(.taken))
        client.receive(WireFrame.upgrade(4).encoded + rest)
        #expect((client.closed == nil) == isFine)
    }

    @Test func `the switch may come in any portions`() throws {
        for cut in 1..<32 {
            var end = try #require(UpgradePhase.accepted.end(.service))
            let bytes = WireFrame.upgrade(4).encoded
            end.receive(Array(bytes[..<cut]))
            #expect(end.actions.isEmpty)
            end.receive(Array(bytes[cut...]))
            #expect(end.actions == [.upgrade(.readFromRing), .upgraded(nil)])
        }
    }

    @Test func `an offer with a wrong checksum is a mismatch`() {
        let sealed = HandGreeting.hello.with(2, WireFrame.u64(3))
        var client = MachineEnd.openClient(welcome: sealed, wantingSealed)
        client.receive(offer)
        #expect(client.closed?.failure.code == .checksumMismatch)
        var other = MachineEnd.openClient(welcome: sealed, wantingSealed)
        other.receive(offer.sealed)
        #expect(other.actions == [.upgrade(.take(geometry, handles: 3))])
    }

    // MARK: Ends

    @Test(arguments: UpgradePhase.allCases, [Role.client, .service]) func `a session can be closed in every phase, and says so on the way it is on`(phase: UpgradePhase, role: Role)
    {
        guard var end = phase.end(role) else { return }
        end.submit(.close(Failure(.internal, "enough")))
        let portion = end.takePortion()
        #expect(portion?.boundary == nil)
        #expect(portion.map { WireFrame.all(in: $0.bytes).map(\.kind) } == [WireFrame.Kind.goodbye])
        for answer in [UpgradeAnswer.made(handles: 3), .taken, .failed(Failure(.internal, ""))] { end.submit(.upgrade(answer)) }
        #expect(end.takeAll().isEmpty)
        #expect(end.leftovers.isEmpty)
    }

    @Test func `an offer or a switch that has not left is not sent once the session is over`() throws {
        var service = try #require(UpgradePhase.beginning.end(.service))
        service.submit(.upgrade(.made(handles: 3)))
        service.submit(.close(Failure(.internal, "enough")))
        #expect(service.frames().map(\.kind) == [WireFrame.Kind.goodbye])
        var client = try #require(UpgradePhase.offered.end(.client))
        client.submit(.upgrade(.taken))
        client.receive(.goodbye(.internal))
        #expect(client.closed?.by == .peer)
        #expect(client.frames().isEmpty)
    }

    @Test(arguments: [UpgradePhase.beginning, .offered, .accepted], [Role.client, .service])
    func `a farewell does not stop the exchange, and calls in flight end behind it`(phase: UpgradePhase, role: Role) throws {
        var end = try #require(phase.end(role))
        let call = end.call()
        _ = end.takeAll()
        end.receive(.goodbye(.shuttingDown))
        #expect(end.closed == nil)
        switch (phase, role) {
        case (.beginning, .service):
            end.submit(.upgrade(.made(handles: 3)))
            end.receive(accept)
        case (.offered, .service): end.receive(accept)
        case (.beginning, .client):
            end.receive(offer)
            end.submit(.upgrade(.taken))
        case (.offered, .client): end.submit(.upgrade(.taken))
        default: break
        }
        end.receive(change)
        #expect(end.actions.contains(.upgraded(nil)))
        end.receive(.response(role == .client ? 1 : 2, [3]))
        #expect(call.reply == [3])
    }

    @Test(arguments: UpgradePhase.allCases, [Role.client, .service]) func `the end of input ends the session in every phase`(phase: UpgradePhase, role: Role) {
        guard var end = phase.end(role) else { return }
        end.inputEnded()
        #expect(end.closed?.by == .nobody && end.closed?.failure.code == .connectionLost)
    }
}
