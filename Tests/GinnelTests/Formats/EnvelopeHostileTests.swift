// Peers of the envelope format that want more than their part, or say what no type can be read from: over real connections, beside neighbours.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EnvelopeHostileTests {
    private static func message(_ json: String) -> [UInt8] { WireFrame.u32(UInt32(json.utf8.count)) + Array(json.utf8) }

    /// The next message that a peer hears, as text.
    private static func next(_ peer: RawPeer) async throws -> String {
        let length = Int(WireFrame.u32(try await peer.read(4)[...]))
        return String(decoding: try await peer.read(length), as: UTF8.self)
    }

    private static func client(_ received: Set<String> = []) -> ClientConfiguration {
        var configuration = ClientConfiguration.quiet
        configuration.format = .envelope(received: received)
        return configuration
    }

    // MARK: What a user may have in hand

    /// Asks, vanishes and comes again until nothing more is begun, while `neighbour` looks on.
    private static func askAndVanish(_ running: Running, _ begun: Recorded<Void>, _ release: Recorded<Void>, neighbour: () async throws -> Void) async throws {
        // Fifteen requests of one byte, counted 4,096 longer, fit into 65,536.
        for number in 1...15 {
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(message(#"{"type":"WAIT","payload":1}"#))
            try await begun.wait(for: number)
            peer.close()
        }
        try await neighbour()
        for _ in 0..<3 {
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(message(#"{"type":"HEARTBEAT"}"#))
            #expect(try await next(peer).contains("ACKNOWLEDGMENT"))
            try await peer.send(message(#"{"type":"WAIT","payload":1}"#))
            #expect(try await peer.readToEnd().isEmpty)
        }
        let ended = try await running.log.entry("a connection ended", "connections.requestBytesPerUser").metadata
        #expect(ended["reason"] == "resourceExhausted" && ended["limit"] == "connections.requestBytesPerUser" && ended["by"] == "us")
        #expect(begun.count == 15)
        try await neighbour()
        release.signal()
        // Whoever came last has its place back when the first are done.
        while true {
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(message(#"{"type":"WAIT","payload":1}"#))
            peer.endWriting()
            let answer = try await peer.readToEnd()
            if !answer.isEmpty { break }
        }
        try await neighbour()
    }

    private static func service(at path: String, _ log: LogRecorder, _ begun: Recorded<Void>, _ release: Recorded<Void>, access: Access) -> Service {
        var configuration = ServiceConfiguration.defaults
        configuration.log = log.log
        configuration.connections.requestBytesPerUser = 65_536
        let service = Service(at: .path(path), format: .envelope(), access: access, configuration: configuration)
        service.handle("WAIT") { _, _ async throws -> [UInt8] in
            begun.signal()
            try await release.wait()
            return []
        }
        service.handle("ECHO") { _, _ in [] }
        return service
    }

    @Test func `a peer that asks, vanishes and comes again leaves no more in hand than its user may have`() async throws {
        try await withDirectory { directory in
            let (log, begun, release) = (LogRecorder(), Recorded<Void>(), Recorded<Void>())
            let service = Self.service(at: directory + "/s", log, begun, release, access: .currentUser)
            try await withRunning(Running(service: service, path: directory + "/s", log: log)) { running in
                try await Self.askAndVanish(running, begun, release) {
                    // Who is of the same user is let in, and only asks in vain.
                    try await Client.connect(to: running.endpoint, configuration: Self.client()) { _ = try await $0.ping() }
                }
            }
        }
    }

    @Test(.enabled(if: Child.isRoot, "plays other users, which only root can"))
    func `what one user has in hand is no matter of another's`() async throws {
        try await withDirectory { directory in
            chmod(directory, 0o755)
            let (log, begun, release) = (LogRecorder(), Recorded<Void>(), Recorded<Void>())
            let service = Self.service(at: directory + "/s", log, begun, release, access: .anyLocalUser)
            try await withRunning(Running(service: service, path: directory + "/s", log: log)) { running in
                let neighbour = try Child(["call", "--endpoint", running.path, "--user", "12001", "--policy", "any", "--format", "envelope"])
                try await neighbour.line("connected")
                try await Self.askAndVanish(running, begun, release) {
                    let answer = try await neighbour.ask("call ECHO")
                    #expect(answer == "reply ")
                }
            }
        }
    }

    @Test func `an id is known among the messages of one user alone`() throws {
        let format = WireFormat.envelope()
        let accounts = Guarded(RequestAccounts(limit: RequestAccounts.overhead))
        func machine(_ user: UInt32) -> any SessionMachine {
            format.machine(
                WireFormat.Ingredients(
                    role: .service, service: "", peer: PeerIdentity(user: user), identity: Identity(high: 1, low: 2), program: "", requests: accounts,
                    limits: .defaults, timeouts: .defaults, checksums: false))
        }
        let text = Self.message(#"{"id":"0a1b2c3d-4e5f-4a6b-8c7d-000000000001","type":"X"}"#)
        var ends = [MachineEnd(machine(1)), MachineEnd(machine(2)), MachineEnd(machine(1))]
        for index in ends.indices {
            ends[index].start()
            ends[index].receive(text)
        }
        #expect(ends.map(\.requests.count) == [1, 1, 0])
        // The third waits for the answer to the first, and has begun nothing that counts.
        let inHand = [1, 2].map { user in accounts.withLock { $0.total(OutputOwner(PeerIdentity(user: user))) } }
        #expect(inHand == [4096, 4096])
        #expect(ends.allSatisfy { $0.closed == nil })
        ends[0].submit(.reply(call: 1, codec: .json, payload: Array(#"{"type":"Y","payload":"secret"}"#.utf8)))
        ends[1].submit(.reply(call: 1, codec: .json, payload: []))
        for index in ends.indices {
            ends[index].now = ends[index].now.advanced(by: .milliseconds(100))
            ends[index].timeOut()
        }
        let said = ends.indices.map { String(decoding: ends[$0].takeAll(), as: UTF8.self).contains("secret") }
        #expect(said == [true, false, true])
    }

    // MARK: What cannot be read

    @Test func `a one-way message that cannot be read is answered so, and the connection stays`() async throws {
        try await withRunning(format: .envelope()) { service in
            service.handle(Envelope.UserAction.self) { _, _ in Nothing() }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            for payload in ["[]", "7", #"{"userId":1}"#, #""""#, #"{"details":{"\#(String(repeating: "\u{301}\u{316}", count: 100_000))":1}}"#] {
                try await peer.send(Self.message(#"{"id":"m","type":"USER_ACTION","payload":\#(payload)}"#))
                // What is no JSON by our rules is no message at all.
                if payload.utf8.count > 20 { break }
                #expect(try await Self.next(peer).contains(#""originalMessageId":"m","success":false,"error":"Failed to deserialize payload""#))
            }
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry("a connection ended", "protocolViolation", "combining marks")
            try await running.connect(Self.client()) { client in
                try await client.send(EventProbe())
                _ = try await client.call(Envelope.UserAction(userId: "u", action: "a"))
            }
        }
    }

    @Test func `an agent refuses what it receives and cannot read, misses an event that it cannot, and stays`() async throws {
        try await withRunning(format: .envelope()) { service in
            service.handle(Envelope.UserAction.self) { _, _ in Nothing() }
        } _: { running in
            let client = Client(to: running.endpoint, configuration: Self.client(["SHUTDOWN_REQUEST"]))
            let told = Recorded<String>()
            client.receive(Envelope.ShutdownRequest.self) { request, _ in told.append(request.reason) }
            var events = client.events(of: Envelope.StatusUpdate.self).makeAsyncIterator()
            let run = Task { try await client.run() }
            _ = try await client.call(Envelope.UserAction(userId: "u", action: "a"))
            let connection = try #require(running.service.connections.first)
            let refused = try await errorOf(CallError.self) { _ = try await connection.call("SHUTDOWN_REQUEST", codec: .json, payload: Array(#"{"reason":7}"#.utf8)) }
            #expect(refused == CallError(.invalidRequest, "Failed to deserialize payload"))
            #expect(connection.submit(.event(name: "STATUS_UPDATE", codec: .json, payload: Array("[]".utf8), lane: .normal)) != .ended)
            // One of ours that is no JSON is not sent at all.
            #expect(connection.submit(.event(name: "STATUS_UPDATE", codec: .json, payload: Array("nan".utf8), lane: .normal)) == .ended)
            #expect(try connection.send(Envelope.StatusUpdate(overallStatus: "ready")))
            #expect(await events.next() == .lagged(1))
            #expect(await events.next() == .event(Envelope.StatusUpdate(overallStatus: "ready")))
            _ = try await connection.call("SHUTDOWN_REQUEST", codec: .json, payload: Envelope.ShutdownRequest(reason: "now").encoded())
            #expect(told.all == ["now"])
            client.close()
            _ = try await run.value
        }
    }

    // MARK: Waiting for each other

    @Test func `two handlers that call each other go on, though the service serves one call at a time`() async throws {
        var configuration = ServiceConfiguration.quiet
        configuration.limits.announced.callsInFlight = 1
        try await withRunning(configuration, format: .envelope()) { service in
            service.handle(Envelope.BackupStarted.self) { _, context async throws in
                _ = try await context.connection.call("SHUTDOWN_REQUEST", codec: .json, payload: Envelope.ShutdownRequest(reason: "r").encoded())
                return Nothing()
            }
            service.handle(Envelope.UserAction.self) { _, _ in Nothing() }
        } _: { running in
            let client = Client(to: running.endpoint, configuration: Self.client(["SHUTDOWN_REQUEST"]))
            client.receive(Envelope.ShutdownRequest.self) { _, _ in _ = try await client.call(Envelope.UserAction(userId: "u", action: "a")) }
            let run = Task { try await client.run() }
            for _ in 0..<10 { _ = try await client.call(Envelope.BackupStarted(userId: "u")) }
            client.close()
            _ = try await run.value
        }
    }
}

/// A one-way message that the service reads as a `UserAction`, in vain.
private struct EventProbe: Event {
    static let name = "USER_ACTION"
    var userId = 7
}
