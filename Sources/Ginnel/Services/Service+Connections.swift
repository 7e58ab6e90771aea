// The connections of a service seen together: some of them, and what they hold between them.

internal import GinnelCore
internal import GinnelTransport

extension Service {
    /// Sends an event to some of those that are connected; how many took it. It is encoded once, and those that have ended take nothing.
    @discardableResult
    public func send(_ event: some Event, to some: some Sequence<Connection>, priority: Priority = .normal) throws -> Int {
        let encoded = try EncodedEvent(event, priority)
        return some.reduce(0) { count, connection in connection.sendEvent(encoded) ? count + 1 : count }
    }

    /// So much more, or less, waits for a connection. When that is too much for its user, the one for which most waits is closed, be it this one or another. Any thread.
    func noteHeld(_ change: Int, for connection: Connection) {
        let overdrawn = accounts.withLock { $0.change(ObjectIdentifier(connection), of: OutputOwner(connection.peer), by: change) }
        guard let overdrawn, let culprit = state.withLock({ $0.connections[overdrawn.culprit] }) else { return }
        culprit.submit(.close(overdrawn.failure))
    }

    /// A connection has ended.
    func forgetHeld(for connection: Connection) {
        accounts.withLock { $0.leave(ObjectIdentifier(connection), of: OutputOwner(connection.peer)) }
    }
}
