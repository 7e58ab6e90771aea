// A sender belongs to the user who came with it first.

import GinnelCore
import Testing

@Suite struct SenderOwnersTests {
    private func identity(_ number: UInt64) -> Identity { Identity(high: 0, low: number) }

    @Test func `nobody connects as a sender of another user`() {
        var owners = SenderOwners()
        #expect(owners.admits(identity(1), of: "1000") { _ in true })
        #expect(owners.admits(identity(1), of: "1000") { _ in true })
        #expect(!owners.admits(identity(1), of: "1001") { _ in true })
        #expect(owners.admits(identity(2), of: "1001") { _ in true })
    }

    @Test func `of many senders those are remembered for whom something is kept`() {
        var owners = SenderOwners(most: 4)
        for number in 1...100 { _ = owners.admits(identity(UInt64(number)), of: "1000") { $0 == self.identity(1) } }
        #expect(owners.count <= 5)
        #expect(!owners.admits(identity(1), of: "1001") { $0 == self.identity(1) })
        #expect(owners.admits(identity(50), of: "1001") { $0 == self.identity(1) })
    }

    @Test func `where all that are remembered are needed, it is not looked through them for each that comes`() {
        var owners = SenderOwners(most: 100)
        var questions = 0
        for number in 1...1000 {
            _ = owners.admits(identity(UInt64(number)), of: "1000") { _ in
                questions += 1
                return true
            }
        }
        #expect(owners.count == 1000)
        // A few for each, where one look each time would be hundreds.
        #expect(questions < 4 * 1000)
        // What nobody needs any more is forgotten all the same.
        for number in 1001...2000 { _ = owners.admits(identity(UInt64(number)), of: "1000") { _ in false } }
        #expect(owners.count <= 101)
    }
}
