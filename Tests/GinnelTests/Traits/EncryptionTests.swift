// Encryption with the real library, between programs.

#if Encryption
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

private struct Secret: Request {
    typealias Response = Sum
    static let method = "secret"
    static let isSensitive = true
    var value: Int
}

private struct Secrets: StreamRequest {
    typealias Item = Sum
    static let method = "secrets"
    static let isSensitive = true
}

private struct Whisper: Event, Equatable {
    static let name = "whisper"
    static let isSensitive = true
    var value: Int
}

/// The same names, from a program that does not know that they are sensitive.
private struct LoudSecret: Request {
    typealias Response = Sum
    static let method = "secret"
    var value: Int
}

private struct LoudWhisper: Event {
    static let name = "whisper"
    var value: Int
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EncryptionTests {
    enum Keys: CaseIterable, Sendable { case preShared, pinned }

    /// What service and client are given.
    private static func encryption(_ keys: Keys) throws -> (service: Encryption, client: Encryption) {
        switch keys {
        case .preShared:
            let key = ChannelEnd.pattern(32, seed: 1)
            return (try .preShared(key), try .preShared(key))
        case .pinned:
            let (service, client, another) = (try KeyPair(), try KeyPair(), try KeyPair())
            return (try .pinned(service, peers: [another.publicKey, client.publicKey]), try .pinned(client, peers: [service.publicKey]))
        }
    }

    private static func service(_ encryption: Encryption?) -> ServiceConfiguration {
        var configuration = ServiceConfiguration.defaults
        configuration.encryption = encryption
        return configuration
    }

    private static func client(_ encryption: Encryption?) -> ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.encryption = encryption
        return configuration
    }

    private static func prepare(_ service: Service) {
        service.handle(Secret.self) { request, _ in Sum(value: request.value) }
        service.handle(Secrets.self) { _, _, writer in try await writer.send(Sum(value: 1)) }
    }

    @Test(arguments: Keys.allCases, [[Transport.socket], [.socket, .sharedMemory], [.sharedMemory]])
    func `everything works sealed, over every transport`(keys: Keys, transports: [Transport]) async throws {
        let (ours, theirs) = try Self.encryption(keys)
        try await withRunning(Self.service(ours), transports: Set(transports), prepare: Self.prepare) { running in
            var configuration = Self.client(theirs)
            configuration.transports = Set(transports)
            try await running.connect(configuration) { client in
                #expect(client.isEncrypted)
                if transports == [.socket, .sharedMemory] { try await running.log.entry("the connection goes on through shared memory") }
                for size in [0, 1, 65_536, 1_000_000] {
                    let payload = ChannelEnd.pattern(size, seed: UInt64(size))
                    #expect(try await client.call("echo", payload: payload).bytes == payload)
                }
                #expect(try await client.call(Secret(value: 7)) == Sum(value: 7))
                var items: [Sum] = []
                for try await item in try await client.open(Count(to: 500)) { items.append(item) }
                #expect(items.count == 500)
                #expect(running.service.connections.map(\.isEncrypted) == [true])
                #expect(client.transport == (transports.contains(.sharedMemory) ? .sharedMemory : .socket))
            }
            try await running.log.entry("a connection ended", "finished")
        }
    }

