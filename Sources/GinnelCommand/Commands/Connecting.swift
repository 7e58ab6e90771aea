// How ping, call and bench get their connection, and tell what kept them from it apart from what happened on it.

import Ginnel

extension Invocation {
    var endpoint: Endpoint { Endpoint(operands[0]) }

    /// As the configuration file and the options say.
    func clientConfiguration() throws(UsageError) -> ClientConfiguration {
        var configuration = try configurationFile().client()
        if has("low-latency") { configuration.loop = .own(.lowLatency) }
        if let path = options["key"] { configuration.encryption = try Self.encryption(path) }
        configuration.policy = try expectation(for: endpoint).policy
        configuration.program = Version.program
        // What happens to a connection comes back as an error, which is reported once.
        configuration.log = .off
        return configuration
    }

    /// Connects, to ENDPOINT unless another is given, and runs `body`. Errors of this side that come out of the body are reported as the loss of the connection.
    func connected<Result: Sendable>(
        to other: Endpoint? = nil, _ body: @concurrent @escaping @Sendable (Client) async throws -> Result
    ) async throws -> Result {
        let name = operands[0]
        return try await Client.connect(to: other ?? endpoint, configuration: try clientConfiguration()) { client in
            do {
                return try await body(client)
            } catch let error as GinnelError {
                throw Trouble(losing: error, endpoint: name)
            }
        }
    }
}
