// The envelope format (docs/formats/envelope.md) through the same Service and Client as the native protocol.

import Ginnel
import GinnelCore
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EnvelopeServiceTests {
    private static func configuration(_ format: WireFormat = .envelope()) -> ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = format
        return configuration
    }

    private static func message(_ json: String) -> [UInt8] { WireFrame.u32(UInt32(json.utf8.count)) + Array(json.utf8) }

    private static func withAgents<Result: Sendable>(_ prepare: (Service) -> Void = { _ in }, _ body: (Running) async throws -> Result) async throws -> Result {
        try await withRunning(format: .envelope()) {
            $0.handle(Envelope.AgentStarted.self) { agent, _ in
                agent.userId == "quiet" ? .acknowledged : try Envelope.Answer(Envelope.StatusUpdate(overallStatus: "ready", readyUsers: [agent.userId], totalUsers: 1))
            }
            $0.handle(Envelope.UserAction.self) { action, _ in
                if action.action == "fail" { throw CallError(.resourceExhausted, "no room") }
                return Nothing()
            }
            prepare($0)
        } _: {
            try await body($0)
        }
    }

    @Test func `a service that is cut off ends a handler whose connection is long gone`() async throws {
        let began = Recorded<Void>()
        let cancelled = Recorded<Void>()
        try await Self.withAgents {
            $0.handle("WAIT") { _, _ async throws -> [UInt8] in
                began.signal()
                await DeadlineTests.waitForCancellation()
                cancelled.signal()
                return []
            }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.message(#"{"type":"WAIT"}"#))
            try await began.wait()
            peer.close()
            try await running.log.entry("ended")
        }
        try await cancelled.wait()
    }

    // MARK: Messages

    /// Encodes a message and reads it again.
    private static func checkRoundTrip<Payload: Message & Equatable>(_ payload: Payload) throws {
        let bytes = try payload.encoded()
        let again = try Payload(decoding: bytes.span.bytes)
        #expect(again == payload)
    }

    @Test func `all fourteen messages are read as they were written`() throws {
        let time = try #require(Envelope.Time("2024-01-01T12:00:00.1234567Z"))
        try Self.checkRoundTrip(Envelope.BackupRequest(userId: "u", priority: "urgent", deadline: time, categories: ["files"]))
        try Self.checkRoundTrip(Envelope.StatusUpdate(overallStatus: "blocked", blockingUsers: ["a"], readyUsers: ["b"], totalUsers: 2))
        try Self.checkRoundTrip(Envelope.EscalationNotice(reason: "large_pst", details: "d", ticketNumber: "7"))
        try Self.checkRoundTrip(
            Envelope.ConfigurationUpdate(key: "k", value: .object(["a": .array([.null, .boolean(false), .integer(.min), .number(0.5), .string("é")])]), scope: "machine"))
        try Self.checkRoundTrip(Envelope.ShutdownRequest(reason: "r", gracePeriodSeconds: 5))
        try Self.checkRoundTrip(Envelope.AgentStarted(userId: "u", agentVersion: "1", sessionId: "s"))
        try Self.checkRoundTrip(Envelope.BackupStarted(userId: "u", categories: ["email"], estimatedSizeMB: 12.5))
        try Self.checkRoundTrip(Envelope.BackupProgress(userId: "u", category: "c", progress: 99.5, currentFile: "f", bytesTransferred: .max, bytesTotal: .max))
        try Self.checkRoundTrip(
            Envelope.BackupCompleted(userId: "u", success: true, manifestPath: "/m", categories: ["files": .init(success: false, itemCount: 3, error: "e")]))
        try Self.checkRoundTrip(Envelope.DelayRequest(userId: "u", reason: "r", requestedDelay: 3600, delaysUsed: 2))
        try Self.checkRoundTrip(Envelope.UserAction(userId: "u", action: "a", details: ["x": .integer(1)]))
        try Self.checkRoundTrip(Envelope.ErrorReport(userId: "u", errorCode: "E1", message: "m", stackTrace: "s", context: ["y": .null]))
        try Self.checkRoundTrip(Envelope.Heartbeat(senderId: "s", timestamp: time, sequenceNumber: 9))
        try Self.checkRoundTrip(Envelope.Acknowledgment(originalMessageId: "i", success: false, error: "e", timestamp: time))
    }

    private static func read<Payload: Message>(_ json: String, as type: Payload.Type = Payload.self) throws -> Payload { try Payload(decoding: Array(json.utf8).span.bytes) }

    /// A message is written as this text, and read from it.
    private static func check<Payload: Message & Equatable>(_ payload: Payload, _ json: String) throws {
        #expect(String(decoding: try payload.encoded(), as: UTF8.self) == json)
        #expect(try read(json) == payload)
    }

    @Test func `all fourteen messages have the members that the format names`() throws {
        let noon = try #require(Envelope.Time("2024-01-01T12:00:00.1234567Z"))
        try Self.check(
            Envelope.BackupRequest(userId: "u", priority: "urgent", deadline: noon, categories: ["files", "email"]),
            #"{"categories":["files","email"],"deadline":"2024-01-01T12:00:00.1234567Z","priority":"urgent","userId":"u"}"#)
        try Self.check(
            Envelope.StatusUpdate(overallStatus: "blocked", blockingUsers: ["a"], readyUsers: ["b", "c"], totalUsers: 3),
            #"{"blockingUsers":["a"],"overallStatus":"blocked","readyUsers":["b","c"],"totalUsers":3}"#)
        try Self.check(
            Envelope.EscalationNotice(reason: "quota_exceeded", details: "d", ticketNumber: "T-7"), #"{"details":"d","reason":"quota_exceeded","ticketNumber":"T-7"}"#)
        try Self.check(
            Envelope.ConfigurationUpdate(key: "k", value: .object(["a": .array([.null, .boolean(true), .integer(2)])]), scope: "machine"),
            #"{"key":"k","scope":"machine","value":{"a":[null,true,2]}}"#)
        try Self.check(Envelope.ShutdownRequest(reason: "r", gracePeriodSeconds: 5), #"{"gracePeriodSeconds":5,"reason":"r"}"#)
        try Self.check(Envelope.AgentStarted(userId: "u", agentVersion: "1.0", sessionId: "2"), #"{"agentVersion":"1.0","sessionId":"2","userId":"u"}"#)
        try Self.check(Envelope.BackupStarted(userId: "u", categories: ["email"], estimatedSizeMB: 12.5), #"{"categories":["email"],"estimatedSizeMB":12.5,"userId":"u"}"#)
        try Self.check(
            Envelope.BackupProgress(userId: "u", category: "files", progress: 99.5, currentFile: "a/b", bytesTransferred: 199, bytesTotal: 200),
            #"{"bytesTotal":200,"bytesTransferred":199,"category":"files","currentFile":"a/b","progress":99.5,"userId":"u"}"#)
        try Self.check(
            Envelope.BackupCompleted(userId: "u", success: false, manifestPath: "/m", categories: ["files": .init(success: false, itemCount: 3, error: "e")]),
            #"{"categories":{"files":{"error":"e","itemCount":3,"success":false}},"manifestPath":"/m","success":false,"userId":"u"}"#)
        try Self.check(
            Envelope.DelayRequest(userId: "u", reason: "r", requestedDelay: 3600, delaysUsed: 2), #"{"delaysUsed":2,"reason":"r","requestedDelay":3600,"userId":"u"}"#)
        try Self.check(Envelope.UserAction(userId: "u", action: "a", details: ["x": .string("é")]), #"{"action":"a","details":{"x":"é"},"userId":"u"}"#)
        try Self.check(
            Envelope.ErrorReport(userId: "u", errorCode: "E1", message: "m", stackTrace: "s", context: ["y": .number(0.5)]),
            #"{"context":{"y":0.5},"errorCode":"E1","message":"m","stackTrace":"s","userId":"u"}"#)
        try Self.check(
            Envelope.Heartbeat(senderId: "s", timestamp: noon, sequenceNumber: 9), #"{"senderId":"s","sequenceNumber":9,"timestamp":"2024-01-01T12:00:00.1234567Z"}"#)
        try Self.check(
            Envelope.Acknowledgment(originalMessageId: "i", success: false, error: "e", timestamp: noon),
            #"{"error":"e","originalMessageId":"i","success":false,"timestamp":"2024-01-01T12:00:00.1234567Z"}"#)
        let types = [
            Envelope.BackupRequest.type, Envelope.StatusUpdate.type, Envelope.EscalationNotice.type, Envelope.ConfigurationUpdate.type, Envelope.ShutdownRequest.type,
            Envelope.AgentStarted.type, Envelope.BackupStarted.type, Envelope.BackupProgress.type, Envelope.BackupCompleted.type, Envelope.DelayRequest.type,
            Envelope.UserAction.type, Envelope.ErrorReport.type, Envelope.Heartbeat.type, Envelope.Acknowledgment.type,
        ]
        #expect(
            types == [
                "BACKUP_REQUEST", "STATUS_UPDATE", "ESCALATION_NOTICE", "CONFIGURATION_UPDATE", "SHUTDOWN_REQUEST", "AGENT_STARTED", "BACKUP_STARTED", "BACKUP_PROGRESS",
                "BACKUP_COMPLETED", "DELAY_REQUEST", "USER_ACTION", "ERROR_REPORT", "HEARTBEAT", "ACKNOWLEDGMENT",
            ])
    }

    @Test func `what a message leaves out has the format's default`() throws {
        #expect(try Self.read("{}") == Envelope.BackupRequest(userId: "", priority: "normal", deadline: nil, categories: []))
        #expect(try Self.read(#"{"reason":null}"#) == Envelope.ShutdownRequest(reason: "", gracePeriodSeconds: 30))
        #expect(try Self.read(#"{"key":"k","value":1e2}"#) == Envelope.ConfigurationUpdate(key: "k", value: .integer(100), scope: "user"))
        #expect(try Self.read(#"{"userId":"u","version":"3","sessionId":12}"#) == Envelope.AgentStarted(userId: "u", agentVersion: "3", sessionId: "12"))
        #expect(try Self.read(#"{"categories":{"files":{}}}"#) == Envelope.BackupCompleted(userId: "", success: false, categories: ["files": .init(success: false, itemCount: 0)]))
        let nothing = try Envelope.BackupProgress(userId: "u", category: "c", progress: 1).encoded()
        #expect(String(decoding: nothing, as: UTF8.self) == #"{"bytesTotal":0,"bytesTransferred":0,"category":"c","progress":1,"userId":"u"}"#)
        for wrong in [#"{"deadline":"soon"}"#, #"{"userId":1}"#, #"{"categories":{}}"#, "[]", ""] {
            #expect(throws: (any Error).self) { try Self.read(wrong, as: Envelope.BackupRequest.self) }
        }
    }

    // MARK: Calls

    @Test func `the golden heartbeat is acknowledged`() async throws {
        try await Self.withAgents { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send([0x46, 0, 0, 0] + Array(#"{"id":"test-id","type":"HEARTBEAT","timestamp":"2024-01-01T12:00:00Z"}"#.utf8))
            let length = Int(WireFrame.u32(try await peer.read(4)[...]))
            let text = String(decoding: try await peer.read(length), as: UTF8.self)
            #expect(text.contains(#","type":"ACKNOWLEDGMENT","timestamp":"20"#))
            #expect(text.contains(#","payload":{"originalMessageId":"test-id","success":true,"timestamp":"20"#))
            peer.endWriting()
            #expect(try await peer.readToEnd().isEmpty)
        }
    }

    @Test func `handlers answer with an acknowledgement, a message or a failure`() async throws {
        try await Self.withAgents { running in
            try await running.connect(Self.configuration()) { client in
                let quiet = try await client.call(Envelope.AgentStarted(userId: "quiet"))
                #expect(quiet == .acknowledged)
                let answer = try await client.call(Envelope.AgentStarted(userId: "u"))
                #expect(try answer.payload() == Envelope.StatusUpdate(overallStatus: "ready", readyUsers: ["u"], totalUsers: 1))
                #expect(try answer.payload(as: Envelope.BackupRequest.self) == nil)
                _ = try await client.call(Envelope.UserAction(userId: "u", action: "a"))
                let failed = try await errorOf(CallError.self) { _ = try await client.call(Envelope.UserAction(userId: "u", action: "fail")) }
                #expect(failed == CallError(FailureCode(rawValue: 1000), "Error handling message: no room"))
                let unknown = try await errorOf(CallError.self) { _ = try await client.call(Envelope.ErrorReport(userId: "u", errorCode: "e")) }
                #expect(unknown == CallError(.unknownMethod, "No handler registered for message type: ERROR_REPORT"))
                let wrong = try await errorOf(CallError.self) { _ = try await client.call("USER_ACTION", codec: .json, payload: Array("[]".utf8)) }
                #expect(wrong.code == .invalidRequest)
                _ = try await client.ping()
            }
        }
    }

    @Test func `five agents at once are served, and know nothing of each other`() async throws {
        try await Self.withAgents { running in
            try await withThrowingTaskGroup { group in
                for number in 0..<5 {
                    group.addTask {
                        try await running.connect(Self.configuration()) { client in
                            for _ in 0..<20 {
                                let answer = try await client.call(Envelope.AgentStarted(userId: "\(number)"))
                                #expect(try answer.payload() == Envelope.StatusUpdate(overallStatus: "ready", readyUsers: ["\(number)"], totalUsers: 1))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a payload of 100 KB arrives, and one that is too long is refused before it leaves`() async throws {
        let seen = Recorded<Int>()
        try await Self.withAgents {
            $0.handle(Envelope.ErrorReport.self) { report, _ in
                seen.append(report.message.utf8.count)
                return Nothing()
            }
        } _: { running in
            try await running.connect(Self.configuration()) { client in
                _ = try await client.call(Envelope.ErrorReport(userId: "u", errorCode: "e", message: String(repeating: "x", count: 100 << 10)))
                let long = try await errorOf(CallError.self) {
                    _ = try await client.call(Envelope.ErrorReport(userId: "u", errorCode: "e", message: String(repeating: "x", count: 1 << 20)))
                }
                #expect(long.code == .tooLarge)
                #expect(seen.all == [100 << 10])
            }
        }
    }

    // MARK: Pushes and connections

    @Test func `a push reaches one agent, a broadcast all, and one that has gone none`() async throws {
        try await Self.withAgents { running in
            try await running.connect(Self.configuration()) { first in
                let events = first.events(of: Envelope.StatusUpdate.self)
                _ = try await first.call(Envelope.AgentStarted(userId: "quiet"))
                let one = try #require(running.service.connections.first)
                try await running.connect(Self.configuration()) { second in
                    var others = second.events(of: Envelope.StatusUpdate.self).makeAsyncIterator()
                    _ = try await second.call(Envelope.AgentStarted(userId: "quiet"))
                    #expect(try one.send(Envelope.StatusUpdate(overallStatus: "waiting")))
                    #expect(try running.service.broadcast(Envelope.StatusUpdate(overallStatus: "ready")) == 2)
                    var updates = events.makeAsyncIterator()
                    let (mine, theirs) = (await [updates.next(), updates.next()], await others.next())
                    #expect(mine == [.event(Envelope.StatusUpdate(overallStatus: "waiting")), .event(Envelope.StatusUpdate(overallStatus: "ready"))])
                    #expect(theirs == .event(Envelope.StatusUpdate(overallStatus: "ready")))
                }
                try await running.log.entry("a connection ended")
                #expect(try running.service.broadcast(Envelope.StatusUpdate(overallStatus: "blocked")) == 1)
                #expect(running.service.connections.count == 1)
            }
        }
    }

    @Test func `what an agent receives is acknowledged to the service's call when it is done`() async throws {
        try await Self.withAgents { running in
            let client = Client(to: running.endpoint, configuration: Self.configuration(.envelope(received: ["SHUTDOWN_REQUEST", "CONFIGURATION_UPDATE"])))
            let told = Recorded<Int>()
            client.receive(Envelope.ShutdownRequest.self) { request, _ in
                if request.reason == "no" { throw CallError(.forbidden, "not now") }
                told.append(request.gracePeriodSeconds)
            }
            let run = Task { try await client.run() }
            _ = try await client.call(Envelope.AgentStarted(userId: "quiet"))
            let connection = try #require(running.service.connections.first)
            func ask(_ payload: some EnvelopePayload) async throws { _ = try await connection.call(payload.encodedType, codec: .json, payload: payload.encoded()) }
            try await ask(Envelope.ShutdownRequest(reason: "yes"))
            #expect(told.all == [30])
            let refused = try await errorOf(CallError.self) { try await ask(Envelope.ShutdownRequest(reason: "no")) }
            #expect(refused.sentence == "Error handling message: forbidden")
            let unknown = try await errorOf(CallError.self) { try await ask(Envelope.ConfigurationUpdate(key: "k", value: .null)) }
            #expect(unknown.code == .unknownMethod)
            let unkept = try await errorOf(GinnelError.self) { _ = try await connection.send(Envelope.ShutdownRequest(), delivery: .acknowledged) }
            #expect(unkept.code == .unsupported)
            client.close()
            _ = try await run.value
        }
    }

    // MARK: Delivery

    @Test func `messages are kept over the end of the service, arrive in order, and once`() async throws {
        try await withDirectory { directory in
            let seen = Recorded<Swift.Double>()
            let format = WireFormat.envelope()
            func serve(_ body: (Running) async throws -> Void) async throws {
                let log = LogRecorder()
                var configuration = ServiceConfiguration.defaults
                configuration.log = log.log
                let service = Service(at: .path(directory + "/s"), format: format, configuration: configuration)
                service.handle(Envelope.BackupProgress.self) { progress, _ in
                    seen.append(progress.progress)
                    return Nothing()
                }
                try await withRunning(Running(service: service, path: directory + "/s", log: log), body)
            }
            let client = Client(to: .path(directory + "/s"), reconnect: .exponential(Backoff(cap: .milliseconds(100)), attempts: nil), configuration: Self.configuration())
            let run = Task { try await client.run() }
            func send(_ numbers: ClosedRange<Int>) async throws {
                for number in numbers { _ = try await client.send(Envelope.BackupProgress(userId: "u", category: "c", progress: Swift.Double(number)), delivery: .acknowledged) }
            }
            try await send(1...100)
            try await serve { _ in
                try await seen.wait { $0.count >= 100 }
                try await send(101...150)
            }
            try await send(151...300)
            try await serve { _ in try await client.flush() }
            #expect(seen.all == (1...300).map { Swift.Double($0) })
            client.close()
            _ = try await run.value
        }
    }

    @Test func `the numbers of the system are there to be used`() {
        let policy = ReconnectPolicy.envelope
        #expect(policy.attempts == 10)
        #expect([1, 2, 3, 7].map { policy.backoff.bound(after: $0) } == [.seconds(5), .seconds(10), .seconds(20), .seconds(300)])
        #expect(ClientConfiguration.defaults.connectTimeout == .seconds(30))
        #expect(ClientConfiguration.defaults.timeouts.heartbeat == .seconds(30))
    }

    // MARK: Neighbours

    @Test func `a native neighbour is not harmed by what strangers do`() async throws {
        try await withDirectory { directory in
            let strange = directory + "/e"
            try await withNeighbour {
                $0.listen(at: .path(strange), format: .envelope())
                $0.handle(Envelope.UserAction.self) { _, _ in Nothing() }
            } _: { running, neighbour in
                for bytes in [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], Self.message("null"), Self.message(#"{"type":7}"#), Self.message(#"{"a":1,"a":2}"#), WireFrame.preamble] {
                    let peer = try RawPeer(connectingTo: strange)
                    try await peer.send(bytes)
                    peer.endWriting()
                    #expect(try await peer.readToEnd().isEmpty)
                    try await neighbour.check()
                }
                try await running.log.entry("a connection ended", "protocolViolation", "a message length of 0")
                var configuration = Self.configuration()
                configuration.log = running.log.log
                try await Client.connect(to: .path(strange), configuration: configuration) { _ = try await $0.call(Envelope.UserAction(userId: "u", action: "a")) }
            }
        }
    }

    @Test func `a graceful end answers what is in hand`() async throws {
        let begun = Recorded<Void>()
        let release = Recorded<Void>()
        try await Self.withAgents {
            $0.handle(Envelope.BackupStarted.self) { _, _ async throws in
                begun.signal()
                try await release.wait()
                return Nothing()
            }
        } _: { running in
            try await running.connect(Self.configuration()) { client in
                let call = Task { try await client.call(Envelope.BackupStarted(userId: "u")) }
                try await begun.wait()
                running.service.beginGracefulShutdown()
                release.signal()
                _ = try await call.value
            }
        }
    }
}

extension EnvelopePayload {
    fileprivate var encodedType: String { Self.type }
}
