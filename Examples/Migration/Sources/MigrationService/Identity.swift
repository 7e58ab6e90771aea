// Whom a message speaks for. What it says of its `userId` is a claim; who sent it the kernel says.

import Ginnel
import MigrationCommon

enum Claim {
    /// The agent that a message is from: `user`, or `user/session` where a user has several. Throws when the user is not the one whom the kernel names.
    static func agent(_ userId: String, _ peer: PeerIdentity) throws -> String {
        // To take a text of any length apart can take very long, and each name that an agent gives itself is remembered.
        guard userId.utf8.count <= 255 else { throw CallError(.invalidRequest, "a userId of \(userId.utf8.count) bytes, where 255 are the most") }
        let claimed = userId.split(separator: "/", maxSplits: 1).first.map(String.init) ?? ""
        guard let user = peer.user else { throw CallError(.forbidden, "the kernel does not say who you are") }
        guard claimed == Account.name(user) || claimed == "\(user)" else {
            say("service: a process of \(Account.name(user)) claims to be \(claimed.isEmpty ? "nobody in particular" : claimed); refused")
            throw CallError(.forbidden, "the kernel says that you are \(Account.name(user)), not \(claimed)")
        }
        return userId
    }
}
