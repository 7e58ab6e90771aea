// The engine: completes what it is asked to, at the pace of whoever reads. In place of a model it has a parrot, which repeats the words of the prompt.

import Foundation
import Ginnel

struct Engine: Sendable {
    let directory: String

    /// Serves until the editor wants it no more.
    func run() async throws {
        let requests = try TerminationRequest.all()
        try await EventLoop.run { loop in
            try await withThrowingTaskGroup { group in
                for waiting in Waiting.allCases {
                    group.addTask { try await takeContexts(waiting, on: loop) }
                    group.addTask { try await makeService(waiting).run() }
                }
                group.addTask { for await _ in requests { return } }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    // MARK: Completions

    /// One service, and one endpoint for each way to speak with it.
    private func makeService(_ waiting: Waiting) -> Service {
        var configuration = ServiceConfiguration.defaults
        configuration.loops = waiting.loops
        let (first, others) = (Way.allCases[0], Way.allCases.dropFirst())
        let service = Service(
            at: first.endpoint(waiting, in: directory), format: first.format, transports: first.transports, configuration: configuration)
        for way in others { service.listen(at: way.endpoint(waiting, in: directory), format: way.format, transports: way.transports) }

        service.handle(Headered.CompletionRequest.self) { request, _ in
            let words = Array(Parrot(request.prompt).prefix(Int(request.maxTokens)))
            return Headered.CompletionResponse(
                text: words.joined(separator: " "), model: request.model, tokensUsed: UInt32(words.count), finishReason: "length")
        }
        service.handle(Headered.CompletionStream.self) { request, context, writer in
            var made = 0
            do {
                for word in Parrot(request.prompt).prefix(Int(request.maxTokens)) {
                    // Here a model would take its time.
                    await Task.yield()
                    // Waits for the reader; throws when it has let go.
                    try await writer.send(.text(word))
                    made += 1
                }
            } catch {
                say("  engine: I stop after \(made) words, nobody reads them any more")
                try context.connection.send(Headered.ChatMessage(role: "assistant", content: "\(made)", timestamp: 0))
                throw error
            }
        }
        service.handle("echo") { bytes, _ in bytes.withUnsafeBytes { [UInt8]($0) } }
        service.handle("context") { bytes, _ in Context.summary(of: bytes) }
        return service
    }

    // MARK: Contexts

    /// Takes contexts from one editor after the other and answers each with its size.
    private func takeContexts(_ waiting: Waiting, on loop: EventLoop) async throws {
        let listener = try await SharedMemoryListener.bind(Context.endpoint(waiting, in: directory), options: waiting.stream, on: loop)
        do {
            while true {
                let stream = try await listener.accept()
                while let answer = try await stream.withNextMessage({ Context.summary(of: $0) }) { try await stream.send(answer) }
                await stream.close()
            }
        } catch is CancellationError {
            await listener.close()
        }
    }
}

/// The words of a prompt, over and over.
struct Parrot: Sequence, IteratorProtocol {
    private let words: [String]
    private var position = 0

    init(_ prompt: String) { words = prompt.split(separator: " ").map(String.init) }

    mutating func next() -> String? {
        guard !words.isEmpty else { return nil }
        defer { position = (position + 1) % words.count }
        return words[position]
    }
}
