// Where metrics are asked for.

internal import GinnelCore
internal import GinnelTransport

extension Service {
    /// What this service has counted so far. Any thread, at any time; takes no lock that a call waits for.
    public func metrics() -> MetricsSnapshot { metrics(peers: true) }

    /// The same, with or without what is known of each peer.
    func metrics(peers: Bool) -> MetricsSnapshot { recorder.snapshot(service: name, program: configuration.program, engine: engine, peers: peers) }

    /// The name of its first endpoint; empty when that has none.
    var name: String { state.withLock { $0.listenings.first?.endpoint.serviceName ?? "" } }
}

extension Client {
    /// What this client has counted so far. Any thread, at any time.
    public func metrics() -> MetricsSnapshot { recorder.snapshot(service: endpoint.serviceName, program: configuration.program, engine: engine, peers: true) }
}
