// A client. Says `connected PROCESS` with the service's process id, then for each order `call METHOD` a line `reply TEXT` or `error CODE`, for `engine` the name of its engine; `refused CODE FAILURE` when it cannot connect.

import Ginnel

struct Calling: Sendable {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() async {
        var configuration = ClientConfiguration.defaults
        configuration.policy = options.policy
        configuration.format = options.format
        configuration.log = .off
        // Whoever reads the digest of a large program in between may take a while.
        configuration.timeouts.handshake = .seconds(60)
        do {
            try await Client.connect(to: options.endpoint, configuration: configuration) { client in
                say("connected \(client.service?.process ?? 0)")
                for await order in Control.orders {
                    let words = order.split(separator: " ").map(String.init)
                    switch words.first {
                    case "call": say(await Self.outcome(of: words[1], options["format"] == nil ? "x" : #""x""#, client))
                    case "engine": say(client.engine.name)
                    case "leave": return
                    default: break
                    }
                }
            }
            say("over")
        } catch let error as GinnelError {
            say("refused \(error.code) \(error.failure.map { "\($0.code)" } ?? "-")")
        } catch {
            say("refused other \(error)")
        }
    }

    private static func outcome(of method: String, _ payload: String, _ client: Client) async -> String {
        do {
            return "reply " + String(decoding: try await client.call(method, payload: Array(payload.utf8)).bytes, as: UTF8.self)
        } catch let error as CallError {
            return "error \(error.code)"
        } catch {
            return "error \(error)"
        }
    }
}
