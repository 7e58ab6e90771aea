// A service that is not Ginnel's and need not keep the rules, beside one that does.

import Ginnel
import GinnelTransport

/// Runs a service made by hand beside an honest one, whose client shares the loop of the other's.
func withLiar(
    _ configuration: ClientConfiguration = .defaults, _ liar: @escaping @Sendable (RawPeer) async throws -> Void,
    _ body: @escaping @concurrent @Sendable (Endpoint, ClientConfiguration, LogRecorder) async throws -> Void
) async throws {
    try await withDirectory { directory in
        let listener = try RawListener(at: directory + "/liar")
        try await withRunning { honest in
            try await EventLoop.run { loop in
                var sharing = configuration
                sharing.loop = .shared(loop)
                sharing.log = honest.log.log
                let configuration = sharing
                try await honest.connect(configuration) { client in
                    let neighbour = Neighbour(client: client)
                    try await neighbour.check()
                    async let lies: Void = liar(try await listener.accept())
                    try await body(.path(listener.path), configuration, honest.log)
                    try await lies
                    try await neighbour.check()
                }
            }
        }
    }
}
