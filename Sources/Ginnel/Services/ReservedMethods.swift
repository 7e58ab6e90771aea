// `ginnel.health`, `ginnel.describe` and `ginnel.metrics` (docs/protocol.md §5), which every native service answers.

internal import GinnelCore

extension HandlerTable {
    func withReserved(for service: Service) -> HandlerTable {
        var table = self
        let methods = handlers.map { Description.Method(name: $0.key, shape: $0.value.shape.rawValue) }.sorted { $0.name < $1.name }
        let name = service.state.withLock { $0.listenings.first?.endpoint.serviceName ?? "" }
        let description = Description(service: name, methods: methods)
        let health = Handler.Work.plain { [weak service] _, _ in
            try Reply(Health(status: service?.phase == .running ? "serving" : "stopping"))
        }
        table.add("ginnel.health", Handler(work: health, shape: .call))
        table.add("ginnel.describe", Handler(work: .plain { _, _ in try Reply(description) }, shape: .call))
        let metrics = Handler.Work.plain { [weak service] _, _ in try Reply(service.map { Metrics($0) } ?? Metrics()) }
        table.add("ginnel.metrics", Handler(work: metrics, shape: .call))
        return table
    }
}

/// The answer of `ginnel.health`.
struct Health: Message {
    var status: String
}

/// The answer of `ginnel.describe`.
struct Description: Message {
    struct Method: Codable, Sendable {
        var name: String
        var shape: String
    }

    var service: String
    var methods: [Method]
}

/// The answer of `ginnel.metrics`.
struct Metrics: Message {
    /// Connections there are now, by what carries their bytes.
    var connections: [String: Int] = [:]
    /// Connections since the start that wanted shared memory and stayed on the socket.
    var fallbacks = 0

    init() {}

    init(_ service: Service) {
        for transport in Transport.allCases { connections[transport.rawValue] = 0 }
        for connection in service.connections { connections[connection.transport.rawValue, default: 0] += 1 }
        fallbacks = service.state.withLock { $0.fallbacks }
    }
}
