// A service at work in a directory of its own, with a log that the test reads, and clients of it.

import Ginnel
import GinnelTransport
import Testing

/// A service that runs while a test does.
struct Running: Sendable {
    let service: Service
    let path: String
    let log: LogRecorder

    var endpoint: Endpoint { .path(path) }

    /// Connects a client whose log is the service's too.
    func connect<Result: Sendable>(
        _ configuration: ClientConfiguration = .defaults, _ body: @concurrent @Sendable (Client) async throws -> Result
    ) async throws -> Result {
        var configuration = configuration
        configuration.log = log.log
        return try await Client.connect(to: endpoint, configuration: configuration, body)
    }
}

/// Runs a service with all the shapes of method, and what `prepare` adds, while `body` runs; stops it gracefully after, or at once when `body` throws.
func withRunning<Result: Sendable>(
    _ configuration: ServiceConfiguration = .defaults, format: WireFormat = .native, transports: Set<Transport> = [.socket],
    access: Access = .currentUser,
    policy: PeerPolicy? = nil, prepare: (Service) -> Void = { _ in },
    _ body: (Running) async throws -> Result
) async throws -> Result {
    try await withDirectory { directory in
        let log = LogRecorder()
        var configuration = configuration
        configuration.log = log.log
        let path = directory + "/s"
        let service = makeService(
            at: .path(path), format: format, transports: transports, access: access, policy: policy, configuration: configuration)
        let running = Running(service: service, path: path, log: log)
        prepare(running.service)
        return try await withRunning(running, body)
    }
}

/// The same for a service that is ready to run.
func withRunning<Result: Sendable>(_ running: Running, _ body: (Running) async throws -> Result) async throws -> Result {
    async let serving: Void = serve(running)
    try await running.log.entry("listening")
    let result = try await body(running)
    running.service.beginGracefulShutdown()
    try await serving
    return result
}

private func serve(_ running: Running) async throws {
    // Nothing more is written once the service has ended; whoever waits for an entry then is told.
    defer { running.log.entries.complete() }
    try await running.service.run()
}

extension Client {
    /// A call that must succeed.
    func checkIsServed() async throws {
        let reply = try await call("echo", payload: [7])
        #expect(reply.bytes == [7])
    }
}

extension Client {
    /// What the service says that it has counted.
    func serviceMetrics() async throws -> MetricsSnapshot {
        let reply = try await call("ginnel.metrics", payload: [])
        return try MetricsSnapshot(decoding: reply.bytes.span.bytes)
    }
}

extension MetricsSnapshot {
    func calls(_ method: String, _ direction: CallDirection = .served) -> Calls? { calls.first { $0.method == method && $0.direction == direction } }
}

/// The error that `body` throws; an issue when it throws none or another kind.
func errorOf<Failed: Error>(_ type: Failed.Type, _ body: () async throws -> Void) async throws -> Failed {
    do {
        try await body()
    } catch let error as Failed {
        return error
    }
    throw NoError(expected: "\(type)")
}

struct NoError: Error {
    let expected: String
}
