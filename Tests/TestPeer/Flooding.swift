// A client that calls `flood`, which gives back what it gets, as fast as it can, several at a time, with payloads of all lengths. Says `flooding` once its connection goes through shared memory, and `broken` when a reply is not its request.

import Ginnel
import GinnelTesting

struct Flooding: Sendable {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() async {
        var configuration = ClientConfiguration.defaults
        configuration.log = Log(level: .info) { _, message, _ in if message.contains("goes on through shared memory") { say("flooding") } }
        try? await Client.connect(to: options.endpoint, configuration: configuration) { client in
            await withTaskGroup { group in
                for series: UInt64 in 0..<4 { group.addTask { await Self.flood(client, series) } }
            }
        }
        say("over")
    }

    private static func flood(_ client: Client, _ series: UInt64) async {
        var payloads = SeededMessages(seed: series, lengths: 0...60_000)
        while true {
            let payload = payloads.next()
            guard let reply = try? await client.call("flood", payload: payload) else { return }
            if reply.bytes != payload { say("broken") }
        }
    }
}
