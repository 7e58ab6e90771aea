// Events as fast as the service takes them.

import Ginnel

struct OneWay {
    let options: Options
    let server: Int32

    func run(_ client: Client) async throws -> Result {
        let payload = [UInt8](repeating: 7, count: options.size)
        var sent = try await send(client, payload, seconds: options.warmUp)
        let before = try await handled(client, of: sent)
        let countersBefore = client.metrics().counters
        let began = Processor.now
        let processorTime = Processor.time(with: server)
        sent += try await send(client, payload, seconds: options.seconds)
        let after = try await handled(client, of: sent)
        var result = Result()
        result.nanoseconds = Processor.now - began
        result.processorTime = Processor.time(with: server) - processorTime
        result.messages = after - before
        if !options.isThroughMemory {
            let counters = client.metrics().counters
            func grown(_ name: String) -> Double { Double((counters[name] ?? 0) - (countersBefore[name] ?? 0)) }
            // The question how many have come is a message and a write too, of thousands.
            result.messagesPerWrite = grown("messages_written_total") / max(1, grown("writes_total"))
        }
        return result
    }

    private func send(_ client: Client, _ payload: [UInt8], seconds: Double) async throws -> Int {
        let end = Processor.now + UInt64(seconds * 1e9)
        var sent = 0
        while Processor.now < end {
            for _ in 0..<options.batch { try await client.send(event: "one-way", payload: payload) }
            sent += options.batch
        }
        return sent
    }

    /// How many the service has handled once it has handled `sent`. A call may overtake events, so it is asked until all have come; events that were lost never do.
    private func handled(_ client: Client, of sent: Int) async throws -> Int {
        var handled = 0
        for _ in 0..<10_000 {
            let bytes = try await client.call("handled", payload: []).bytes
            handled = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
            if handled >= sent { return handled }
        }
        throw Wrong(description: "\(handled) events handled of \(sent) sent")
    }
}
