// The configuration file: what it sets, and how it is refused.

import Foundation
import Testing

@testable import Ginnel

@Suite struct ConfigurationFileTests {
    private static func file(_ text: String) throws -> ConfigurationFile { try ConfigurationFile(parsing: Array(text.utf8), from: "test.json") }

    private static func problems(_ text: String) throws -> [String] {
        do {
            _ = try file(text)
        } catch let error as ConfigurationError {
            #expect(error.file == "test.json" && "\(error)".hasPrefix("test.json: "))
            return error.problems.map(\.description)
        }
        return []
    }

    // MARK: What it sets

    @Test func `what the file says is set, on both sides where both have it, and the rest is the program's`() throws {
        let file = try Self.file(
            """
            {"endpoint": "recorder", "transports": ["socket", "sharedMemory"], "engine": "reactor", "checksum": "castagnoli",
             "connections": {"maximum": 3}, "limits": {"maximumMessage": 4096, "eventOverflow": "close"},
             "timeouts": {"write": "250ms", "idle": "1.5m", "heartbeat": null, "connect": "2s", "shutdown": "0s"},
             "sharedMemory": {"ringBytes": 8192}, "loops": {"count": 2, "polling": "50us"}}
            """)
        #expect(file.endpoint == .named("recorder") && file.transports == [.socket, .sharedMemory] && file.engine == .reactor)
        var own = ServiceConfiguration.defaults
        own.program = "mine"
        own.connections.perUser = 7
        let service = file.service(own)
        #expect(service.program == "mine" && service.connections.perUser == 7 && service.connections.maximum == 3 && service.checksums)
        #expect(service.limits.announced.maximumMessage == 4096 && service.limits.eventOverflow == .close)
        #expect(service.timeouts.write == .milliseconds(250) && service.timeouts.idle == .seconds(90) && service.timeouts.heartbeat == nil)
        #expect(service.shutdownTimeout == .zero && service.sharedMemory.ringBytes == 8192 && service.loops.count == 2 && service.loops.polling == .microseconds(50))
        let client = file.client()
        #expect(client.limits.announced.maximumMessage == 4096 && client.timeouts.write == .milliseconds(250) && client.connectTimeout == .seconds(2))
        #expect(client.transports == [.socket, .sharedMemory] && client.checksums)
        guard case .own(let loops) = client.loop else { return #expect(Bool(false), "\(client.loop)") }
        #expect(loops.polling == .microseconds(50))
    }

    @Test func `what goes beyond one connection is set too`() throws {
        let file = try Self.file(
            """
            {"reconnect": {"attempts": 4, "base": "20ms", "cap": "2s", "repeats": 1}, "circuitBreaker": {"failures": 2, "pause": "5s", "successes": 1},
             "batching": {"delay": "200us", "messages": 32, "bytes": 4096},
             "inbox": {"senders": 10, "memory": "1m", "inHand": 8, "inHandPerUser": 4, "bytes": 200000, "bytesPerUser": 100000, "refusals": 5},
             "outbox": {"messages": 7, "bytes": 70000, "overflow": "dropOldest", "flushTimeout": "3s"},
             "outboxes": {"clients": 9, "memory": "2m", "bytes": 900000, "bytesPerUser": 90000}}
            """)
        let (service, client) = (file.service(), file.client())
        #expect(client.reconnect == .exponential(Backoff(base: .milliseconds(20), cap: .seconds(2)), attempts: 4) && client.repeats == 1)
        #expect(client.circuitBreaker?.failures == 2 && client.circuitBreaker?.pause == .seconds(5) && client.circuitBreaker?.successes == 1)
        for batching in [service.batching, client.batching] { #expect(batching.delay == .microseconds(200) && batching.messages == 32 && batching.bytes == 4096) }
        for inbox in [service.inbox, client.inbox] {
            #expect(inbox.senders == 10 && inbox.memory == .seconds(60) && inbox.inHand == 8 && inbox.inHandPerUser == 4)
            #expect(inbox.bytes == 200_000 && inbox.bytesPerUser == 100_000 && inbox.refusals == 5)
        }
        for outbox in [service.outbox, client.outbox.limits] { #expect(outbox.messages == 7 && outbox.bytes == 70_000 && outbox.overflow == .dropOldest) }
        #expect(client.outbox.flushTimeout == .seconds(3))
        #expect(service.outboxes.clients == 9 && service.outboxes.memory == .seconds(120) && service.outboxes.bytes == 900_000 && service.outboxes.bytesPerUser == 90_000)
    }

    @Test func `a file that says nothing of attempts leaves it to the program whether it connects again, and null is for ever`() throws {
        #expect(try Self.file(#"{"reconnect": {"base": "1s"}}"#).client().reconnect.isRepeated == false)
        #expect(try Self.file(#"{"reconnect": {"attempts": null}}"#).client().reconnect == .exponential(attempts: nil))
        var own = ClientConfiguration.defaults
        own.reconnect = .exponential(attempts: 3)
        own.circuitBreaker = .defaults
        let client = try Self.file(#"{"reconnect": {"base": "1s"}, "circuitBreaker": {"failures": null}}"#).client(own)
        #expect(client.reconnect == .exponential(Backoff(base: .seconds(1)), attempts: 3) && client.circuitBreaker == nil)
    }

    @Test func `what a build lacks is refused by the name of its trait, and nothing is left unencrypted in silence`() throws {
        let problems = try Self.problems(#"{"encryption": {"keyFile": "/nonexistent/key", "required": true}, "compression": {"threshold": 100}}"#)
        #if Encryption
        #expect(problems.contains { $0.hasPrefix("encryption.keyFile: ") && $0.contains("there is no such key file") })
        #else
        #expect(problems.contains { $0.hasPrefix("encryption.keyFile: ") && $0.contains("package trait Encryption") })
        #endif
        #if Compression
        #expect(!problems.contains { $0.hasPrefix("compression.") })
        #expect(try Self.file(#"{"compression": {"threshold": 100}}"#).service().compression?.threshold == 100)
        #else
        #expect(problems.contains { $0.hasPrefix("compression.threshold: ") && $0.contains("package trait Compression") })
        #endif
        let missing = try Self.problems(#"{"encryption": {"required": true}}"#)
        #expect(missing.count == 1 && missing[0].contains("encryption.keyFile, which is missing"))
    }

    @Test func `an empty file changes nothing`() throws {
        let file = try Self.file(" {} ")
        #expect(file.endpoint == nil && file.transports == nil && file.engine == nil)
        #expect(file.service().limits == ServiceConfiguration.defaults.limits && file.service().timeouts == ServiceConfiguration.defaults.timeouts)
    }

    @Test func `names of the other system mean what they meant there`() throws {
        let file = try Self.file(
            """
            {"ipc": {"transport": "interprocess", "endpoint_path": "/run/monitor/monitor.sock", "max_frame_bytes": 1048576, "accept_timeout_ms": 5000,
                     "read_timeout_ms": 30000, "write_timeout_ms": 10000, "max_connections": 16, "crc32_variant": "Castagnoli"}}
            """)
        #expect(file.endpoint == .path("/run/monitor/monitor.sock") && file.engine == .reactor)
        let service = file.service()
        #expect(service.connections.maximum == 16 && service.limits.announced.maximumMessage == 1 << 20 && service.checksums)
        #expect(service.timeouts.readMidMessage == .seconds(30) && service.timeouts.write == .seconds(10))
        #expect(file.client().connectTimeout == .seconds(5))
    }

    // MARK: How it is refused

    @Test func `everything that is wrong is named at once, with what is allowed and the nearest key`() throws {
        let problems = try Self.problems(
            #"{"limits": {"maximumMesage": 1, "maximumMessage": 12}, "timeouts": {"write": 5, "idle": "soon"}, "conections": {}, "endpoint": "a b", "loops": 3}"#)
        #expect(
            problems == [
                "conections: there is no such key; did you mean connections?",
                "endpoint: \"a b\" is not allowed; allowed: a name, \"system:NAME\", or a path that begins with a slash",
                "limits.maximumMesage: there is no such key; did you mean limits.maximumMessage?",
                "limits.maximumMessage: 12 is not allowed; allowed: 1024 to 2147483647",
                "loops: 3 is not allowed; this is an object with keys of its own",
                "timeouts.idle: \"soon\" is not allowed; allowed: \"1ms\" to \"31536000s\", or null",
                "timeouts.write: 5 is not allowed; allowed: \"1ms\" to \"31536000s\"",
            ])
    }

    @Test(arguments: [
        #"{"connections": {"maximum": 0}}"#, #"{"connections": {"maximum": 1.5}}"#, #"{"connections": {"maximum": "3"}}"#, #"{"connections": {"maximum": true}}"#,
        #"{"connections": {"maximum": null}}"#, #"{"connections": []}"#, #"{"transports": []}"#, #"{"transports": ["socket", "socket"]}"#, #"{"transports": "socket"}"#,
        #"{"transports": ["inProcess"]}"#, #"{"timeouts": {"write": "30"}}"#, #"{"timeouts": {"write": "0s"}}"#, #"{"timeouts": {"write": "-1s"}}"#,
        #"{"timeouts": {"write": null}}"#, #"{"engine": "Reactor"}"#, #"{"engine": 1}"#, #"{"endpoint": ""}"#, #"{"ipc": {"read_timeout_ms": "30s"}}"#,
        #"{"reconnect": {"attempts": 0}}"#, #"{"inbox": {"bytes": 1}}"#, #"{"outbox": {"overflow": "drop"}}"#, #"{"encryption": {"keyFile": ""}}"#,
        #"{"encryption": {"required": "yes"}}"#, #"{"compression": {"threshold": 0}}"#, #"{"batching": {"delay": "61s"}}"#, #"{"batching": {"messages": 0}}"#,
        #"{"ipc": {"transport": "reactor"}}"#, #"{"ipc": {"crc32_variant": "castagnoli"}}"#,
    ]) func `a bad value is refused under its own name`(text: String) throws {
        let problems = try Self.problems(text)
        #expect(problems.count == 1 && problems[0].contains("not allowed"))
    }

    @Test func `a key under two names is refused`() throws {
        let problems = try Self.problems(#"{"connections": {"maximum": 3}, "ipc": {"max_connections": 3}}"#)
        #expect(problems == ["ipc.max_connections: connections.maximum is given too, and both mean the same; leave one out"])
    }

    @Test(
        arguments: [
            (#"{"checksum": "ieee"}"#, Checksum.ieee, false), (#"{"ipc": {"crc32_variant": "Ieee"}}"#, .ieee, false), (#"{"checksum": "castagnoli"}"#, .castagnoli, true),
            (#"{"ipc": {"crc32_variant": "Castagnoli"}}"#, .castagnoli, true), (#"{"checksum": "none"}"#, nil, false), ("{}", nil, false),
        ] as [(String, Checksum?, Bool)])
    func `the checksum is what the file says, and the native format offers the one that it has`(text: String, checksum: Checksum?, isOffered: Bool) throws {
        let file = try Self.file(text)
        #expect(file.checksum == checksum && file.service().checksums == isOffered && file.client().checksums == isOffered)
    }

    @Test(arguments: [(#"{"engine": "threads"}"#, Engine.threads), (#"{"ipc": {"transport": "legacy"}}"#, .threads), (#"{"ipc": {"transport": "interprocess"}}"#, .reactor)])
    func `the engine is what the file says, for services and clients`(text: String, engine: Engine) throws {
        let file = try Self.file(text)
        #expect(file.engine == engine && file.service().engine == engine && file.client().engine == engine)
    }

    @Test func `the variable comes before the configuration, and an unknown engine is refused`() throws {
        #expect(try Engine.chosen(configured: nil, variable: nil) == .reactor)
        #expect(try Engine.chosen(configured: .reactor, variable: "") == .reactor)
        #expect(try Engine.chosen(configured: .threads, variable: "reactor") == .reactor)
        #expect(throws: GinnelError.self) { try Engine.chosen(configured: .reactor, variable: "steam") }
    }

    @Test func `what is not JSON is refused with line and column`() throws {
        #expect(try Self.problems("{\n  \"endpoint\": nothing\n}") == ["not JSON as it is read here: something else than true, false or null in line 2, column 16"])
        #expect(try Self.problems(#"{"endpoint": "a", "endpoint": "b"}"#) == ["not JSON as it is read here: a key that the object already has (endpoint) in line 1, column 19"])
        #expect(try Self.problems(#"["endpoint"]"#) == ["the file is one JSON object, and this is something else"])
        #expect(try Self.problems("")[0].contains("the text ends"))
        let deep = String(repeating: "[", count: 9) + String(repeating: "]", count: 9)
        #expect(try Self.problems(#"{"endpoint": \#(deep)}"#)[0].contains("nested more than 8 deep"))
    }

    @Test func `whatever is cut off or changed in a file, it is read or refused`() throws {
        let text = Array(#"{"endpoint": "a", "limits": {"maximumMessage": 4096}, "timeouts": {"idle": null, "write": "1s"}, "transports": ["socket"]}"#.utf8)
        for position in text.indices {
            _ = try? ConfigurationFile(parsing: Array(text[..<position]), from: "cut")
            for byte in [UInt8(ascii: "\""), 0, 0xFF, UInt8(ascii: "9"), UInt8(ascii: "{")] {
                var changed = text
                changed[position] = byte
                _ = try? ConfigurationFile(parsing: changed, from: "changed")
            }
        }
    }

    @Test func `a file that cannot be read is named, with the reason`() async throws {
        try await withDirectory { directory in
            for (name, prepare) in [("missing", { _ in }), ("directory", { try? FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false) })]
                as [(String, (String) -> Void)]
            {
                let path = directory + "/" + name
                prepare(path)
                let error = try await errorOf(ConfigurationError.self) { _ = try ConfigurationFile.read(path) }
                #expect(error.file == path && error.problems.count == 1)
            }
            let large = directory + "/large"
            #expect(FileManager.default.createFile(atPath: large, contents: Data(count: ConfigurationFile.longest + 1)))
            #expect(throws: ConfigurationError.self) { try ConfigurationFile.read(large) }
            let right = directory + "/right"
            #expect(FileManager.default.createFile(atPath: right, contents: Data(#"{"endpoint": "/tmp/s"}"#.utf8)))
            #expect(try ConfigurationFile.read(right).endpoint == .path("/tmp/s"))
        }
    }
}
