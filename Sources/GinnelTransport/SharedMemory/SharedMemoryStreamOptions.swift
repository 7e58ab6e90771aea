// How a stream over shared memory behaves.

public import GinnelCore

/// How a stream over shared memory behaves.
public struct SharedMemoryStreamOptions: Sendable, Equatable {
    /// The rings: what a listener offers and a client takes.
    public var sharedMemory = SharedMemoryOptions.defaults
    /// How long a receiver or a sender looks again and again before it sleeps. Default 0. It keeps a processor busy for at most so long after each message, and answers without a
    /// wake-up, which across processors costs 20 µs and more. Ignored where the process may use only one processor.
    public var polling: Duration = .zero
    /// Whether `withNextMessage` lends the shared memory itself. Default false: it lends a copy. A peer can change bytes in shared memory while they are looked at, so this is for
    /// peers whose program is as good as our own, and for bytes that are not validated first and used afterwards.
    public var trustedPeer = false
    /// From the connection until the stream is open. Default 5 s.
    public var handshakeTimeout: Duration = .seconds(5)

    public static let defaults = SharedMemoryStreamOptions()
    /// The same with 50 µs of polling.
    public static var lowLatency: SharedMemoryStreamOptions {
        var options = SharedMemoryStreamOptions()
        options.polling = .microseconds(50)
        return options
    }

    public init() {}
}
