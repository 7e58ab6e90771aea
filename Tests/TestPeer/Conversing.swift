// One side of bare streams over shared memory: messages without end that both sides know, while those that come are compared and dropped. Says `streaming` at the first one that comes, `broken N` when one
// is not what is due, and `over` at the peer's end.

import Ginnel
import GinnelTesting
import GinnelTransport

struct Conversing: Sendable {
    private static var messages: SeededMessages { SeededMessages(seed: 1, lengths: 0...3_000) }

    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() async {
        do {
            try await EventLoop.run { loop in
                var streamOptions = SharedMemoryStreamOptions.defaults
                streamOptions.sharedMemory.ringBytes = 16_384
                if options["role"] == "client" {
                    try await Self.talk(SharedMemoryStream.connect(to: options.endpoint, options: streamOptions, on: loop))
                } else {
                    let listener = try await SharedMemoryListener.bind(options.endpoint, options: streamOptions, on: loop)
                    say("listening")
                    while true { try await Self.talk(listener.accept()) }
                }
            }
        } catch {
            say("failed \(error)")
        }
    }

    private static func talk(_ stream: SharedMemoryStream) async throws {
        async let sending: Void = send(to: stream)
        var (due, number) = (messages, 0)
        while let message = try? await stream.receive() {
            if number == 0 { say("streaming") }
            if message != due.next() { say("broken \(number)") }
            number += 1
        }
        await stream.close()
        await sending
        say("over")
    }

    private static func send(to stream: SharedMemoryStream) async {
        var due = messages
        while (try? await stream.send(due.next())) != nil {}
    }
}
