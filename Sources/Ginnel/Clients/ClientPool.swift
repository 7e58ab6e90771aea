// Several connections to one service, for calls that move much at once: one connection is one stream of bytes, read by one loop at each end. For everything else a single client is better: it
// keeps order, and many calls fit into one.

public import GinnelCore
public import GinnelTransport

/// A few clients of one service, of which each call takes the one with the fewest in flight.
///
/// Calls of a pool have no order among them. Where a result depends on its connection, as events and what a handler keeps for its peer, use a client.
///
///     try await ClientPool.connect(to: .named("store"), count: 4) { pool in
///         try await withThrowingTaskGroup { group in
///             for part in parts { group.addTask { try await pool.call(Store(part: part)) } }
///             try await group.waitForAll()
///         }
///     }
public final class ClientPool: Sendable {
    /// All of them, connected or not.
    public let clients: [Client]
    private let inFlight: Guarded<[Int]>

    /// A pool that connects in `run()`.
    ///
    /// - Parameters:
    ///   - count: how many connections, 1 or more. Default 4. Each takes a place of the service's and, unless `configuration.loop` says otherwise, a thread here.
    ///   - reconnect: as in `Client.init`, for each of them.
    public init(to endpoint: Endpoint, count: Int = 4, reconnect: ReconnectPolicy? = nil, configuration: ClientConfiguration = .defaults) {
        clients = (0..<max(1, count)).map { _ in Client(to: endpoint, reconnect: reconnect, configuration: configuration) }
        inFlight = Guarded(clients.map { _ in 0 })
    }

    /// Connects all clients and keeps them until `close()` or the cancellation of the task. When one cannot connect, or loses its connection for good, the others end too.
    ///
    /// - Throws: what `Client.run()` threw of the first that failed.
    public func run() async throws {
        try await withThrowingTaskGroup { group in
            for client in clients { group.addTask { try await client.run() } }
            // The first that throws is the end of all: `waitForAll` would wait for the others.
            for try await _ in group {}
        }
    }

    /// Ends each connection when its calls in flight have ended; `run()` returns then.
    public func close() { for client in clients { client.close() } }

    /// Connects all clients, runs `body`, waits for what is not acknowledged as `Client.connect` does, and disconnects when it returns or throws.
    ///
    /// - Throws: what the body threw, or `GinnelError` when one of the clients could not connect.
    public static func connect<Result: Sendable>(
        to endpoint: Endpoint, count: Int = 4, reconnect: ReconnectPolicy? = nil, configuration: ClientConfiguration = .defaults,
        _ body: (ClientPool) async throws -> Result
    ) async throws -> Result {
        let pool = ClientPool(to: endpoint, count: count, reconnect: reconnect, configuration: configuration)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            let result: Swift.Result<Result, any Error>
            do {
                try await pool.waitForConnections()
                result = .success(try await body(pool))
            } catch {
                result = .failure(error)
            }
            await pool.flushAtEnd()
            pool.close()
            // That a connection was lost is the body's to notice, which had calls on it or had not.
            _ = await group.nextResult()
            return try result.get()
        }
    }

    /// As the end of `Client.connect` does, for all at once.
    private func flushAtEnd() async {
        await withTaskGroup { group in
            for client in clients { group.addTask { await client.flushAtEnd() } }
        }
    }

    private func waitForConnections() async throws {
        for client in clients {
            // However long it takes until `run()` has had its turn.
            await client.wait { if case .ready = $0.phase { false } else { true } }
            _ = try await client.connection()
        }
    }

    // MARK: Calls

    /// Runs `body` with the client that has the fewest calls in flight, those that are connected before all others; it counts as one more until `body` ends.
    public func withClient<Result>(_ body: (Client) async throws -> Result) async rethrows -> Result {
        let isConnected = clients.map { (try? $0.connectionNow()) != nil }
        let index = inFlight.withLock { counts in
            let index = counts.indices.min { (isConnected[$0] ? 0 : 1, counts[$0]) < (isConnected[$1] ? 0 : 1, counts[$1]) } ?? 0
            counts[index] += 1
            return index
        }
        defer { inFlight.withLock { $0[index] -= 1 } }
        return try await body(clients[index])
    }

    /// As `Client.call`.
    public func call<R: WireRequest>(_ request: R, deadline: Duration? = nil, priority: Priority = .normal) async throws -> R.Response {
        try await withClient { try await $0.call(request, deadline: deadline, priority: priority) }
    }

    /// As `Client.call` with bytes.
    public func call(
        _ method: String, codec: Codec = .raw, payload: [UInt8], deadline: Duration? = nil, priority: Priority = .normal, isIdempotent: Bool = false
    ) async throws -> Reply {
        try await withClient {
            try await $0.call(method, codec: codec, payload: payload, deadline: deadline, priority: priority, isIdempotent: isIdempotent)
        }
    }
}