    @Test func `many calls at once, compressed or not, over a connection that changes its keys`() async throws {
        let (ours, theirs) = try Self.encryption(.pinned)
        try await withRunning(Self.service(ours)) { running in
            try await running.connect(Self.client(theirs)) { client in
                try await withThrowingTaskGroup { group in
                    for number in 0..<200 {
                        group.addTask {
                            let payload = ChannelEnd.pattern(number * 997, seed: UInt64(number))
                            let reply = try await client.call("echo", payload: payload)
                            #expect(reply.bytes == payload)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    // MARK: Refusals

    /// Why a client with this encryption does not get in.
    private static func refusal(_ running: Running, _ encryption: Encryption?) async throws -> GinnelError {
        try await errorOf(GinnelError.self) {
            try await running.connect(client(encryption)) { client in
                try await client.checkIsServed()
                Issue.record("it is served")
            }
        }
    }

    @Test func `another key is refused by name on both sides`() async throws {
        let known = try KeyPair()
        let failed = "encryptionFailed"
        // A client that does not know the service's key leaves without a word.
        let cases: [(Encryption, Encryption, String)] = [
            (try .preShared(ChannelEnd.pattern(32, seed: 1)), try .preShared(ChannelEnd.pattern(32, seed: 2)), failed),
            (try .pinned(KeyPair(), peers: [known.publicKey]), try .pinned(known, peers: [KeyPair().publicKey]), "before the peer had proven its keys"),
            (try .pinned(known, peers: [KeyPair().publicKey]), try .pinned(KeyPair(), peers: [known.publicKey]), failed),
            (try .preShared(ChannelEnd.pattern(32, seed: 1)), try .pinned(known, peers: [known.publicKey]), failed),
            (try .pinned(known, peers: [known.publicKey]), try .preShared(ChannelEnd.pattern(32, seed: 1)), failed),
        ]
        for (ours, theirs, said) in cases {
            try await withRunning(Self.service(ours)) { running in
                let error = try await Self.refusal(running, theirs)
                #expect(error.code == .refused)
                #expect(error.failure?.code == .encryptionFailed)
                try await running.log.entry("a connection ended", said)
            }
        }
    }

    @Test func `who requires encryption speaks to nobody without`() async throws {
        let (ours, theirs) = try Self.encryption(.preShared)
        for (service, client) in [(ours, nil), (nil, theirs)] {
            try await withRunning(Self.service(service)) { running in
                let error = try await Self.refusal(running, client)
                #expect(error.code == .refused)
                #expect(error.failure?.code == .encryptionRequired)
            }
        }
    }

    @Test func `a format without encryption is refused before it begins, where it is required`() async throws {
        let (ours, _) = try Self.encryption(.preShared)
        try await withDirectory { directory in
            let service = Service(at: .path(directory + "/s"), format: .headered(), configuration: Self.service(ours))
            let ofService = try await errorOf(GinnelError.self) { try await service.run() }
            #expect(ofService.code == .invalid)
            var configuration = Self.client(ours)
            configuration.format = .taggedJSON()
            let client = Client(to: .path(directory + "/s"), configuration: configuration)
            let ofClient = try await errorOf(GinnelError.self) { try await client.run() }
            #expect(ofClient.code == .invalid)
        }
    }

    @Test func `keys of another length are refused`() throws {
        #expect(throws: GinnelError.self) { try Encryption.preShared([1, 2, 3]) }
        #expect(throws: GinnelError.self) { try Encryption.pinned(KeyPair(), peers: [[1]]) }
        #expect(throws: GinnelError.self) { try KeyPair(secretKey: []) }
        let pair = try KeyPair()
        #expect(try KeyPair(secretKey: pair.secretKey).publicKey == pair.publicKey)
        let secret = pair.secretKey.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        for shown in ["\(pair)", String(reflecting: pair), "\(Mirror(reflecting: pair).children.map { $0 })"] {
            #expect(!shown.contains(secret) && !shown.contains("\(pair.secretKey)"))
        }
    }

    // MARK: Sensitive messages

    @Test func `a sensitive call is refused on a connection without encryption, by the caller`() async throws {
        try await withRunning(prepare: Self.prepare) { running in
            try await running.connect { client in
                #expect(!client.isEncrypted)
                let error = try await errorOf(CallError.self) { _ = try await client.call(Secret(value: 1)) }
                #expect(error.code == .encryptionRequired)
                #expect(error.outcome == .notBegun)
                let stream = try await errorOf(CallError.self) { for try await _ in try await client.open(Secrets()) {} }
                #expect(stream.code == .encryptionRequired)
                let bytes = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: [1], isSensitive: true) }
                #expect(bytes.code == .encryptionRequired)
                let event = try await errorOf(CallError.self) { try await client.send(Whisper(value: 1)) }
                #expect(event.code == .encryptionRequired)
                let kept = try await errorOf(CallError.self) { try await client.send(Whisper(value: 1), delivery: .acknowledged) }
                #expect(kept.code == .encryptionRequired)
                let once = try await errorOf(CallError.self) { try await client.send(Whisper(value: 1), delivery: .atMostOnce) }
                #expect(once.code == .encryptionRequired)
                try await client.checkIsServed()
            }
        }
    }

    @Test func `a sensitive call that comes unencrypted all the same is refused by the service, and an event dropped`() async throws {
        let heard = Recorded<Int>()
        let prepare: (Service) -> Void = {
            Self.prepare($0)
            $0.handle(event: Whisper.self) { event, _ in heard.append(event.value) }
        }
        try await withRunning(prepare: prepare) { running in
            try await running.connect { client in
                let error = try await errorOf(CallError.self) { _ = try await client.call(LoudSecret(value: 1)) }
                #expect(error.code == .encryptionRequired)
                try await client.send(LoudWhisper(value: 1))
                try await running.log.entry("whisper", "came unencrypted")
                #expect(running.service.connections.count == 1)
                let connection = running.service.connections[0]
                #expect(throws: CallError.self) { try connection.send(Whisper(value: 1)) }
                #expect(try running.service.broadcast(Whisper(value: 1)) == 0)
            }
        }
        #expect(heard.all == [])
    }

    @Test func `sensitive messages are acknowledged where encryption is required, and refused for good where they come unencrypted`() async throws {
        let heard = Recorded<Int>()
        let prepare: (Service) -> Void = { service in service.receive(Whisper.self) { message, _ in heard.append(message.value) } }
        let (ours, theirs) = try Self.encryption(.pinned)
        try await withRunning(Self.service(ours), prepare: prepare) { running in
            try await running.connect(Self.client(theirs)) { client in
                try await client.send(Whisper(value: 4), delivery: .acknowledged)
                try await client.flush()
            }
        }
        #expect(heard.all == [4])
        try await withRunning(prepare: prepare) { running in
            try await running.connect { client in
                try await client.send(LoudWhisper(value: 5), delivery: .acknowledged)
                try await client.flush()
                try await running.log.entry("whisper", "came unencrypted")
            }
        }
        #expect(heard.all == [4])
    }

    @Test func `sensitive events pass through encrypted connections, and calls within one process`() async throws {
        let (ours, theirs) = try Self.encryption(.pinned)
        try await withRunning(Self.service(ours), prepare: Self.prepare) { running in
            try await running.connect(Self.client(theirs)) { client in
                let events = client.events(of: Whisper.self)
                // Once the service has answered, it has this client's proof too.
                try await client.checkIsServed()
                let taken = try running.service.broadcast(Whisper(value: 5))
                #expect(taken == 1)
                for await event in events {
                    #expect(event == .event(Whisper(value: 5)))
                    break
                }
            }
        }
        let endpoint = Endpoint.inProcess(uniqueName())
        let service = makeService(at: endpoint)
        Self.prepare(service)
        try await withService(service) {
            try await Client.wait(for: endpoint)
            let sum = try await Client.connect(to: endpoint) { try await $0.call(Secret(value: 3)) }
            #expect(sum == Sum(value: 3))
        }
    }
}
#endif
