// The headered format (docs/formats/headered.md) through the same Service and Client as the native protocol.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct HeaderedServiceTests {
    private static func configuration(_ format: WireFormat = .headered()) -> ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = format
        return configuration
    }

    private static func stream(_ prompt: String) -> Headered.CompletionStream {
        Headered.CompletionStream(prompt: prompt, model: "m", maxTokens: 1, temperature: 1)
    }

    /// What the handlers of `withBridge` have seen.
    private struct Seen {
        let stopped = Recorded<Void>()
        let begun = Recorded<Void>()
        /// A stream has been sent to its end.
        let sent = Recorded<Void>()
    }

    private static func withBridge<Result: Sendable>(
        _ format: WireFormat = .headered(), _ change: (inout ServiceConfiguration) -> Void = { _ in }, _ body: (Running, Seen) async throws -> Result
    ) async throws -> Result {
        let seen = Seen()
        var configuration = ServiceConfiguration.defaults
        change(&configuration)
        return try await withRunning(configuration, format: format) {
            $0.handle(Headered.AskRequest.self) { request, _ in
                if request.query == "fail" { throw CallError(.forbidden, "not this", details: Array("why".utf8)) }
                return Headered.AskResponse(answer: request.query == "six by nine?" ? "42" : request.query, confidence: 1)
            }
            $0.handle(Headered.EditRequest.self) { request, context in
                Headered.EditResponse(modifiedCode: request.originalCode + request.instructions, diff: "", explanation: "\(context.priority)")
            }
            $0.handle(Headered.CompletionRequest.self, on: .concurrent) { _, _ async throws in
                seen.begun.signal()
                await DeadlineTests.waitForCancellation()
                seen.stopped.signal()
                throw CancellationError()
            }
            $0.handle(Headered.CompletionStream.self) { request, _, writer in
                let count = request.prompt == "for ever" ? Int.max : Int(request.prompt.split(separator: " ").last ?? "") ?? 0
                var next = 0
                do {
                    while next < count {
                        try await writer.send(.text("\(next)"))
                        next += 1
                        await Task.yield()
                    }
                    seen.sent.signal()
                } catch {
                    seen.stopped.signal()
                    throw error
                }
            }
            $0.handle(event: Headered.ChatMessage.self) { message, connection in
                _ = try? connection.send(Headered.ChatMessage(role: "service", content: message.content, timestamp: 1))
            }
        } _: { running in
            try await body(running, seen)
        }
    }

    @Test func `typed calls work, many at once`() async throws {
        try await Self.withBridge { running, _ in
            try await running.connect(Self.configuration()) { client in
                try await withThrowingTaskGroup { group in
                    for number in 0..<200 {
                        group.addTask {
                            let answer = try await client.call(Headered.AskRequest(query: "\(number)", model: "m", maxTokens: 1))
                            #expect(answer == Headered.AskResponse(answer: "\(number)", confidence: 1))
                        }
                    }
                    try await group.waitForAll()
                }
                let urgent = try await client.call(Headered.EditRequest(filePath: "", originalCode: "a", instructions: "b", language: ""), priority: .high)
                #expect(urgent == Headered.EditResponse(modifiedCode: "ab", diff: "", explanation: "high"))
            }
        }
    }

    @Test func `a stream comes in order, to its end`() async throws {
        try await Self.withBridge { running, _ in
            try await running.connect(Self.configuration(.headered(greets: true))) { client in
                for count in [3, 0] {
                    var items: [Headered.ChunkContent] = []
                    for try await item in try await client.open(Self.stream("count \(count)")) { items.append(item) }
                    #expect(items == (0..<count).map { .text("\($0)") })
                }
            }
        }
    }

    @Test func `a stream of more than anybody keeps goes at the pace of its reader`() async throws {
        try await Self.withBridge(.headered()) {
            $0.limits.announced.itemWindow = 2000
            $0.limits.bufferedBytes = 100_000
        } _: { running, _ in
            var configuration = Self.configuration()
            configuration.limits.announced.itemWindow = 2000
            try await running.connect(configuration) { client in
                var next = 0
                for try await item in try await client.open(Self.stream("count 6000")) {
                    if item != .text("\(next)") { break }
                    next += 1
                }
                #expect(next == 6000)
                #expect(!running.log.entries.all.contains { $0.message.hasPrefix("a connection ended") })
            }
        }
    }

    @Test func `letting go of a stream stops its handler`() async throws {
        try await Self.withBridge { running, seen in
            try await running.connect(Self.configuration()) { client in
                var stream: IncomingItems<Headered.ChunkContent>? = try await client.open(Self.stream("for ever"))
                for try await item in stream! where item == .text("5") { break }
                stream = nil
                try await seen.stopped.wait()
                let answer = try await client.call(Headered.AskRequest(query: "still there?", model: "m", maxTokens: 1))
                #expect(answer.answer == "still there?")
            }
        }
    }

    @Test func `a deadline that passes behind an unread stream lets the connection be read again`() async throws {
        try await Self.withBridge { running, seen in
            // All that the service says lies unread by then, and no other timer will make the client look.
            var configuration = Self.configuration()
            configuration.limits.announced.itemWindow = 100
            configuration.timeouts.heartbeat = nil
            try await running.connect(configuration) { client in
                let unread = try await client.open(Self.stream("count 50"), deadline: .milliseconds(500))
                try await seen.sent.wait()
                let answer = try await client.call(Headered.AskRequest(query: "after", model: "m", maxTokens: 1))
                #expect(answer.answer == "after")
                let failed = try await errorOf(CallError.self) { for try await _ in unread {} }
                #expect(failed.code == .deadlineExceeded)
            }
        }
    }

    @Test func `cancelling the caller's task and a deadline cancel the handler`() async throws {
        try await Self.withBridge { running, seen in
            try await running.connect(Self.configuration()) { client in
                let request = Headered.CompletionRequest(prompt: "", model: "m", maxTokens: 1, temperature: 1)
                let caller = Task { try await client.call(request) }
                try await seen.begun.wait()
                caller.cancel()
                let cancelled = try await errorOf(CallError.self) { _ = try await caller.value }
                #expect(cancelled.code == .cancelled)
                try await seen.stopped.wait()
                let late = try await errorOf(CallError.self) { _ = try await client.call(request, deadline: .milliseconds(50)) }
                #expect(late.code == .deadlineExceeded)
                try await seen.stopped.wait(for: 2)
            }
        }
    }

    @Test func `errors come with code, sentence and details, and what the format cannot carry fails by name`() async throws {
        try await Self.withBridge { running, _ in
            try await running.connect(Self.configuration()) { client in
                let failed = try await errorOf(CallError.self) { _ = try await client.call(Headered.AskRequest(query: "fail", model: "m", maxTokens: 1)) }
                #expect(failed == CallError(.forbidden, "not this", details: Array("why".utf8)))
                let missing = try await errorOf(CallError.self) { _ = try await client.call(Headered.ToolCall(toolName: "t", arguments: "{}", id: "1")) }
                #expect(missing.code == .unknownMethod)
                let unknown = try await errorOf(CallError.self) { _ = try await client.call(Add(left: 1, right: 2)) }
                #expect(unknown.code == .unknownMethod)
                #expect(unknown.sentence.contains("no type of message"))
                let sent = try await client.send(Tick(number: 1))
                #expect(!sent)
                _ = try await client.ping()
            }
        }
    }

    @Test func `one-way messages go both ways`() async throws {
        try await Self.withBridge { running, _ in
            try await running.connect(Self.configuration()) { client in
                let said = client.events(of: Headered.ChatMessage.self)
                let sent = try await client.send(Headered.ChatMessage(role: "user", content: "hello", timestamp: 7))
                #expect(sent)
                var iterator = said.makeAsyncIterator()
                let next = await iterator.next()
                #expect(next == .event(Headered.ChatMessage(role: "service", content: "hello", timestamp: 1)))
            }
        }
    }

    @Test func `a graceful end says Disconnect and answers what is in flight`() async throws {
        try await Self.withBridge { running, seen in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(HeaderedFrame(1, id: 1, json: #"{"prompt":"","model":"","max_tokens":1,"temperature":1,"stream":false}"#).encoded)
            try await seen.begun.wait()
            running.service.beginGracefulShutdown()
            let disconnect = HeaderedFrame(0x12, id: 0).encoded
            #expect(try await peer.read(disconnect.count) == disconnect)
            try await peer.send(HeaderedFrame.cancel(1).encoded)
            let rest = HeaderedFrame.all(in: try await peer.readToEnd())
            #expect(rest.map(\.id) == [1])
            #expect(rest.first?.text.hasPrefix(#"{"code":1,"#) == true)
        }
    }

    @Test func `bad input ends its connection with a word, and its neighbours go on`() async throws {
        try await Self.withBridge { running, _ in
            try await running.connect(Self.configuration()) { client in
                for (bytes, code) in [(Array("LAPC".utf8), 101), (Array(HeaderedFrame(0x100, id: 1, [1]).encoded.dropLast()) + [2], 110)] {
                    let peer = try RawPeer(connectingTo: running.path)
                    try await peer.send(bytes)
                    let said = HeaderedFrame.all(in: try await peer.readToEnd())
                    #expect(said.count == 1)
                    #expect(said.first?.text.hasPrefix(#"{"code":\#(code),"#) == true)
                }
                let answer = try await client.call(Headered.AskRequest(query: "unharmed", model: "m", maxTokens: 1))
                #expect(answer.answer == "unharmed")
            }
            try await running.log.entry("a connection ended: closed by this side, protocolViolation")
            try await running.log.entry("a connection ended: closed by this side, checksumMismatch")
        }
    }

    @Test func `other payloads pass as they are`() async throws {
        try await withRunning(format: .headered(payloads: .opaque())) {
            $0.handle("tool_call") { bytes, context in bytes.copied().reversed() + [context.codec.rawValue] }
        } _: { running in
            try await running.connect(Self.configuration(.headered(payloads: .opaque(messageID: { UInt64($0.byteCount) })))) { client in
                let reply = try await client.call("tool_call", payload: [0xFF, 0, 1])
                #expect(reply.bytes == [1, 0, 0xFF, 0])
            }
        }
    }

    @Test func `a refused peer reads why`() async throws {
        try await withRunning(format: .headered(), policy: .users([])) { running in
            let peer = try RawPeer(connectingTo: running.path)
            #expect(HeaderedFrame.all(in: try await peer.readToEnd()) == [.error(0, 103)])
            let refused = try await errorOf(GinnelError.self) { try await running.connect(Self.configuration(.headered(greets: true))) { _ in } }
            #expect(refused.failure?.code == .peerRefused)
        }
    }
}
