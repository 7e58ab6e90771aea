// How much is kept for delivery now, for whoever checks that it stays within its limits (Tests/Simulate).

extension Client {
    /// Bytes of the messages that are kept and not acknowledged, counted as their limit counts them.
    package var bytesUnacknowledged: Int { state.withLock { $0.sender }?.byteCount ?? 0 }
}

extension Service {
    /// Bytes of messages that have come and are not acknowledged.
    package var bytesReceived: Int { receiver.heldBytes }
}
