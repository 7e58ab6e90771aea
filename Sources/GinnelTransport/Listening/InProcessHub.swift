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

    func unregister(_ name: String) { entries.withLock { $0[name] = nil } }

    func connect(_ name: String) throws -> any Channel {
        guard let entry = entries.withLock({ $0[name] }) else {
            throw GinnelError(.notFound, "no service named \(name) runs in this process")
        }
        let (ours, theirs) = InProcessChannel.pair()
        entry.loop.post { entry.accept(theirs) }
        return ours
    }
}
