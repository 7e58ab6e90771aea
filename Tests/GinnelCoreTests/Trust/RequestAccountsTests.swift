// What handlers may have in hand for one user, on both sides of the limit.

import GinnelCore
import Testing

@Suite struct RequestAccountsTests {
    private static let ours = OutputOwner(PeerIdentity(user: 1000))
    private static let others = OutputOwner(PeerIdentity(user: 2000))
    private static let overhead = RequestAccounts.overhead

    @Test func `what is in hand for a user may reach the limit, and a byte more is not begun and not counted`() {
        var accounts = RequestAccounts(limit: 10_000)
        #expect(accounts.begin(1000, of: Self.ours) == nil)
        #expect(accounts.begin(10_000 - 2 * Self.overhead - 1000, of: Self.ours) == nil)
        #expect(accounts.total(Self.ours) == 10_000)
        let refused = accounts.begin(0, of: Self.ours)
        #expect(refused?.code == .resourceExhausted)
        let sentence = "10000 bytes of requests of user 1000 are in hand, and 4096 more are over the limit of 10000 (connections.requestBytesPerUser)"
        #expect(refused?.sentence == sentence)
        accounts.end(1000, of: Self.ours)
        #expect(accounts.begin(1001, of: Self.ours) != nil)
        #expect(accounts.begin(1000, of: Self.ours) == nil)
    }

    @Test func `a request that is alone is begun, be it over the limit`() {
        var accounts = RequestAccounts(limit: 10_000)
        #expect(accounts.begin(1_000_000, of: Self.ours) == nil)
        #expect(accounts.begin(0, of: Self.ours) != nil)
        accounts.end(1_000_000, of: Self.ours)
        #expect(accounts.total(Self.ours) == 0)
        #expect(accounts.begin(1_000_000, of: Self.ours) == nil)
    }

    @Test func `users do not pay for each other`() {
        var accounts = RequestAccounts(limit: 10_000)
        #expect(accounts.begin(5000, of: Self.ours) == nil)
        #expect(accounts.begin(5000, of: Self.ours) != nil)
        #expect(accounts.begin(5000, of: Self.others) == nil)
        accounts.end(5000, of: Self.others)
        #expect(accounts.begin(5000, of: Self.ours) != nil)
        accounts.end(5000, of: Self.ours)
        #expect(accounts.total(Self.ours) == 0 && accounts.total(Self.others) == 0)
    }
}
