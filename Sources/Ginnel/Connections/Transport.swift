// What carries the bytes of a connection.

internal import GinnelTransport

/// What carries the bytes of a connection.
public enum Transport: String, Sendable, Hashable, CaseIterable {
    /// The local socket of the endpoint: a Unix domain socket.
    case socket
    /// Two rings in memory that both processes have mapped (docs/shared-memory.md); the socket stays as the sign of life.
    case sharedMemory
    /// Queues within this process.
    case inProcess
}

/// How the sessions of an endpoint begin, as its transports say.
enum Beginning: Sendable {
    /// On the endpoint's own channel, where they stay.
    case channel
    /// On the socket, and what follows may go through shared memory (docs/shared-memory.md §4, "Upgrade").
    case upgradable
    /// In shared memory, once the socket has carried the offer and its answer (the same, "A bare stream").
    case stream

    /// The channel that a session on `channel` begins on.
    func channel(on channel: any Channel, takesOffers: Bool) -> any Channel {
        guard case .upgradable = self, let socket = channel as? PlatformChannel else { return channel }
        return SharedMemoryChannel(socket, takesOffers: takesOffers)
    }
}

extension Set<Transport> {
    /// What these mean for a format at an endpoint. Throws `invalid` when there is no such connection.
    func beginning(of format: WireFormat, at endpoint: Endpoint) throws -> Beginning {
        if contains(.socket), contains(.sharedMemory) {
            guard format.canUpgrade else {
                let choice = "at \(endpoint) choose transports: [.sharedMemory], on both sides, or [.socket]"
                throw GinnelError(.invalid, "the format \(format.name) cannot go from the socket to shared memory; \(choice)")
            }
            return .upgradable
        }
        if endpoint.isInProcess {
            guard !contains(.sharedMemory) else {
                throw GinnelError(.invalid, "\(endpoint) is within one process, where no shared memory is needed; leave transports at its default")
            }
            return .channel
        }
        guard contains(.socket) || contains(.sharedMemory) else {
            throw GinnelError(.invalid, "transports has neither .socket nor .sharedMemory, and \(endpoint) has no other")
        }
        return contains(.socket) ? .channel : .stream
    }
}
