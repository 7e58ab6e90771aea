// Many clients in one process: `--count` of them connect, are served once, call `hold` if `--hold yes`, and stay until they are killed. Says `crowded` when all are there; obeys `fail`, which ends the process on the spot with status 3.

import Foundation
import Ginnel
import GinnelTransport

struct Crowding: Sendable {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() async {
        let count = options.number("count") ?? 1
        let holds = options["hold"] != nil
        let (served, continuation) = AsyncStream.makeStream(of: Void.self)
        await withTaskGroup { group in
            group.addTask {
                try? await EventLoop.run { loop in
                    var configuration = ClientConfiguration.defaults
                    configuration.loop = .shared(loop)
                    configuration.log = .off
                    await Self.crowd(options.endpoint, configuration, count, holds, continuation)
                }
            }
            group.addTask {
                for await order in Control.orders where order == "fail" { _exit(3) }
            }
            var number = 0
            for await _ in served {
                number += 1
                if number == count { say("crowded") }
            }
        }
    }

    private static func crowd(
        _ endpoint: Endpoint, _ configuration: ClientConfiguration, _ count: Int, _ holds: Bool, _ served: AsyncStream<Void>.Continuation
    ) async {
        await withTaskGroup { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        try await Client.connect(to: endpoint, configuration: configuration) { client in
                            _ = try await client.call("echo", payload: [1])
                            served.yield()
                            if holds { _ = try await client.call("hold", payload: []) } else { try await Task.sleep(for: .seconds(3600)) }
                        }
                    } catch {
                        say("failed \(error)")
                    }
                }
            }
        }
    }
}
