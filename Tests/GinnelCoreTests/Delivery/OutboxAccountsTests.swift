// What is kept for all clients together, and who pays when it is too much: both sides of each limit.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct OutboxAccountsTests {
    private func accounts(_ change: (inout OutboxTotals) -> Void) -> OutboxAccounts {
        var totals = OutboxTotals()
        change(&totals)
        return OutboxAccounts(limits: totals)
    }

    /// An account of a client that is here.
    private func here(_ accounts: inout OutboxAccounts, _ owner: String) -> UInt64 {
        accounts.open(for: owner, isHere: true, at: 0)
    }

    private func culprit(_ verdict: OutboxAccounts.Verdict) -> UInt64? { if case .giveUp(let number, _) = verdict { number } else { nil } }

    private func refusal(_ verdict: OutboxAccounts.Verdict) -> Failure? { if case .refused(let failure) = verdict { failure } else { nil } }

    @Test func `a user's bytes fit up to the limit, and one more is refused by name`() {
        var accounts = accounts { $0.bytesPerUser = 1000 }
        let (one, two) = (here(&accounts, "user"), here(&accounts, "user"))
        #expect(accounts.reserve(400, for: one) == .fits && accounts.reserve(600, for: two) == .fits)
        let failure = refusal(accounts.reserve(1, for: two))
        #expect(failure?.code == .resourceExhausted && failure?.sentence.contains("outboxes.bytesPerUser") == true)
        accounts.note(-1, for: one)
        #expect(accounts.reserve(1, for: two) == .fits)
        #expect(accounts.bytes == 1000 && accounts.bytes(of: "user") == 1000)
    }

    @Test func `clients that are away pay first, the longest away before the others`() {
        var accounts = accounts { $0.bytesPerUser = 1000 }
        let numbers = (0..<3).map { _ in here(&accounts, "user") }
        for number in numbers { #expect(accounts.reserve(300, for: number) == .fits) }
        accounts.left(numbers[1], at: 10)
        accounts.left(numbers[0], at: 20)
        #expect(culprit(accounts.reserve(200, for: numbers[2])) == numbers[1])
        accounts.close(numbers[1])
        #expect(accounts.reserve(200, for: numbers[2]) == .fits)
        #expect(culprit(accounts.reserve(300, for: numbers[2])) == numbers[0])
    }

    @Test func `of clients that are all here the largest pays, unless the message is for it`() {
        var accounts = accounts { $0.bytesPerUser = 1000 }
        let (large, small) = (here(&accounts, "user"), here(&accounts, "user"))
        #expect(accounts.reserve(900, for: large) == .fits && accounts.reserve(50, for: small) == .fits)
        #expect(culprit(accounts.reserve(100, for: small)) == large)
        #expect(refusal(accounts.reserve(100, for: large)) != nil)
    }

    @Test func `for a client that is away nobody is given up who is here`() {
        var accounts = accounts { $0.bytesPerUser = 1000 }
        let (present, away) = (here(&accounts, "user"), here(&accounts, "user"))
        #expect(accounts.reserve(900, for: present) == .fits && accounts.reserve(50, for: away) == .fits)
        accounts.left(away, at: 1)
        #expect(refusal(accounts.reserve(100, for: away)) != nil)
    }

    @Test func `of all together the user with the most pays, and never a neighbour`() {
        var accounts = accounts {
            $0.bytes = 1000
            $0.bytesPerUser = 800
        }
        let (greedy, quiet, newcomer) = (here(&accounts, "greedy"), here(&accounts, "quiet"), here(&accounts, "newcomer"))
        #expect(accounts.reserve(700, for: greedy) == .fits && accounts.reserve(300, for: quiet) == .fits)
        #expect(culprit(accounts.reserve(1, for: newcomer)) == greedy)
        #expect(culprit(accounts.reserve(1, for: quiet)) == greedy)
        let failure = refusal(accounts.reserve(1, for: greedy))
        #expect(failure?.sentence.contains("(outboxes.bytes)") == true)
    }

    @Test func `clients that are away are too many one by one, of the user with the most of them, and late ones at once`() {
        var accounts = accounts {
            $0.clients = 4
            $0.memory = .seconds(10)
        }
        let quiet = accounts.open(for: "quiet", isHere: false, at: 0)
        let restless = (1...2).map { accounts.open(for: "restless", isHere: false, at: UInt64($0)) }
        #expect(accounts.surplus() == nil)
        let last = accounts.open(for: "restless", isHere: false, at: 3)
        #expect(accounts.surplus() == restless[0])
        // One that is here takes no place among those that are away.
        accounts.came(last)
        #expect(accounts.surplus() == nil)
        #expect(accounts.late(at: 9_999_999_999) == [])
        #expect(accounts.late(at: 10_000_000_001) == [quiet, restless[0]])
    }

    @Test func `whoever came back and left again has been away since then`() {
        var accounts = accounts {
            $0.clients = 2
            $0.memory = .seconds(10)
        }
        let first = accounts.open(for: "user", isHere: false, at: 0)
        let second = accounts.open(for: "user", isHere: false, at: 1)
        for time in 2...1000 {
            accounts.came(first)
            accounts.left(first, at: UInt64(time))
        }
        #expect(accounts.surplus() == second)
        #expect(accounts.late(at: 10_000_000_001) == [second])
        accounts.close(second)
        #expect(accounts.surplus() == nil)
        #expect(accounts.late(at: 10_000_001_000) == [first])
    }

    @Test func `who leaves twice while the clock stands still is late once`() {
        var accounts = accounts { $0.memory = .seconds(10) }
        let number = here(&accounts, "user")
        accounts.left(number, at: 5)
        accounts.came(number)
        accounts.left(number, at: 5)
        #expect(accounts.late(at: 10_000_000_005) == [number])
        #expect(accounts.late(at: 20_000_000_000) == [])
    }

    @Test func `who is away is known however accounts come, leave and are closed`() {
        var random = SplitMix64(seed: 7)
        var accounts = accounts {
            $0.clients = 6
            $0.memory = .nanoseconds(40)
        }
        var known: [UInt64: (owner: String, since: UInt64?)] = [:]
        for now in UInt64(1)...2000 {
            for number in accounts.late(at: now) {
                #expect(known[number]?.since.map { now - $0 >= 40 } == true)
                accounts.close(number)
                known[number] = nil
            }
            #expect(known.values.allSatisfy { $0.since.map { now - $0 < 40 } ?? true })
            let away = known.filter { $0.value.since != nil }
            if let surplus = accounts.surplus() {
                let counts = Dictionary(grouping: away.values) { $0.owner }.mapValues(\.count)
                #expect(away.count >= 6 && counts[known[surplus]?.owner ?? ""] == counts.values.max())
                #expect(away.values.filter { $0.owner == known[surplus]?.owner }.compactMap(\.since).min() == known[surplus]?.since)
                accounts.close(surplus)
                known[surplus] = nil
            } else {
                #expect(away.count < 6)
            }
            let chosen = known.keys.sorted().dropFirst(Int(random.next() % 8)).first
            switch (random.next() % 4, chosen) {
            case (0, let number?):
                accounts.came(number)
                known[number]?.since = nil
            case (1, let number?) where known[number]?.since == nil:
                accounts.left(number, at: now)
                known[number]?.since = now
            case (2, let number?):
                accounts.close(number)
                known[number] = nil
            default:
                let owner = "\(random.next() % 3)"
                known[accounts.open(for: owner, isHere: false, at: now)] = (owner, now)
            }
        }
    }

    @Test func `what is noted after an account was closed counts nowhere`() {
        var accounts = accounts { _ in }
        let number = here(&accounts, "user")
        #expect(accounts.reserve(100, for: number) == .fits)
        accounts.close(number)
        accounts.note(-100, for: number)
        #expect(accounts.reserve(100, for: number) == .fits)
        #expect(accounts.bytes == 0 && accounts.bytes(of: "user") == 0)
    }
}
