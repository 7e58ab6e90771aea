// Where a durable outbox is kept. The outbox itself (GinnelCore, Delivery) has no disk: it asks for changes, and sends nothing before it is told that they are kept.

package import GinnelCore

/// What a store is asked to do.
package enum OutboxChange: Sendable, Equatable {
    case store(OutboxEntry)
    /// Ids up to this one may be used from now on.
    case reserve(through: UInt64)
    case remove([UInt64])
}

/// Keeps messages over the end of the program.
package protocol OutboxStore: Sendable {
    /// Opens the store and gives what it keeps. Once, first.
    func load() async throws -> StoredOutbox

    /// Takes a change; changes are made in the order in which they are taken. `done` is told, on a thread of the store's that it must not hold up, when it is made for good, or why it is not.
    /// A change that failed has left nothing behind. Any thread; never waits.
    func make(_ change: OutboxChange, done: @escaping @Sendable (GinnelError?) -> Void)

    /// Makes the changes that were taken, and lets go. Those that come later fail with `closed`.
    func close() async
}

extension OutboxStore {
    /// The same for whoever waits.
    package func make(_ change: OutboxChange) async throws {
        let error = await withCheckedContinuation { continuation in
            make(change) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
    }
}
