// What a service keeps for all its clients together, and whose messages are given up when that is too much: sums, and no messages.
//
// A limit for one client bounds what one identity makes a service keep, and identities are free. So the outboxes of a user are added up, and who has too much, or most when all have too much
// together, gives up one of its own: first what waits for clients that are away, the longest first, then the largest. Nobody else pays.

package struct OutboxAccounts: Sendable {
    package enum Verdict: Sendable, Equatable {
        /// It is counted.
        case fits
        /// Close this account, give up what is kept there, and ask again.
        case giveUp(UInt64, Failure)
        case refused(Failure)
    }

    private struct Account: Sendable {
        let owner: String
        var bytes = 0
        /// On the awake clock; `nil` while its client is connected.
        var awaySince: UInt64?
    }

    private let limits: OutboxTotals
    private var accounts: [UInt64: Account] = [:]
    private var sums: [String: Int] = [:]
    private var last: UInt64 = 0
    package private(set) var bytes = 0

    package init(limits: OutboxTotals = .defaults) { self.limits = limits }

    /// What is kept for this user.
    package func bytes(of owner: String) -> Int { sums[owner] ?? 0 }

    // MARK: Clients

    /// An account for a client that is away until it `came`; its number.
    package mutating func open(for owner: String, at now: UInt64) -> UInt64 {
        last += 1
        accounts[last] = Account(owner: owner, awaySince: now)
        return last
    }

    package mutating func came(_ number: UInt64) { accounts[number]?.awaySince = nil }

    package mutating func left(_ number: UInt64, at now: UInt64) { accounts[number]?.awaySince = now }

    /// What is kept there is gone, or is given up; nothing more is counted.
    package mutating func close(_ number: UInt64) {
        note(-(accounts[number]?.bytes ?? 0), for: number)
        accounts[number] = nil
    }

    /// Who is to be given up before there is one more: who has been away for too long, and one more of the user with the most where there is no room.
    package func overdue(at now: UInt64) -> [UInt64] {
        var away = accounts.filter { $0.value.awaySince != nil }
        let late = away.filter { now >= ($0.value.awaySince ?? now).adding(limits.memory.wholeNanoseconds) }.keys.sorted()
        for number in late { away[number] = nil }
        guard away.count >= max(limits.clients, 1) else { return late }
        let most = Dictionary(grouping: away.values) { $0.owner }.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }?.key
        return late + (longestAway { $0.owner == most && away[$1] != nil }.map { [$0] } ?? [])
    }

    // MARK: Bytes

    /// Whether so many bytes more may be kept there.
    package mutating func reserve(_ wanted: Int, for number: UInt64) -> Verdict {
        // One that was given up keeps nothing any more; its outbox says so itself.
        guard let account = accounts[number] else { return .fits }
        let own = bytes(of: account.owner)
        let (user, sentence): (String, String)
        if own > limits.bytesPerUser - wanted {
            user = account.owner
            sentence = "\(own) bytes are kept for the clients of this user, and \(wanted) more are over the limit of \(limits.bytesPerUser) (outboxes.bytesPerUser)"
        } else if bytes > limits.bytes - wanted {
            user = sums.max { $0.value + ($0.key == account.owner ? wanted : 0) < $1.value + ($1.key == account.owner ? wanted : 0) }?.key ?? account.owner
            sentence = "\(bytes) bytes are kept for all clients, and \(wanted) more are over the limit of \(limits.bytes) (outboxes.bytes)"
        } else {
            note(wanted, for: number)
            return .fits
        }
        let failure = Failure(.resourceExhausted, sentence)
        return culprit(of: user, besides: number, wanted).map { .giveUp($0, failure) } ?? .refused(failure)
    }

    /// So much more, or less, is kept there.
    package mutating func note(_ change: Int, for number: UInt64) {
        guard let owner = accounts[number]?.owner else { return }
        accounts[number]?.bytes += change
        bytes += change
        let sum = bytes(of: owner) + change
        sums[owner] = sum == 0 ? nil : sum
    }

    /// Which account of the user pays; `nil` when it would be the one that wants more.
    private func culprit(of user: String, besides number: UInt64, _ wanted: Int) -> UInt64? {
        if let away = longestAway({ $0.owner == user && $0.bytes > 0 && $1 != number }) { return away }
        let own = accounts[number]
        // For one that is away nobody is closed who is here and of the same user.
        if own?.owner == user, own?.awaySince != nil { return nil }
        let heaviest = accounts.filter { $0.value.owner == user && $0.key != number }.max { ($0.value.bytes, $0.key) < ($1.value.bytes, $1.key) }
        guard let heaviest, heaviest.value.bytes > 0, own?.owner != user || heaviest.value.bytes > (own?.bytes ?? 0) + wanted else { return nil }
        return heaviest.key
    }

    private func longestAway(_ isMeant: (Account, UInt64) -> Bool) -> UInt64? {
        accounts.filter { $0.value.awaySince != nil && isMeant($0.value, $0.key) }.min { ($0.value.awaySince ?? 0, $0.key) < ($1.value.awaySince ?? 0, $1.key) }?.key
    }
}
