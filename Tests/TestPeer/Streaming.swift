// The client of a stream over shared memory: sends `--count` messages of one byte each, and then ends, in order or, with `--dies yes`, as SIGKILL ends a process.

import Foundation
import Ginnel
import GinnelTransport

enum Streaming {
    static func run(_ options: Options) async {
        do {
            try await EventLoop.run { loop in
                let stream = try await SharedMemoryStream.connect(to: options.endpoint, on: loop)
                for number in 0..<(options.number("count") ?? 0) { try await stream.send([UInt8(truncatingIfNeeded: number)]) }
                if options["dies"] != nil { kill(getpid(), SIGKILL) }
                await stream.close()
            }
            say("done")
        } catch {
            say("\(error)")
        }
    }
}
