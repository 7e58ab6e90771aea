// A client that sends durable messages in all priorities without end and writes down, in lines `PRIORITY NUMBER`, those that `send` has reported as kept. Numbers go on from `--from`. Says `sending`. With `--dies-after N`
// it is killed behind line N. Told to `finish`, it sends no more, waits until all is acknowledged and says `flushed`.

import Foundation
import Ginnel
import GinnelTransport

enum Sending {
    static func run(_ options: Options) async throws {
        var configuration = ClientConfiguration.defaults
        configuration.outbox.path = options["outbox"]
        configuration.outbox.limits.messages = 64
        configuration.log = .off
        let client = Client(to: options.endpoint, reconnect: .exponential(Backoff(base: .milliseconds(2), cap: .milliseconds(20)), attempts: nil), configuration: configuration)
        let journal = Journal(at: options["journal"] ?? "")
        let left = Guarded(options.number("dies-after") ?? .max)
        let isDone = Guarded(false)
        try await withThrowingTaskGroup { group in
            group.addTask { try await client.run() }
            say("sending")
            group.addTask {
                for await order in Control.orders where order == "finish" { isDone.withLock { $0 = true } }
            }
            try await withThrowingTaskGroup { lanes in
                for priority in [Priority.high, .normal, .low] {
                    lanes.addTask {
                        var number = options.number("from") ?? 0
                        while !isDone.withLock({ $0 }) {
                            try await client.send(Numbered(number: number), delivery: .durable, priority: priority)
                            left.withLock { left in
                                journal.append("\(priority) \(number)")
                                left -= 1
                                if left == 0 { Journal.die() }
                            }
                            number += 1
                        }
                    }
                }
                try await lanes.waitForAll()
            }
            try await client.flush()
            say("flushed")
            client.close()
            group.cancelAll()
        }
    }
}
