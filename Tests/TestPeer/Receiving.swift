// A service that writes down what it is handed, in lines `SENDER ID PRIORITY NUMBER REDELIVERED`: a message is in the journal before its handler returns, and so before it is acknowledged.
// With `--dies-after N` it is killed behind line N, which is then written and never acknowledged. Says `listening`; `over` when it was told to `stop`.

import Foundation
import Ginnel
import GinnelTransport

enum Receiving {
    static func run(_ options: Options) async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.log = Log(level: .notice) { level, message, _ in say(level == .notice ? message : "log \(level) \(message)") }
        let journal = Journal(at: options["journal"] ?? "")
        let left = Guarded(options.number("dies-after") ?? .max)
        let service = Service(at: options.endpoint, configuration: configuration)
        service.receive(Numbered.self) { message, context in
            left.withLock { left in
                journal.append("\(context.sender) \(context.id) \(context.priority) \(message.number) \(context.isRedelivered)")
                left -= 1
                if left == 0 { Journal.die() }
            }
        }
        try await withThrowingTaskGroup { group in
            group.addTask { for await order in Control.orders where order == "stop" { service.beginGracefulShutdown() } }
            try await service.run()
            say("over")
            group.cancelAll()
        }
    }
}
