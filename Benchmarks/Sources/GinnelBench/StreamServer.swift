// The second process of a bare stream: echoes messages, or counts them and says how many when it is asked by a message that is numbered 0.

import Ginnel

enum StreamServer {
    static func run(_ options: Options, path: String) async throws {
        if !options.pinsLate { try Processor.pin(to: 0) }
        try await EventLoop.run { loop in
            let listener = try await SharedMemoryListener.bind(.path(path), options: options.stream, on: loop)
            let stream = try await listener.accept()
            if options.pinsLate { try Processor.pinThreads(to: 0) }
            let end = StreamEnd(stream, options)
            if options.isOneWay { try await count(end) } else { try await echo(end) }
            await stream.close()
            await listener.close()
        }
    }

    private static func echo(_ end: StreamEnd) async throws {
        var message = Message.room
        while try await end.receive(into: &message) { try await end.send(message) }
    }

    private static func count(_ end: StreamEnd) async throws {
        var message = Message.room
        var answer = Message(8)
        var count: UInt64 = 0
        while try await end.receive(into: &message) {
            if message.number == 0 {
                answer.number = count
                try await end.send(answer)
            } else {
                count += 1
                guard message.number == count else { throw Wrong(description: "a message is missing or out of order") }
            }
        }
    }
}
