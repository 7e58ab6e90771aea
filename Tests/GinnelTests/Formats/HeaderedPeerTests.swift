// Tests/Peers/headered.py, a program in another language that was written from the format's page, as the other side of a real socket.

import Foundation
import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct HeaderedPeerTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Peers/headered.py").standardizedFileURL.path

    private static func python(_ role: String, _ path: String) throws -> Child {
        try Child(["python3", "-B", script, role, path], program: "/usr/bin/env")
    }

    @Test func `a client in another language is served`() async throws {
        let stopped = Recorded<Void>()
        try await withRunning(format: .headered()) {
            $0.handle(Headered.AskRequest.self) { request, _ in Headered.AskResponse(answer: "\(request.query) 42 \(request.context)", confidence: 1) }
            $0.handle(Headered.EditRequest.self) { request, _ in Headered.EditResponse(modifiedCode: request.originalCode + request.instructions, diff: "", explanation: "") }
            $0.handle(Headered.CompletionStream.self) { request, _, writer in
                do {
                    for number in 0..<(request.prompt == "count 3" ? 3 : Int.max) { try await writer.send(.text("\(number)")) }
                } catch {
                    stopped.signal()
                    throw error
                }
            }
            $0.handle(event: Headered.ChatMessage.self) { message, connection in
                _ = try? connection.send(Headered.ChatMessage(role: "echo", content: "\(message.content) \(message.timestamp)", timestamp: 0))
            }
        } _: { running in
            let child = try Self.python("client", running.path)
            #expect(try await child.status() == 0)
            try await child.line("end")
            #expect(
                child.lines.all == [
                    "heartbeat beat", #"answer six by nine? 42 ["a"]"#, "edited xy", #"pieces [{"Text": "0"}, {"Text": "1"}, {"Text": "2"}]"#, "cancelled 1",
                    "unknown 3", "invalid 4", "said echo bye 18446744073709551615", "end",
                ])
            try await stopped.wait()
        }
    }

    @Test(arguments: [false, true]) func `a service in another language serves`(greets: Bool) async throws {
        try await withDirectory { directory in
            let child = try Self.python("service", directory + "/s")
            try await child.line("listening")
            var configuration = ClientConfiguration.defaults
            configuration.format = .headered(greets: greets)
            try await Client.connect(to: .path(directory + "/s"), configuration: configuration) { client in
                let answer = try await client.call(Headered.AskRequest(query: "shout", model: "m", maxTokens: 9))
                #expect(answer == Headered.AskResponse(answer: "SHOUT", confidence: 0.25, sources: ["s"]))
                let failed = try await errorOf(CallError.self) { _ = try await client.call(Headered.AskRequest(query: "fail", model: "m", maxTokens: 9)) }
                #expect(failed == CallError(FailureCode(rawValue: UInt32(bitPattern: -7)), "no idea", details: [0x64]))
                async let first = client.call(Headered.AskRequest(query: "later", context: ["1"], model: "m", maxTokens: 9))
                async let second = client.call(Headered.AskRequest(query: "later", context: ["2"], model: "m", maxTokens: 9))
                let both = try await [first.answer, second.answer]
                #expect(both == ["1", "2"])

                let whole = try await client.call(Headered.CompletionRequest(prompt: "p", model: "m", maxTokens: 1, temperature: 0.7))
                #expect(whole == Headered.CompletionResponse(text: "p", model: "m", tokensUsed: 1, finishReason: "stop"))
                var items: [Headered.ChunkContent] = []
                for try await item in try await client.open(Headered.CompletionStream(prompt: "p", model: "m", maxTokens: 1, temperature: 0.7)) { items.append(item) }
                #expect(
                    items == [
                        .text("a"), .token(.init(id: .max, text: "b", logprob: -0.5)), .functionCall(.init(name: "f", arguments: "{}")), .error("e"),
                    ])

                let late = try await errorOf(CallError.self) {
                    _ = try await client.call(Headered.AskRequest(query: "never", model: "m", maxTokens: 9), deadline: .milliseconds(300))
                }
                #expect(late.code == .deadlineExceeded)
                try await child.line("cancelled")
                let said = client.events(of: Headered.ChatMessage.self)
                _ = try await client.send(Headered.ChatMessage(role: "user", content: "abc", timestamp: 1))
                var iterator = said.makeAsyncIterator()
                let next = await iterator.next()
                #expect(next == .event(Headered.ChatMessage(role: "user", content: "cba", timestamp: 1)))
                _ = try await client.ping()
            }
            #expect(try await child.status() == 0)
            try await child.line("end")
            #expect(child.lines.all.contains("disconnect 0 0"))
        }
    }
}
