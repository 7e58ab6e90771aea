// A way in for tools. `ginnel metrics`, `describe`, `list` and `top` speak native; a service that speaks only another format listens for them at an endpoint beside its own, which serves the
// reserved methods (docs/protocol.md §5) to its own user and nothing else.

public import GinnelTransport

/// Where tools reach a service that does not speak native itself.
public enum ControlEndpoint: Sendable, Equatable {
    /// Beside the first endpoint that has a name or path (`Endpoint.control`), when none of the service's endpoints speaks native on a socket. One that cannot be opened is logged,
    /// and the service runs without.
    case automatic
    /// Nowhere.
    case off
    /// At this endpoint, whatever else the service speaks. `run()` throws when it cannot be opened.
    case at(Endpoint)
}

extension ControlEndpoint {
    /// What is opened beside `listenings`, if anything.
    func listening(beside listenings: [Listening]) -> Listening? {
        switch self {
        case .off: nil
        case .at(let endpoint): Self.listening(at: endpoint)
        case .automatic:
            listenings.contains { $0.format.isNative && $0.transports.contains(.socket) } ? nil : listenings.lazy.compactMap(\.endpoint.control).first.map(Self.listening)
        }
    }

    private static func listening(at endpoint: Endpoint) -> Listening {
        var listening = Listening(endpoint, .native, [.socket], .currentUser, .sameUser)
        listening.isControl = true
        return listening
    }
}

extension WireFormat {
    /// Whether the reserved methods can be called in it.
    fileprivate var isNative: Bool { name == Self.native.name }
}
