// Which user a sender belongs to. A sender's identity is random and told to its peers alone, but a peer may be read, or tell: whoever else learns it must not get what is kept for it, or speak
// in its name.

package struct SenderOwners: Sendable {
    private var owners: [Identity: String] = [:]
    private let most: Int
    /// With so many it is looked for those that may be forgotten: more than `most` where as many are needed, so that it is not looked each time.
    private var mark: Int

    /// - Parameter most: how many are remembered; beyond it those are forgotten that nobody needs any more. Of those that are needed there may be more, and then half as many again.
    package init(most: Int = 8192) {
        self.most = max(1, most)
        mark = self.most
    }

    package var count: Int { owners.count }

    /// Whether `owner` may connect as this sender: the first who did, and nobody else as long as it is remembered.
    ///
    /// - Parameter isNeeded: whether something is kept for a sender, so that it may not be forgotten.
    package mutating func admits(_ sender: Identity, of owner: String, isNeeded: (Identity) -> Bool) -> Bool {
        if let known = owners[sender] { return known == owner }
        if owners.count >= mark {
            owners = owners.filter { isNeeded($0.key) }
            mark = max(most, owners.count + owners.count / 2)
        }
        owners[sender] = owner
        return true
    }
}
