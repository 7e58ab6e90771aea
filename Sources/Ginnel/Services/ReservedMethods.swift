// `ginnel.health`, `ginnel.describe` and `ginnel.metrics` (docs/protocol.md §5), which every native service answers.

internal import GinnelCore

extension HandlerTable {
    /// These and the reserved ones, counted by the service; and the reserved ones alone, for its control endpoint.
    func withReserved(for service: Service) -> (all: HandlerTable, reserved: HandlerTable) {
        let reserved = reserved(for: service).counted(by: service.recorder)
        var all = counted(by: service.recorder)
        for (method, handler) in reserved.handlers { all.add(method, handler) }
        return (all, reserved)
    }

    private func reserved(for service: Service) -> HandlerTable {
        var table = HandlerTable()
        let methods = handlers.map { Description.Method(name: $0.key, shape: $0.value.shape.rawValue) }.sorted { $0.name < $1.name }
        let program = service.configuration.program
        let description = Description(service: service.name, program: program.isEmpty ? nil : program, methods: methods)
        let health = Handler.Work.plain { [weak service] _, _ in
            try Reply(Health(status: service?.phase == .running ? "serving" : "stopping"))
        }
        table.add("ginnel.health", Handler(work: health, shape: .call))
        table.add("ginnel.describe", Handler(work: .plain { _, _ in try Reply(description) }, shape: .call))
        let metrics = Handler.Work.plain { [weak service] _, context in
            guard let service else { throw CallError(.unavailable, "the service has ended") }
            return try Reply(service.metrics(peers: context.peer.maySeeOthers))
        }
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
    var program: String?
    var methods: [Method]
}

extension PeerIdentity {
    /// Who else is connected is for the service's own user and for root.
    fileprivate var maySeeOthers: Bool { PeerPolicy.anyOf([.sameUser, .systemService]).verdict(on: self) == .accepted }
}
