// Services whose connections begin in shared memory, in every format, and what becomes of peers that expect something else.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct StreamServiceTests {
    private struct AddTagged: Request {
        typealias Response = Sum
        static let method = "add"
        var type = "add"
        var left: Int
        var right: Int
    }

    private static func configuration(_ format: WireFormat = .native, _ transports: Set<Transport>? = [.sharedMemory]) -> ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = format
        configuration.transports = transports
        return configuration
    }

    /// A service that gives up soon on peers that say nothing.
    private static var impatient: ServiceConfiguration {
        var configuration = ServiceConfiguration.defaults
        configuration.timeouts.handshake = .milliseconds(500)
        return configuration
    }

    /// After a call of the only client, so that the service has the connection too.
    private static func expectSharedMemory(_ client: Client, _ running: Running) {
        #expect(client.transport == .sharedMemory)
        #expect(running.service.connections.map(\.transport) == [.sharedMemory])
    }

    // MARK: Every format

    @Test func `native sessions begin in shared memory`() async throws {
        try await withRunning(transports: [.sharedMemory]) { running in
            try await running.connect(Self.configuration()) { client in
                for size in [0, 1, 1_000, 65_536, 1_000_000] {
                    let payload = ChannelEnd.pattern(size, seed: UInt64(size))
                    let reply = try await client.call("echo", payload: payload)
                    #expect(reply.bytes == payload)
                }
                Self.expectSharedMemory(client, running)
                var numbers: [Int] = []
                for try await sum in try await client.open(Count(to: 1_000)) { numbers.append(sum.value) }
                #expect(numbers == Array(0..<1_000))
                #expect(running.log.count("goes on through shared memory") == 0)
            }
        }
    }

    @Test func `tagged JSON begins in shared memory`() async throws {
        try await withRunning(format: .taggedJSON(), transports: [.sharedMemory]) { running in
            try await running.connect(Self.configuration(.taggedJSON())) { client in
                for number in 0..<200 {
                    let sum = try await client.call(AddTagged(left: number, right: 1))
                    #expect(sum == Sum(value: number + 1))
                }
                Self.expectSharedMemory(client, running)
            }
        }
    }

    @Test func `headered messages begin in shared memory, and a stream that is let go stops its handler`() async throws {
        let stopped = Recorded<Void>()
        try await withRunning(format: .headered(), transports: [.sharedMemory]) {
            $0.handle(Headered.AskRequest.self) { request, _ in Headered.AskResponse(answer: request.query, confidence: 1) }
            $0.handle(Headered.CompletionStream.self) { _, _, writer in
                defer { stopped.signal() }
                while true { try await writer.send(.text("more")) }
            }
        } _: { running in
            try await running.connect(Self.configuration(.headered(greets: true))) { client in
                let long = String(repeating: "é", count: 300_000)
                let answer = try await client.call(Headered.AskRequest(query: long, model: "m", maxTokens: 1))
                #expect(answer.answer == long)
                Self.expectSharedMemory(client, running)
                for try await item in try await client.open(Headered.CompletionStream(prompt: "", model: "m", maxTokens: 1, temperature: 1)) {
                    #expect(item == .text("more"))
                    break
                }
                try await stopped.wait()
            }
        }
    }

    @Test func `a service has a stream at one endpoint and a socket at another`() async throws {
        try await withDirectory { directory in
            try await withRunning(transports: [.sharedMemory]) {
                $0.listen(at: .path(directory + "/socket"), format: .taggedJSON())
            } _: { running in
                try await running.log.entries.wait { $0.count { $0.message == "listening" } == 2 }
                try await running.connect(Self.configuration()) { try await $0.checkIsServed() }
                try await Client.connect(to: .path(directory + "/socket"), configuration: Self.configuration(.taggedJSON(), nil)) { client in
                    #expect(client.transport == .socket)
                    let sum = try await client.call(AddTagged(left: 1, right: 1))
                    #expect(sum == Sum(value: 2))
                }
            }
        }
    }

    // MARK: One expects a stream, the other a socket

    @Test(arguments: [WireFormat.native, .taggedJSON(), .headered()]) func `a client that expects a stream of a service that speaks on the socket is told so in time`(
        _ format: WireFormat
    ) async throws {
        try await withRunning(format: format) { running in
            var configuration = Self.configuration(format)
            configuration.timeouts.handshake = .milliseconds(50)
            let error = try await errorOf(GinnelError.self) { try await running.connect(configuration) { _ in } }
            #expect(error.code == .timedOut)
            #expect(error.sentence.contains("transports: [.sharedMemory]"))
        }
    }

    @Test func `a client that expects a stream and reads something else says so at once`() async throws {
        try await withDirectory { directory in
            let listener = try RawListener(at: directory + "/s")
            async let outcome = errorOf(GinnelError.self) { try await Client.connect(to: .path(listener.path), configuration: Self.configuration()) { _ in } }
            let peer = try await listener.accept()
            try await peer.send([0])
            let error = try await outcome
            #expect(error.failure?.code == .protocolViolation)
            #expect(error.sentence.contains("transports: [.sharedMemory]"))
            #expect(try await peer.readToEnd().isEmpty)
        }
    }

    @Test(arguments: [WireFormat.native, .taggedJSON(), .headered()]) func `a client that speaks on the socket is told that the service begins over shared memory`(
        _ format: WireFormat
    ) async throws {
        try await withRunning(format: format, transports: [.sharedMemory]) { running in
            let client = Client(to: running.endpoint, configuration: Self.configuration(format, nil))
            let error = try await errorOf(GinnelError.self) { try await client.run() }
            #expect(error.failure?.code == .protocolViolation)
            #expect(error.sentence.contains("transports: [.sharedMemory]"))
            try await running.connect(Self.configuration(format)) { #expect($0.transport == .sharedMemory) }
        }
    }

    @Test(arguments: [WireFormat.native, .taggedJSON(), .headered()]) func `format and transports that do not fit together are refused before anything is opened`(
        _ format: WireFormat
    ) async throws {
        let endpoint = Endpoint.path("/nowhere/s")
        var transports: [Set<Transport>] = [[], [.inProcess]]
        if format.name != WireFormat.native.name { transports.append([.socket, .sharedMemory]) }
        for transports in transports {
            let ofService = try await errorOf(GinnelError.self) { try await Service(at: endpoint, format: format, transports: transports).run() }
            let ofClient = try await errorOf(GinnelError.self) { try await Client(to: endpoint, configuration: Self.configuration(format, transports)).run() }
            for error in [ofService, ofClient] {
                #expect(error.code == .invalid)
                #expect(error.sentence.contains("transports"))
                #expect(transports.count < 2 || error.sentence.contains(format.name))
            }
        }
    }

    @Test func `within one process there is no stream over shared memory`() async throws {
        let endpoint = Endpoint.inProcess(uniqueName())
        for body in [{ try await Service(at: endpoint, transports: [.sharedMemory]).run() }, { try await Client(to: endpoint, configuration: Self.configuration()).run() }] {
            #expect(try await errorOf(GinnelError.self, body).code == .invalid)
        }
    }

    // MARK: Places

    @Test func `a peer that does not answer the offer is shown out in time, and its place is free again`() async throws {
        var configuration = Self.impatient
        configuration.connections.maximum = 1
        try await withRunning(configuration, transports: [.sharedMemory]) { running in
            for round in 1...2 {
                let silent = try RawPeer(connectingTo: running.path)
                #expect(try await silent.readToEnd().starts(with: Array("GINSHM".utf8)))
                // It sees the end before its place is given back, which the log tells after.
                try await running.log.entries.wait { $0.count { $0.message.hasPrefix("a peer did not get its stream") } == round }
                try await running.connect(Self.configuration()) { #expect($0.transport == .sharedMemory) }
                try await running.log.entries.wait { $0.count { $0.message.hasPrefix("a connection ended") } == round }
            }
            try await running.log.entry("did not get its stream", "time limit of the handshake")
        }
    }

    @Test func `a peer that is being opened takes a place, and whoever is turned away reads nothing`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 1
        try await withRunning(configuration, transports: [.sharedMemory]) { running in
            let first = try RawPeer(connectingTo: running.path)
            #expect(try await first.read(24).count == 24)
            let second = try RawPeer(connectingTo: running.path)
            #expect(try await second.readToEnd().isEmpty)
            try await running.log.entry("turned away", "tooManyConnections")
            let error = try await errorOf(GinnelError.self) { try await running.connect(Self.configuration()) { _ in } }
            #expect(error.code == .closed)
            first.close()
            try await running.log.entry("did not get its stream")
            try await running.connect(Self.configuration()) { #expect($0.transport == .sharedMemory) }
        }
    }

    @Test func `a peer that refuses the offer, answers wrongly or goes away frees its place`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 1
        let preamble = Array("GINSHM".utf8) + [1, 0]
        func answer(_ verb: UInt8, _ code: UInt8 = 0) -> [UInt8] { preamble + [verb, 1, 0, 0, code] + [UInt8](repeating: 0, count: 11) }
        let answers: [(bytes: [UInt8], entry: String)] = [
            (answer(3, 13), "refused the offer"), (answer(4), "switch from the client"), (answer(9), "unknown verb 9"), ([0x47, 0x49, 0x4E, 0x4E], "not those of a stream"),
            ([], "before it said anything"), (preamble, "after 8 of 24 bytes"),
        ]
        try await withRunning(configuration, transports: [.sharedMemory]) { running in
            for (bytes, entry) in answers {
                let peer = try RawPeer(connectingTo: running.path)
                #expect(try await peer.read(24).count == 24)
                try await peer.send(bytes)
                peer.endWriting()
                #expect(try await peer.readToEnd().isEmpty)
                try await running.log.entry("did not get its stream", entry)
            }
            try await running.connect(Self.configuration()) { #expect($0.transport == .sharedMemory) }
        }
    }

    @Test func `whoever only looks whether the service is there leaves no warning`() async throws {
        try await withRunning(transports: [.sharedMemory]) { running in
            try await Client.wait(for: running.endpoint)
            #expect(try await running.log.entry("did not get its stream").level == .info)
        }
    }

    @Test func `a peer that is refused by policy reads nothing of a stream`() async throws {
        try await withRunning(transports: [.sharedMemory], policy: .executables(named: ["nobody"], in: ["/nowhere"])) { running in
            let peer = try RawPeer(connectingTo: running.path)
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry("did not get its stream", "refused")
        }
    }

    @Test func `a ring over the client's limit is refused by name on both sides`() async throws {
        try await withRunning(transports: [.sharedMemory]) { running in
            var configuration = Self.configuration()
            configuration.sharedMemory.maximumRingBytes = 4096
            let error = try await errorOf(GinnelError.self) { try await running.connect(configuration) { _ in } }
            #expect(error.code == .exhausted)
            #expect(error.sentence.contains("maximumRingBytes"))
            try await running.log.entry("did not get its stream", "refused the offer")
        }
    }

    // MARK: The end

    @Test func `a service that stops lets go of those whose streams are being opened`() async throws {
        let silent = Recorded<RawPeer>()
        try await withRunning(transports: [.sharedMemory]) { running in
            let peer = try RawPeer(connectingTo: running.path)
            #expect(try await peer.read(24).count == 24)
            silent.append(peer)
        }
        // It stopped gracefully, and has not waited for its 5 seconds.
        #expect(try await silent.all[0].readToEnd().isEmpty)
    }

    @Test func `a client that closes or is cancelled while its stream is being opened ends without an error`() async throws {
        for cancels in [false, true] {
            try await withDirectory { directory in
                let listener = try RawListener(at: directory + "/s")
                var configuration = Self.configuration()
                configuration.timeouts.handshake = .seconds(600)
                let client = Client(to: .path(listener.path), configuration: configuration)
                let running = Task { try await client.run() }
                let peer = try await listener.accept()
                if cancels { running.cancel() } else { client.close() }
                try await running.value
                #expect(try await peer.readToEnd().isEmpty)
            }
        }
    }

    @Test func `an inherited connection is opened as a stream, and its service ends with it`() async throws {
        let (first, second) = try PlatformChannel.pair()
        let descriptors = (first.release()!, second.release()!)
        let service = makeService(at: .inherited(descriptors.0), transports: [.sharedMemory])
        async let serving: Void = service.run()
        try await Client.connect(to: .inherited(descriptors.1), configuration: Self.configuration()) { client in
            #expect(client.transport == .sharedMemory)
            try await client.checkIsServed()
        }
        try await serving
    }

    @Test func `a service that dies with a call on its stream tells the caller`() async throws {
        try await withDirectory { directory in
            let child = try Child(["serve", "--endpoint", directory + "/s", "--transports", "sharedMemory"])
            try await child.line("listening")
            try await Client.connect(to: .path(directory + "/s"), configuration: Self.configuration()) { client in
                #expect(client.transport == .sharedMemory)
                async let outcome = errorOf(CallError.self) { _ = try await client.call("hold", payload: []) }
                try await child.line("held 1")
                child.kill()
                #expect(try await outcome.code == .connectionLost)
            }
        }
    }
}
