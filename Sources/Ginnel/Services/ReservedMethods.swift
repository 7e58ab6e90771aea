// `ginnel.health` and `ginnel.describe` (docs/protocol.md §5), which every native service answers.

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
