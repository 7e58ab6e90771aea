// Services that break the rules: what their client's program sees, and that a client of an honest service on the same loop does not notice.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct LyingServiceTests {
    typealias Kind = WireFrame.Kind

    /// What connecting to such a service throws.
    private static func refusal(_ configuration: ClientConfiguration = .defaults, _ liar: @escaping @Sendable (RawPeer) async throws -> Void) async throws -> GinnelError {
        let errors = Recorded<GinnelError>()
        try await withLiar(configuration, liar) { endpoint, configuration, _ in
            errors.append(try await errorOf(GinnelError.self) { try await Client.connect(to: endpoint, configuration: configuration) { _ in } })
        }
        return errors.all[0]
    }

    /// What a call to such a service throws, once its handshake was honest.
    private static func failure(_ configuration: ClientConfiguration = .defaults, _ liar: @escaping @Sendable (RawPeer) async throws -> Void) async throws -> CallError {
        let errors = Recorded<CallError>()
        try await withLiar(configuration) { peer in
            try await peer.welcome()
            _ = try await peer.frame(of: Kind.request)
            try await liar(peer)
        } _: { endpoint, configuration, _ in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                errors.append(try await errorOf(CallError.self) { _ = try await client.call("echo", payload: [1]) })
            }
        }
        return errors.all[0]
    }

    // MARK: Silence

    @Test func `a service that says nothing any more is stale for its client after two heartbeats`() async throws {
        var configuration = ClientConfiguration.defaults
        configuration.timeouts.heartbeat = .milliseconds(300)
        let error = try await Self.failure(configuration) { peer in
            // It has read the question that two heartbeats pass over, and then the reason.
            let frames = try await peer.framesToEnd()
            #expect(frames.map(\.kind) == [Kind.ping, Kind.goodbye])
            #expect(frames.last?.failureCode == FailureCode.stale.rawValue)
        }
        #expect(error.code == .connectionLost)
        #expect("\(error)".contains("stale"))
    }

    // MARK: Handshake

    @Test func `a service that speaks something else is no service of ours`() async throws {
        let error = try await Self.refusal { peer in
            try await peer.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            // It has read our greeting and nothing after it.
            #expect(try await peer.framesToEnd().map(\.kind) == [Kind.hello])
        }
        #expect(error.code == .closed)
        #expect(error.failure?.code == .protocolViolation)
    }

    @Test func `a service of a future version is named as such`() async throws {
        let error = try await Self.refusal { peer in
            try await peer.send([0x47, 0x49, 0x4E, 0x4E, 0x45, 0x4C, 9, 0])
            _ = try await peer.readToEnd()
        }
        #expect(error.code == .refused)
        #expect(error.failure?.code == .versionUnsupported)
    }

    @Test(arguments: [FailureCode.peerRefused, .tooManyConnections, .wrongService, .versionUnsupported])
    func `a refusal keeps its code and sentence`(code: FailureCode) async throws {
        let error = try await Self.refusal { peer in
            try await peer.send(WireFrame.preamble + WireFrame(Kind.reject, WireFrame.failureBody(code.rawValue, "not today")).encoded)
            _ = try await peer.readToEnd()
        }
        #expect(error.code == .refused)
        #expect(error.failure == Failure(code, "not today"))
    }

    @Test func `a refusal with an unknown code keeps the number`() async throws {
        let error = try await Self.refusal { peer in
            try await peer.send(WireFrame.preamble + WireFrame(Kind.reject, WireFrame.failureBody(4711)).encoded)
            _ = try await peer.readToEnd()
        }
        #expect(error.failure?.code == FailureCode(rawValue: 4711))
    }

    @Test(arguments: [0, 8, 30]) func `a service that does not finish its greeting is given up in time`(count: Int) async throws {
        var configuration = ClientConfiguration.defaults
        configuration.timeouts.handshake = .milliseconds(300)
        let error = try await Self.refusal(configuration) { peer in
            try await peer.send(Array((WireFrame.preamble + RawHello().frame(Kind.welcome).encoded).prefix(count)))
            _ = try await peer.readToEnd()
        }
        #expect(error.failure?.code == .handshakeTimeout)
    }

    @Test func `a service that closes at once is closed`() async throws {
        let error = try await Self.refusal { peer in peer.close() }
        #expect(error.code == .closed)
        #expect(error.failure?.code == .connectionLost)
    }

    static let welcomes: [(String, WireFrame)] = [
        ("a version that was not offered", RawHello(versions: [1, 1]).frame(Kind.welcome)),
        ("a feature that was not offered", RawHello(features: 1).frame(Kind.welcome)),
        ("a maximum message of 0", RawHello(maximumMessage: 0).frame(Kind.welcome)),
        ("no fields", WireFrame(Kind.welcome)),
        ("a HELLO in its place", RawHello().frame()),
        ("an answer in its place", WireFrame(Kind.response, stream: 1, lane: 2, [1])),
    ]

    @Test(arguments: welcomes) func `a bad welcome is a violation`(name: String, frame: WireFrame) async throws {
        let error = try await Self.refusal { peer in
            try await peer.send(WireFrame.preamble + frame.encoded)
            _ = try await peer.readToEnd()
        }
        #expect(error.code == .closed)
        #expect(error.failure?.code == .protocolViolation)
    }

    // MARK: Calls

    static let lies: [(String, [UInt8], FailureCode)] = [
        ("a frame over the limit", WireFrame(Kind.response, stream: 1, lane: 2, [UInt8](repeating: 0, count: 65_537)).header, .frameTooLarge),
        ("a reply that announces more than is allowed", WireFrame(Kind.response, stream: 1, flags: 1, lane: 2, WireFrame.u32(1 << 30) + [1]).encoded, .tooLarge),
        ("an unknown kind", WireFrame(50).encoded, .protocolViolation),
        ("a failure that lies about its sentence", WireFrame(Kind.failure, stream: 1, lane: 2, WireFrame.u32(1) + WireFrame.u16(99)).encoded, .protocolViolation),
        ("a request on a stream of ours", WireFrame.request(3, "x").encoded, .protocolViolation),
        ("an end of items from the callee", WireFrame(Kind.end, stream: 1, lane: 2).encoded, .protocolViolation),
        ("credit beyond all bounds", WireFrame(Kind.credit, WireFrame.u32(.max)).encoded, .flowControl),
        ("a second welcome", RawHello().frame(Kind.welcome).encoded, .protocolViolation),
    ]

    @Test(arguments: lies) func `a lie ends the connection with its code, and the call with an unknown outcome`(name: String, bytes: [UInt8], code: FailureCode) async throws {
        let error = try await Self.failure { peer in
            try await peer.send(bytes)
            try await peer.expectGoodbye(code)
        }
        #expect(error.code == .connectionLost)
        #expect(error.outcome == .unknown)
        #expect(error.sentence.contains("\(code)"))
    }

    @Test(arguments: [0, 1, 15, 40]) func `a service that leaves in the middle of its answer leaves the outcome unknown`(count: Int) async throws {
        let error = try await Self.failure { peer in
            try await peer.send(Array(WireFrame(Kind.response, stream: 1, lane: 2, [UInt8](repeating: 0, count: 100)).encoded.prefix(count)))
            peer.close()
        }
        #expect(error.code == .connectionLost)
    }

    @Test func `items beyond what was granted end the connection`() async throws {
        var configuration = ClientConfiguration.defaults
        configuration.limits.announced.itemWindow = 100
        try await withLiar(configuration) { peer in
            try await peer.welcome()
            _ = try await peer.frame(of: Kind.request)
            let item = WireFrame(Kind.item, stream: 1, flags: 0x10, lane: 2, [UInt8](repeating: 0x20, count: 200))
            try await peer.send(item, item)
            try await peer.expectGoodbye(.flowControl)
        } _: { endpoint, configuration, log in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                let items = try await client.open(Count(to: 1))
                let entry = try await log.entry("the connection ended: closed by this side, flowControl")
                #expect(entry.level == .warning)
                let error = try await errorOf(CallError.self) { for try await _ in items {} }
                #expect(error.code == .invalidReply || error.code == .connectionLost)
            }
        }
    }

    @Test func `answers to nobody and second answers are dropped`() async throws {
        try await withLiar { peer in
            try await peer.welcome()
            let first = try await peer.frame(of: Kind.request)
            let answer = WireFrame(Kind.response, stream: first!.stream, lane: 2, [1])
            try await peer.send(
                WireFrame(Kind.response, stream: 99, lane: 2, [9]), answer, answer, WireFrame(Kind.failure, stream: first!.stream, lane: 2, WireFrame.failureBody(8)))
            let second = try await peer.frame(of: Kind.request)
            try await peer.send(WireFrame(Kind.response, stream: second!.stream, lane: 2, [2]))
            _ = try await peer.readToEnd()
        } _: { endpoint, configuration, _ in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                let first = try await client.call("x", payload: [])
                let second = try await client.call("x", payload: [])
                #expect(first.bytes == [1] && second.bytes == [2])
            }
        }
    }

    @Test func `an answer that does not decode fails its call alone`() async throws {
        try await withLiar { peer in
            try await peer.welcome()
            for text in ["{", "{\"value\":5}"] {
                let request = try await peer.frame(of: Kind.request)
                try await peer.send(WireFrame(Kind.response, stream: request!.stream, flags: 0x10, lane: 2, Array(text.utf8)))
            }
            _ = try await peer.readToEnd()
        } _: { endpoint, configuration, _ in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                let error = try await errorOf(CallError.self) { _ = try await client.call(Add(left: 1, right: 1)) }
                #expect(error.code == .invalidReply)
                #expect(try await client.call(Add(left: 1, right: 1)) == Sum(value: 5))
            }
        }
    }

    @Test func `a service that reads nothing is closed, and what waited for it was not begun`() async throws {
        var configuration = ClientConfiguration.defaults
        configuration.timeouts.write = .milliseconds(300)
        let done = Recorded<Void>()
        try await withLiar(configuration) { peer in
            try await peer.welcome()
            try await done.wait()
        } _: { endpoint, configuration, log in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                let payload = [UInt8](repeating: 1, count: 900_000)
                let codes = await withTaskGroup(of: FailureCode?.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            do {
                                _ = try await client.call("x", payload: payload)
                                return nil
                            } catch {
                                return (error as? CallError)?.code
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(codes.count == 8)
                #expect(codes.allSatisfy { $0 == .connectionLost || $0 == .unavailable })
                #expect(codes.contains(.connectionLost) && codes.contains(.unavailable))
                done.signal()
            }
        }
    }

    @Test func `calls beyond those that may wait fail at once`() async throws {
        var configuration = ClientConfiguration.defaults
        configuration.limits.waitingCalls = 3
        let done = Recorded<Void>()
        try await withLiar(configuration) { peer in
            try await peer.welcome(RawHello(callsInFlight: 2))
            try await done.wait()
        } _: { endpoint, configuration, _ in
            try await Client.connect(to: endpoint, configuration: configuration) { client in
                let ends = Recorded<FailureCode>()
                await withTaskGroup { group in
                    for _ in 0..<10 {
                        group.addTask {
                            do { _ = try await client.call("x", payload: []) } catch let error as CallError { ends.append(error.code) } catch {}
                        }
                    }
                    // Two are in flight and three wait; the others have nowhere to go.
                    try? await ends.wait { $0.count == 5 }
                    #expect(ends.all.allSatisfy { $0 == .resourceExhausted })
                    group.cancelAll()
                }
                #expect(ends.all.count { $0 == .cancelled } == 5)
                done.signal()
            }
        }
    }
}
