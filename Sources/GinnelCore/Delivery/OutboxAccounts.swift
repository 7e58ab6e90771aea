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
        /// `nil` while its client is connected.
        var leave: Leave?
    }

    /// What one user's accounts come to.
    private struct Sum: Sendable {
        var accounts = 0
        var bytes = 0
        var away = 0
        /// Those that went away, the first to go first; who has come back, or is closed, is passed over.
        var line = Queue<Leave>()
    }

    private struct Leave: Sendable {
        let account: UInt64
        /// Which leave it is; the clock may stand still between two.
        let number: UInt64
        /// On the awake clock.
        let since: UInt64
    }

    private let limits: OutboxTotals
    private var accounts: [UInt64: Account] = [:]
    private var sums: [String: Sum] = [:]
    private var last: UInt64 = 0
    private var leaves: UInt64 = 0
    private var away = 0
    package private(set) var bytes = 0

    package init(limits: OutboxTotals = .defaults) { self.limits = limits }

    /// What is kept for this user.
    package func bytes(of owner: String) -> Int { sums[owner]?.bytes ?? 0 }

    // MARK: Clients

    /// An account for a client that is connected, or away from now on; its number.
    package mutating func open(for owner: String, isHere: Bool, at now: UInt64) -> UInt64 {
        last += 1
        accounts[last] = Account(owner: owner)
        sums[owner, default: Sum()].accounts += 1
        if !isHere { left(last, at: now) }
        return last
    }

    package mutating func came(_ number: UInt64) {
        guard let account = accounts[number], account.leave != nil else { return }
        accounts[number]?.leave = nil
        count(account.owner, away: -1)
    }

    package mutating func left(_ number: UInt64, at now: UInt64) {
        guard let account = accounts[number], account.leave == nil else { return }
        leaves += 1
        let leave = Leave(account: number, number: leaves, since: now)
        accounts[number]?.leave = leave
        count(account.owner, away: 1)
        sums[account.owner]?.line.append(leave)
        // So that who comes and goes for ever leaves no more behind than there are accounts.
        guard var line = sums[account.owner]?.line, line.count > 2 * (sums[account.owner]?.away ?? 0) + 16 else { return }
        line.removeAll { !isAway($0) }
        sums[account.owner]?.line = line
    }

    /// What is kept there is gone, or is given up; nothing more is counted.
    package mutating func close(_ number: UInt64) {
        guard let account = accounts[number] else { return }
        note(-account.bytes, for: number)
        came(number)
        accounts[number] = nil
        sums[account.owner]?.accounts -= 1
        if sums[account.owner]?.accounts == 0 { sums[account.owner] = nil }
    }

    /// Who has been away for too long, and is to be given up.
    package mutating func late(at now: UInt64) -> [UInt64] {
        var late: [UInt64] = []
        for owner in Array(sums.keys) {
            while let oldest = longestAway(of: owner), now >= oldest.since.adding(limits.memory.wholeNanoseconds) {
                late.append(oldest.account)
                _ = sums[owner]?.line.popFirst()
            }
        }
        return late.sorted()
    }

    /// Who is to be given up before one more is away: nobody, or where there is no room one of the user with the most.
    package mutating func surplus() -> UInt64? {
        guard away >= max(limits.clients, 1) else { return nil }
        return sums.max { ($0.value.away, $0.key) < ($1.value.away, $1.key) }.map(\.key).flatMap { longestAway(of: $0)?.account }
    }

    private mutating func count(_ owner: String, away change: Int) {
        away += change
        sums[owner]?.away += change
    }

    private func isAway(_ leave: Leave) -> Bool { accounts[leave.account]?.leave?.number == leave.number }

    private mutating func longestAway(of owner: String) -> Leave? {
        while let first = sums[owner]?.line.first {
            if isAway(first) { return first }
            _ = sums[owner]?.line.popFirst()
        }
        return nil
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
            func wants(_ sum: (key: String, value: Sum)) -> Int { sum.value.bytes + (sum.key == account.owner ? wanted : 0) }
            user = sums.max { wants($0) < wants($1) }?.key ?? account.owner
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
        sums[owner]?.bytes += change
    }

    /// Which account of the user pays; `nil` when it would be the one that wants more.
    private func culprit(of user: String, besides number: UInt64, _ wanted: Int) -> UInt64? {
        if let leave = sums[user]?.line.first(where: { isAway($0) && $0.account != number && accounts[$0.account]?.bytes ?? 0 > 0 }) { return leave.account }
        let own = accounts[number]
        // For one that is away nobody is closed who is here and of the same user.
        if own?.owner == user, own?.leave != nil { return nil }
        let heaviest = accounts.filter { $0.value.owner == user && $0.key != number }.max { ($0.value.bytes, $0.key) < ($1.value.bytes, $1.key) }
        guard let heaviest, heaviest.value.bytes > 0, own?.owner != user || heaviest.value.bytes > (own?.bytes ?? 0) + wanted else { return nil }
        return heaviest.key
    }
}
