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

extension Set<Transport> {
    /// The channel that a session begins on: one that can go on over shared memory where that is wanted, or `channel` as it is.
    func channel(on channel: any Channel, takesOffers: Bool) -> any Channel {
        guard contains(.sharedMemory), let socket = channel as? PlatformChannel else { return channel }
        return SharedMemoryChannel(socket, takesOffers: takesOffers)
    }
}
