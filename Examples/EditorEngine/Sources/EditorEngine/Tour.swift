// What an editor wants of an engine, in one way of speaking with it. The same code for all of them.

import Ginnel

struct Tour: Sendable {
    let way: Way
    let directory: String

    func run() async throws {
        say("\(way.rawValue):")
        try await Client.connect(to: way.endpoint(.asleep, in: directory), configuration: way.configuration()) { engine in
            try await completeWhole(engine)
            try await completeWordByWord(engine)
            try await letGoInTheMiddle(engine)
            if let transport = engine.transport { say("  editor: the bytes went through: \(transport)") }
        }
    }

    private func completeWhole(_ engine: Client) async throws {
        let request = Headered.CompletionRequest(prompt: "polly wants a cracker", model: "parrot", maxTokens: 4, temperature: 0)
        let completion = try await engine.call(request, deadline: .seconds(5))
        say("  editor: a completion: \(completion.text)")
    }

    private func completeWordByWord(_ engine: Client) async throws {
        var words: [String] = []
        for try await piece in try await engine.open(stream(of: 6), deadline: .seconds(5)) {
            if case .text(let word) = piece { words.append(word) }
        }
        say("  editor: word by word: \(words.joined(separator: "|"))")
    }

    /// The engine would go on for ever; it is never much further than this side has read, and stops when this side does.
    private func letGoInTheMiddle(_ engine: Client) async throws {
        let notes = engine.events(of: Headered.ChatMessage.self)
        var taken = 0
        for try await _ in try await engine.open(stream(of: .max)) {
            taken += 1
            if taken < 100 { continue }
            say("  editor: I let go after 100 words")
            break
        }
        for await case .event(let note) in notes {
            say("  editor: the engine says that it made \(note.content) and stopped")
            break
        }
    }

    private func stream(of words: UInt32) -> Headered.CompletionStream {
        Headered.CompletionStream(prompt: "who is a pretty boy then", model: "parrot", maxTokens: words, temperature: 0)
    }
}
