// What waits for all connections of each user together, and whose connection is closed when that is too much. Pure; the service acts on it.
//
// A limit for one connection bounds what one peer can make a service hold, not what a thousand of them can. Here the bytes of a user's connections are added up, and when they are over
// the limit the one for which most waits is the culprit: it alone is closed, and from then on it counts nothing, so that no other has to pay for what it still holds.

/// Whose bytes they are. Peers of whom the system names no user share one account.
package struct OutputOwner: Hashable, Sendable {
    package let user: UInt32?
    package let sid: String?

    package init(_ peer: PeerIdentity) {
        user = peer.user
        sid = peer.sid
    }

    var name: String { user.map { "user \($0)" } ?? sid.map { "user \($0.printable)" } ?? "unknown users" }
}

package struct OutputAccounts<ID: Hashable & Sendable>: Sendable {
    private struct Account: Sendable {
        var total = 0
        var held: [ID: Int] = [:]
        /// Culprits that have not ended yet.
        var closing: Set<ID> = []

        var isEmpty: Bool { held.isEmpty && closing.isEmpty }
    }

    package let limit: Int
    private var accounts: [OutputOwner: Account] = [:]

    package init(limit: Int) { self.limit = limit }

    /// What is known to wait for this user.
    package func total(_ owner: OutputOwner) -> Int { accounts[owner]?.total ?? 0 }

    /// So much more, or less, waits for a connection: which one is to be closed because of it, and why.
    package mutating func change(_ id: ID, of owner: OutputOwner, by bytes: Int) -> (culprit: ID, failure: Failure)? {
        var account = accounts[owner] ?? Account()
        defer { accounts[owner] = account.isEmpty ? nil : account }
        guard !account.closing.contains(id) else { return nil }
        let held = account.held[id, default: 0] + bytes
        account.held[id] = held == 0 ? nil : held
        account.total += bytes
        guard account.total > limit, let culprit = account.held.max(by: { $0.value < $1.value }) else { return nil }
        let whole = "\(account.total) bytes wait for all connections of \(owner.name), over the limit of \(limit) (connections.bufferedBytesPerUser)"
        let sentence = "\(whole), most of them, \(culprit.value), for this one"
        account.total -= culprit.value
        account.held[culprit.key] = nil
        account.closing.insert(culprit.key)
        return (culprit.key, Failure(.slowReader, sentence))
    }

    /// A connection has ended.
    package mutating func leave(_ id: ID, of owner: OutputOwner) {
        guard var account = accounts[owner] else { return }
        account.total -= account.held.removeValue(forKey: id) ?? 0
        account.closing.remove(id)
        accounts[owner] = account.isEmpty ? nil : account
    }
}
