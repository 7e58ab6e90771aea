// Which services listen within this process.

package final class InProcessHub: Sendable {
    package static let shared = InProcessHub()

    private struct Entry: Sendable {
        let loop: EventLoop
        let accept: @Sendable (any Channel) -> Void
    }

    private let entries = Guarded([String: Entry]())

    func register(_ name: String, on loop: EventLoop, accept: @escaping @Sendable (any Channel) -> Void) throws {
        let isFree = entries.withLock { entries in
            guard entries[name] == nil else { return false }
            entries[name] = Entry(loop: loop, accept: accept)
            return true
        }
        guard isFree else { throw GinnelError(.busy, "a service named \(name) runs in this process already") }
    }

    /// The service that listens on `loop` does so no longer; another that has taken the name since keeps it.
    func unregister(_ name: String, on loop: EventLoop) { entries.withLock { if $0[name]?.loop === loop { $0[name] = nil } } }

    /// Nobody listens there any more, whoever it was.
    package func clear(_ name: String) { entries.withLock { $0[name] = nil } }

    func connect(_ name: String) throws -> any Channel {
        if let simulator = Simulation.simulator { return try simulator.connect(to: name) }
        let (ours, theirs) = InProcessChannel.pair()
        try offer(theirs, to: name)
        return ours
    }

    /// Has the service of this name accept the channel.
    package func offer(_ channel: any Channel, to name: String) throws {
        guard let entry = entries.withLock({ $0[name] }) else {
            throw GinnelError(.notFound, "no service named \(name) runs in this process")
        }
        entry.loop.post { entry.accept(channel) }
    }
}
