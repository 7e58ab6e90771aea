// Whose connection is closed when too much waits for one user, on both sides of the limit.

import GinnelCore
import Testing

@Suite struct OutputAccountsTests {
    private static let ours = OutputOwner(PeerIdentity(user: 1000))
    private static let others = OutputOwner(PeerIdentity(user: 2000))

    @Test func `what a user's connections hold together may reach the limit, and of a byte more the one that holds most pays`() {
        var accounts = OutputAccounts<Int>(limit: 100)
        #expect(accounts.change(1, of: Self.ours, by: 40) == nil)
        #expect(accounts.change(2, of: Self.ours, by: 60) == nil)
        let overdrawn = accounts.change(1, of: Self.ours, by: 1)
        #expect(overdrawn?.culprit == 2)
        #expect(overdrawn?.failure.code == .slowReader)
        let sentence = "101 bytes wait for all connections of user 1000, over the limit of 100 (connections.bufferedBytesPerUser), most of them, 60, for this one"
        #expect(overdrawn?.failure.sentence == sentence)
        #expect(accounts.total(Self.ours) == 41)
    }

    @Test func `a culprit counts nothing from then on, whatever it still says, and what it held is not held against others`() {
        var accounts = OutputAccounts<Int>(limit: 100)
        _ = accounts.change(1, of: Self.ours, by: 10)
        #expect(accounts.change(2, of: Self.ours, by: 101)?.culprit == 2)
        #expect(accounts.change(2, of: Self.ours, by: 500) == nil)
        #expect(accounts.change(1, of: Self.ours, by: 90) == nil)
        #expect(accounts.total(Self.ours) == 100)
        _ = accounts.change(2, of: Self.ours, by: -601)
        accounts.leave(2, of: Self.ours)
        #expect(accounts.total(Self.ours) == 100)
        // A connection to come may have the same number, and is not taken for it.
        #expect(accounts.change(2, of: Self.ours, by: 1) != nil)
    }

    @Test func `users do not pay for each other, and those without a name share one account`() {
        var accounts = OutputAccounts<Int>(limit: 100)
        let (first, second) = (OutputOwner(PeerIdentity(process: 1)), OutputOwner(PeerIdentity(process: 2)))
        #expect(accounts.change(1, of: Self.ours, by: 100) == nil)
        #expect(accounts.change(2, of: Self.others, by: 100) == nil)
        #expect(accounts.change(3, of: first, by: 60) == nil)
        #expect(accounts.change(4, of: second, by: 41)?.culprit == 3)
        #expect(accounts.change(5, of: OutputOwner(PeerIdentity(sid: "S-1-5-32")), by: 100) == nil)
    }

    @Test func `what has left or ended is held no more`() {
        var accounts = OutputAccounts<Int>(limit: 100)
        _ = accounts.change(1, of: Self.ours, by: 100)
        _ = accounts.change(1, of: Self.ours, by: -99)
        #expect(accounts.change(2, of: Self.ours, by: 99) == nil)
        accounts.leave(2, of: Self.ours)
        #expect(accounts.change(3, of: Self.ours, by: 99) == nil)
        accounts.leave(1, of: Self.ours)
        accounts.leave(3, of: Self.ours)
        accounts.leave(3, of: Self.ours)
        #expect(accounts.total(Self.ours) == 0)
    }
}
