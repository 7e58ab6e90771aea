// The recorder format (docs/formats/tagged-json.md) through the same Service and Client as the native protocol.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct TaggedJSONServiceTests {
    struct PingRequest: Request {
        typealias Response = Pong
        static let method = "ping"
        var type = "ping"
    }

    struct Pong: Message, Equatable {
        var type: String? = "pong"
    }

    struct AddTagged: Request {
        typealias Response = Sum
        static let method = "add"
        var type = "add"
        var left: Int
        var right: Int
    }

    struct Progress: Event, Equatable {
        static let name = "progress"
        var type = "progress"
        var percent: Int
    }

    /// The golden bytes of the format's page.
    private static let ping: [UInt8] = hex("0f000000 7b2274797065223a2270696e67227d")
    private static let pong: [UInt8] = hex("0f000000 7b2274797065223a22706f6e67227d")
    private static let query: [UInt8] = hex("1a000000 7b2274797065223a2271756572795f73656c656374696f6e227d")

    private static func hex(_ text: String) -> [UInt8] {
        let digits = text.filter { $0 != " " }.map { UInt8($0.hexDigitValue!) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func message(_ json: String) -> [UInt8] { WireFrame.u32(UInt32(json.utf8.count)) + Array(json.utf8) }

    private static func withRecorder<Result: Sendable>(prepare: (Service) -> Void = { _ in }, _ body: (Running) async throws -> Result) async throws -> Result {
        try await withRunning(format: .taggedJSON()) {
            $0.handle(PingRequest.self) { _, _ in Pong() }
            prepare($0)
        } _: {
            try await body($0)
        }
    }

    private static var speaking: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = .taggedJSON(pushTypes: ["progress"])
        return configuration
    }

    @Test func `golden requests are answered with golden bytes`() async throws {
        try await Self.withRecorder {
            $0.handle("query_selection") { bytes, _ in
                #expect(bytes.copied() == Array(Self.query[4...]))
                return Array(#"{"type":"selection"}"#.utf8)
            }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.ping)
            #expect(try await peer.read(Self.pong.count) == Self.pong)
            try await peer.send(Self.query)
            #expect(try await peer.read(24) == Self.message(#"{"type":"selection"}"#))
            peer.endWriting()
            #expect(try await peer.readToEnd().isEmpty)
        }
    }

    @Test func `a caller that goes away while it is answered cancels the handler`() async throws {
        let began = Recorded<Void>()
        let cancelled = Recorded<Void>()
        try await Self.withRecorder {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                began.signal()
                await DeadlineTests.waitForCancellation()
                cancelled.signal()
                return []
            }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.message(#"{"type":"wait"}"#))
            try await began.wait()
            peer.close()
            try await cancelled.wait()
        }
    }

    @Test func `a caller that only ends its sending is still answered`() async throws {
        try await Self.withRecorder { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.ping)
            peer.endWriting()
            #expect(try await peer.readToEnd() == Self.pong)
        }
    }

    @Test func `a client sends golden bytes`() async throws {
        try await withDirectory { directory in
            let listener = try RawListener(at: directory + "/s")
            async let pong = Client.connect(to: .path(listener.path), configuration: Self.speaking) { client in try await client.call(PingRequest()) }
            let peer = try await listener.accept()
            #expect(try await peer.read(Self.ping.count) == Self.ping)
            try await peer.send(Self.pong)
            #expect(try await pong == Pong())
            #expect(try await peer.readToEnd().isEmpty)
        }
    }

    @Test func `typed calls work, one at a time and in order`() async throws {
        try await Self.withRecorder { running in
            try await running.connect(Self.speaking) { client in
                try await withThrowingTaskGroup { group in
                    for number in 0..<50 {
                        group.addTask {
                            let sum = try await client.call(AddTagged(left: number, right: 1))
                            #expect(sum == Sum(value: number + 1))
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `the next request is begun when the last has been answered`() async throws {
        let begun = Recorded<String>()
        let release = Recorded<Void>()
        try await Self.withRecorder {
            $0.handle("slow", on: .concurrent) { _, _ async throws -> [UInt8] in
                begun.append("slow")
                try await release.wait()
                return Array(#"{"type":"slow"}"#.utf8)
            }
            $0.handle("fast") { _, _ in
                begun.append("fast")
                return Array(#"{"type":"fast"}"#.utf8)
            }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.message(#"{"type":"slow"}"#) + Self.message(#"{"type":"fast"}"#))
            try await begun.wait { $0.count == 1 }
            // Another connection is served meanwhile, so the loop has had its turns.
            try await running.connect(Self.speaking) { _ = try await $0.call(PingRequest()) }
            #expect(begun.all == ["slow"])
            release.signal()
            #expect(try await peer.read(19) == Self.message(#"{"type":"slow"}"#))
            #expect(try await peer.read(19) == Self.message(#"{"type":"fast"}"#))
            #expect(begun.all == ["slow", "fast"])
        }
    }

    @Test func `failures become error replies and the connection stays`() async throws {
        try await Self.withRecorder {
            $0.handle("fail") { _, _ -> [UInt8] in throw CallError(.resourceExhausted, "no display 9") }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.message(#"{"type":"fail"}"#))
            let expected = Self.message(#"{"type":"error","message":"no display 9"}"#)
            #expect(try await peer.read(expected.count) == expected)
            try await peer.send(Self.ping)
            #expect(try await peer.read(Self.pong.count) == Self.pong)
            try await running.connect(Self.speaking) { client in
                let failed = try await errorOf(CallError.self) { _ = try await client.call("fail", codec: .json, payload: Array(#"{"type":"fail"}"#.utf8)) }
                #expect(failed.code == FailureCode(rawValue: 1000))
                #expect(failed.sentence == "no display 9")
                let unknown = try await errorOf(CallError.self) { _ = try await client.call("x", codec: .json, payload: Array(#"{"type":"nonesuch"}"#.utf8)) }
                #expect(unknown.sentence.contains("nonesuch"))
                let pong = try await client.call(PingRequest())
                #expect(pong == Pong())
            }
        }
    }

    @Test func `events reach clients that expect their type`() async throws {
        try await Self.withRecorder { running in
            try await running.connect(Self.speaking) { client in
                let events = client.events(of: Progress.self)
                _ = try await client.call(PingRequest())
                for percent in 0..<5 { #expect(try running.service.broadcast(Progress(percent: percent)) == 1) }
                var iterator = events.makeAsyncIterator()
                for percent in 0..<5 {
                    let next = await iterator.next()
                    #expect(next == .event(Progress(percent: percent)))
                }
            }
        }
    }

    @Test(arguments: [true, false]) func `events wait for the reply in hand where that is wanted`(areHeld: Bool) async throws {
        let begun = Recorded<Void>()
        let release = Recorded<Void>()
        try await withRunning(format: .taggedJSON(holdsEvents: areHeld)) {
            $0.handle("slow", on: .concurrent) { _, _ async throws -> [UInt8] in
                begun.signal()
                try await release.wait()
                return Array(#"{"type":"slow"}"#.utf8)
            }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.message(#"{"type":"slow"}"#))
            try await begun.wait()
            #expect(try running.service.broadcast(Progress(percent: 7)) == 1)
            release.signal()
            let (reply, event) = (Self.message(#"{"type":"slow"}"#), Self.message(#"{"percent":7,"type":"progress"}"#))
            #expect(try await peer.read(reply.count + event.count) == (areHeld ? reply + event : event + reply))
        }
    }

    @Test func `what the format has no bytes for fails at once`() async throws {
        try await Self.withRecorder { running in
            try await running.connect(Self.speaking) { client in
                _ = try await errorOf(CallError.self) { _ = try await client.ping() }
                let numbers = AsyncStream<Sum> { $0.finish() }
                let upload = try await errorOf(CallError.self) { _ = try await client.upload(Total(), items: numbers) }
                #expect(upload.code == .invalidRequest)
                let untagged = try await errorOf(CallError.self) { _ = try await client.call(Add(left: 1, right: 1)) }
                #expect(untagged.code == .invalidRequest)
                let sent = try await client.send(Progress(percent: 1))
                #expect(!sent)
                _ = try await client.call(PingRequest())
            }
        }
    }

    @Test func `a graceful end answers the request in hand`() async throws {
        let begun = Recorded<Void>()
        let release = Recorded<Void>()
        try await Self.withRecorder {
            $0.handle("slow") { _, _ async throws -> [UInt8] in
                begun.signal()
                try await release.wait()
                return Array(#"{"type":"slow"}"#.utf8)
            }
        } _: { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Self.message(#"{"type":"slow"}"#))
            try await begun.wait()
            running.service.beginGracefulShutdown()
            release.signal()
            #expect(try await peer.readToEnd() == Self.message(#"{"type":"slow"}"#))
        }
    }

    @Test func `one service speaks several formats, each at its own endpoint`() async throws {
        try await withDirectory { directory in
            let log = LogRecorder()
            var configuration = ServiceConfiguration.defaults
            configuration.log = log.log
            let running = Running(service: makeService(at: .path(directory + "/native"), configuration: configuration), path: directory + "/native", log: log)
            let name = uniqueName()
            running.service.listen(at: .path(directory + "/json"), format: .taggedJSON())
            running.service.listen(at: .inProcess(name))
            running.service.listen(at: .path(directory + "/closed"), policy: .users([]))
            try await withRunning(running) { running in
                try await log.entries.wait { $0.count { $0.message == "listening" } == 4 }
                try await running.connect { try await $0.checkIsServed() }
                try await Client.connect(to: .inProcess(name)) { try await $0.checkIsServed() }
                try await Client.connect(to: .path(directory + "/json"), configuration: Self.speaking) { client in
                    let sum = try await client.call(AddTagged(left: 1, right: 2))
                    #expect(sum == Sum(value: 3))
                }
                let refused = try await errorOf(GinnelError.self) { try await Client.connect(to: .path(directory + "/closed")) { _ in } }
                #expect(refused.failure?.code == .peerRefused)
                // Whoever speaks the wrong one is a stranger.
                let confused = try await errorOf(GinnelError.self) { try await Client.connect(to: .path(directory + "/json")) { _ in } }
                #expect(confused.code == .closed)
                try await running.connect { try await $0.checkIsServed() }
            }
        }
    }
}
