// What a call can end with, as its caller sees it.

import Ginnel
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ErrorTests {
    private struct Private: Error, CustomStringConvertible {
        let description = "the password is swordfish"
    }

    /// JSON that is none.
    private struct Garbled: WireValue {
        static let codec = Codec.json
        init() {}
        init(decoding bytes: borrowing RawSpan) {}
        func encoded() -> [UInt8] { Array("{".utf8) }
    }

    private struct AskForGarbled: Request {
        typealias Response = Sum
        static let method = "garbled"
    }

    private struct Unwritable: Request {
        typealias Response = Sum
        static let method = "unwritable"
        func encode(to encoder: any Encoder) throws { throw Private() }
    }

    @Test func `JSON with a text that takes minutes to hash is refused at once, as a key and as a value`() async throws {
        try await withNeighbour { running, neighbour in
            let marks = String(repeating: "\u{301}\u{316}", count: 250_000)
            for member in [#""\#(marks)":3"#, #""of":"\#(marks)""#] {
                let refused = try await errorOf(CallError.self) {
                    _ = try await running.connect { try await $0.call(Add.method, codec: .json, payload: Array(#"{"left":1,"right":2,\#(member)}"#.utf8)) }
                }
                #expect(refused.code == .invalidRequest)
            }
            let few = String(repeating: "\u{301}\u{316}", count: 128)
            let sum = try await running.connect { try await $0.call(Add.method, codec: .json, payload: Array(#"{"left":1,"right":2,"of":"\#(few)"}"#.utf8)) }
            #expect(try Sum(decoding: sum.bytes.span.bytes) == Sum(value: 3))
            try await neighbour.check()
        }
    }

    @Test(arguments: [FailureCode.forbidden, .resourceExhausted, FailureCode(rawValue: 1000), FailureCode(rawValue: 4_294_967_295), FailureCode(rawValue: 77)])
    func `an error of a handler reaches the caller with code, sentence and details`(code: FailureCode) async throws {
        let thrown = CallError(code, "no display 9, there are 2", details: [0, 1, 255])
        try await withRunning {
            $0.handle("plain") { _, _ -> [UInt8] in throw thrown }
            $0.handle("async") { _, _ async throws -> [UInt8] in throw thrown }
            $0.handle("concurrent", on: .concurrent) { _, _ async throws -> [UInt8] in throw thrown }
        } _: { running in
            try await running.connect { client in
                for method in ["plain", "async", "concurrent"] {
                    let caught = try await errorOf(CallError.self) { _ = try await client.call(method, payload: []) }
                    #expect(caught == thrown)
                }
            }
        }
    }

    @Test(arguments: ["plain", "async"]) func `other errors of a handler are internal to the caller and told to the log alone`(method: String) async throws {
        try await withRunning {
            $0.handle("plain") { _, _ -> [UInt8] in throw Private() }
            $0.handle("async") { _, _ async throws -> [UInt8] in throw Private() }
        } _: { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call(method, payload: []) }
                #expect(caught.code == .internal)
                #expect(!caught.sentence.contains("swordfish"))
                #expect(caught.details.isEmpty)
            }
            let entry = try await running.log.entry("the handler of \(method) failed", "swordfish")
            #expect(entry.level == .warning)
        }
    }

    @Test func `a handler that throws CancellationError has cancelled its call`() async throws {
        try await withRunning {
            $0.handle("stop") { _, _ async throws -> [UInt8] in throw CancellationError() }
        } _: { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call("stop", payload: []) }
                #expect(caught.code == .cancelled)
            }
        }
    }

    @Test func `an unknown method is named and has not been begun`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call("nonesuch", payload: []) }
                #expect(caught.code == .unknownMethod)
                #expect(caught.sentence.contains("nonesuch"))
                #expect(caught.outcome == .notBegun)
            }
        }
    }

    @Test func `a request that does not decode is invalid and its bytes are not logged`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let notJSON = try await errorOf(CallError.self) { _ = try await client.call("add", codec: .json, payload: Array("{swordfish".utf8)) }
                #expect(notJSON.code == .invalidRequest)
                let otherType = try await errorOf(CallError.self) { _ = try await client.call("add", codec: .json, payload: Array(#"{"left":1}"#.utf8)) }
                #expect(otherType.code == .invalidRequest)
                #expect(otherType.sentence.contains("add"))
                let raw = try await errorOf(CallError.self) { _ = try await client.call("add", codec: .raw, payload: [1]) }
                #expect(raw.code == .unsupportedCodec)
                #expect(try await client.call(Add(left: 1, right: 1)) == Sum(value: 2))
            }
            #expect(running.log.count("swordfish") == 0)
        }
    }

    @Test func `a reply that does not decode is invalid`() async throws {
        try await withRunning {
            $0.handle("garbled") { _, _ async throws -> [UInt8] in [1, 2, 3] }
        } _: { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call(AskForGarbled()) }
                #expect(caught.code == .invalidReply)
                #expect(caught.outcome == .failed)
            }
        }
        struct Ask: Request {
            typealias Response = Garbled
            static let method = "garbled"
        }
        try await withRunning {
            $0.handle(Ask.self) { _, _ in Garbled() }
        } _: { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call(AskForGarbled()) }
                #expect(caught.code == .invalidReply)
            }
        }
    }

    @Test func `a request that cannot be encoded fails with its own error`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                _ = try await errorOf(Private.self) { _ = try await client.call(Unwritable()) }
            }
        }
    }

    @Test func `messages over the limit are too large, whoever sends them, and the connection stays`() async throws {
        var small = ServiceConfiguration.defaults
        small.limits.announced.maximumMessage = 10_000
        try await withRunning(small) {
            $0.handle("large") { _, _ in [UInt8](repeating: 1, count: 20_000) }
        } _: { running in
            var client = ClientConfiguration.defaults
            client.limits.announced.maximumMessage = 15_000
            try await running.connect(client) { client in
                let request = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: [UInt8](repeating: 1, count: 10_000)) }
                #expect(request.code == .tooLarge)
                #expect(request.sentence.contains("10000"))
                #expect(request.outcome == .notBegun)
                let reply = try await errorOf(CallError.self) { _ = try await client.call("large", payload: []) }
                #expect(reply.code == .replyTooLarge)
                #expect(reply.outcome == .failed)
                #expect(reply.sentence.contains("15000"))
                let fits = [UInt8](repeating: 1, count: 9_000)
                #expect(try await client.call("echo", payload: fits).bytes == fits)
            }
        }
    }

    @Test func `a method name outside 1 to 255 bytes is an invalid request of the caller`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                for method in ["", String(repeating: "x", count: 256)] {
                    let caught = try await errorOf(CallError.self) { _ = try await client.call(method, payload: []) }
                    #expect(caught.code == .invalidRequest)
                }
            }
        }
    }
}
