import GinnelCore
import Testing

/// Both sides of every limit of who is let in.
@Suite struct AdmissionTests {
    private static func limits(maximum: Int = 1000, perUser: Int = 1000, acceptedPerSecond: Int = 1000) -> ConnectionLimits {
        var limits = ConnectionLimits.defaults
        limits.maximum = maximum
        limits.perUser = perUser
        limits.acceptedPerSecond = acceptedPerSecond
        return limits
    }

    private static let second: UInt64 = 1_000_000_000

    // MARK: How many

    @Test func `as many connections as the limit are let in, and not one more`() {
        var admission = Admission(Self.limits(maximum: 3))
        for _ in 0..<3 { #expect(admission.reserve() == nil) }
        let refusal = admission.reserve()
        #expect(refusal?.code == .tooManyConnections)
        #expect(refusal?.sentence.contains("3 connections") == true && refusal?.sentence.contains("connections.maximum") == true)
        #expect(admission.connections == 3, "whoever was refused takes no place")
        admission.leave(nil)
        #expect(admission.reserve() == nil)
        #expect(admission.reserve() != nil)
    }

    @Test func `as many connections of one user as the limit are let in, and not one more`() {
        var admission = Admission(Self.limits(perUser: 2))
        for _ in 0..<2 { #expect(admission.enter(1000) == nil) }
        let refusal = admission.enter(1000)
        #expect(refusal?.code == .tooManyConnections)
        #expect(refusal?.sentence.contains("user 1000") == true && refusal?.sentence.contains("connections.perUser") == true)
        #expect(admission.enter(1001) == nil, "another user is not concerned")
    }

    @Test func `a user's place is free again when the connection leaves`() {
        var admission = Admission(Self.limits(perUser: 2))
        for _ in 0..<10 {
            for _ in 0..<2 {
                #expect(admission.reserve() == nil)
                #expect(admission.enter(1000) == nil)
            }
            #expect(admission.enter(1000) != nil)
            for _ in 0..<2 { admission.leave(1000) }
            #expect(admission.connections == 0)
        }
    }

    @Test func `a connection whose user was refused gives its place back without touching the user's others`() {
        var admission = Admission(Self.limits(maximum: 2, perUser: 1))
        #expect(admission.reserve() == nil)
        #expect(admission.enter(1000) == nil)
        #expect(admission.reserve() == nil)
        #expect(admission.enter(1000) != nil)
        admission.leave(nil)
        #expect(admission.connections == 1)
        #expect(admission.reserve() == nil)
        #expect(admission.enter(1000) != nil, "the first is still there")
        #expect(admission.enter(1001) == nil)
    }

    @Test func `connections of nobody in particular count among all, not for a user`() {
        var admission = Admission(Self.limits(maximum: 5, perUser: 1))
        for _ in 0..<5 {
            #expect(admission.reserve() == nil)
            #expect(admission.enter(nil) == nil)
        }
        #expect(admission.reserve() != nil)
    }

    @Test func `a limit of zero lets nobody in`() {
        var none = Admission(Self.limits(maximum: 0))
        #expect(none.reserve() != nil)
        var noUser = Admission(Self.limits(perUser: 0))
        #expect(noUser.enter(1000) != nil)
    }

    // MARK: How fast

    @Test func `as many as the rate allows come in a second, and the next one at its end`() {
        var admission = Admission(Self.limits(acceptedPerSecond: 3))
        let start = 5 * Self.second
        #expect(admission.pace(start) == nil)
        #expect(admission.pace(start + 1) == nil)
        // The third is the last of this second.
        #expect(admission.pace(start + 2) == start + Self.second)
        #expect(admission.pace(start + Self.second) == nil)
        #expect(admission.pace(start + Self.second + 1) == nil)
        #expect(admission.pace(start + Self.second + 2) == start + 2 * Self.second)
    }

    @Test func `a second begins with the first connection in it, and what was not used is not saved`() {
        var admission = Admission(Self.limits(acceptedPerSecond: 2))
        #expect(admission.pace(10 * Self.second) == nil)
        #expect(admission.pace(60 * Self.second) == nil)
        #expect(admission.pace(60 * Self.second) == 61 * Self.second)
    }

    @Test func `one connection too early does not shift the second`() {
        var admission = Admission(Self.limits(acceptedPerSecond: 1))
        #expect(admission.pace(10 * Self.second) == 11 * Self.second)
        #expect(admission.pace(11 * Self.second - 1) == 11 * Self.second)
        #expect(admission.pace(11 * Self.second) == 12 * Self.second)
    }

    @Test func `a rate of zero is a connection a second, so that the service is not dead`() {
        var admission = Admission(Self.limits(acceptedPerSecond: 0))
        #expect(admission.pace(10 * Self.second) == 11 * Self.second)
    }

    @Test func `the end of time is no trap`() {
        var admission = Admission(Self.limits(acceptedPerSecond: 1))
        #expect(admission.pace(.max) == .max)
        #expect(admission.pace(.max) == .max)
    }

    // MARK: Descriptors

    @Test func `connections and a reserve fit into what the process may open`() {
        let wanted = Self.limits(maximum: 1024)
        let reserve = ConnectionLimits.descriptorReserve
        #expect(wanted.fitting(limit: 1024 + reserve + 10, open: 10).maximum == 1024)
        #expect(wanted.fitting(limit: 1024 + reserve + 9, open: 10).maximum == 1023)
        #expect(wanted.fitting(limit: 256, open: 20).maximum == 256 - 20 - reserve)
        #expect(wanted.fitting(limit: .max, open: 0).maximum == 1024)
        #expect(wanted.fitting(limit: 400 + 20 + reserve, open: 20, each: 4).maximum == 100)
        #expect(wanted.fitting(limit: 20_000, open: 10) == wanted, "nothing else is touched")
    }

    @Test func `a process with hardly a descriptor left still takes one connection`() {
        #expect(Self.limits().fitting(limit: 64, open: 64).maximum == 1)
        #expect(Self.limits().fitting(limit: 0, open: 100).maximum == 1)
    }
}
