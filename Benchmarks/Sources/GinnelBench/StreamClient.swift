// The first process of a bare stream: round trips with one message in flight, or messages one way as fast as the ring takes them.

import Ginnel

struct StreamClient {
    let options: Options
    let server: Int32

    func run(at path: String) async throws -> Result {
        try await Client.wait(for: .path(path), interval: .milliseconds(10))
        return try await EventLoop.run { loop in
            let stream = try await SharedMemoryStream.connect(to: .path(path), options: options.stream, on: loop)
            if options.pinsLate { try Processor.pinThreads(to: options.clientProcessor) }
            let end = StreamEnd(stream, options)
            let result = options.isOneWay ? try await oneWay(end) : try await echo(end)
            await stream.close()
            return result
        }
    }

    // MARK: There and back

    private func echo(_ end: StreamEnd) async throws -> Result {
        var request = Message(options.size)
        _ = try await echo(end, &request, seconds: options.warmUp)
        return try await echo(end, &request, seconds: options.seconds)
    }

    private func echo(_ end: StreamEnd, _ request: inout Message, seconds: Double) async throws -> Result {
        var reply = Message.room
        var pace = Pace(options)
        var result = Result()
        let processorTime = Processor.time(with: server)
        let began = Processor.now
        let over = began + UInt64(seconds * 1e9)
        var now = began
        request.number = 0
        while now < over {
            let before = try await pace.next(now)
            request.number += 1
            try await end.send(request)
            guard try await end.receive(into: &reply) else { throw Wrong(description: "the server has ended the stream") }
            guard reply.count == request.count, reply.number == request.number else { throw Wrong(description: "an answer is not the echo of its request") }
            if request.number == 1, !reply.isEqual(to: request) { throw Wrong(description: "an echo has another payload than its request") }
            now = Processor.now
            result.latencies.record(now - before)
        }
        result.nanoseconds = now - began
        result.processorTime = Processor.time(with: server) - processorTime
        result.messages = result.latencies.count
        return result
    }

    // MARK: One way

    private func oneWay(_ end: StreamEnd) async throws -> Result {
        var message = Message(options.size)
        var sent: UInt64 = 0
        try await send(end, &message, &sent, seconds: options.warmUp)
        try await waitForCount(end, of: sent)
        let before = sent
        let began = Processor.now
        let processorTime = Processor.time(with: server)
        try await send(end, &message, &sent, seconds: options.seconds)
        try await waitForCount(end, of: sent)
        var result = Result()
        result.nanoseconds = Processor.now - began
        result.processorTime = Processor.time(with: server) - processorTime
        result.messages = Int(sent - before)
        return result
    }

    private func send(_ end: StreamEnd, _ message: inout Message, _ sent: inout UInt64, seconds: Double) async throws {
        let over = Processor.now + UInt64(seconds * 1e9)
        while Processor.now < over {
            for _ in 0..<options.batch {
                sent += 1
                message.number = sent
                try await end.send(message)
            }
        }
    }

    /// Returns once everything sent has been received and counted.
    private func waitForCount(_ end: StreamEnd, of sent: UInt64) async throws {
        var question = Message(8)
        question.number = 0
        var answer = Message.room
        try await end.send(question)
        guard try await end.receive(into: &answer) else { throw Wrong(description: "the server has ended the stream") }
        guard answer.number == sent else { throw Wrong(description: "\(answer.number) messages received of \(sent) sent") }
    }
}
