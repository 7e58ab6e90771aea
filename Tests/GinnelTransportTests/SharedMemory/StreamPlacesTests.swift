// Who may have a stream at one listener.

import GinnelCore
import Testing

@testable import GinnelTransport

@Suite struct StreamPlacesTests {
    private func places(waiting: Int = 4, isShared: Bool = true, maximum: Int = 10, perUser: Int = 5) -> StreamPlaces {
        var limits = ConnectionLimits.defaults
        (limits.maximum, limits.perUser) = (maximum, perUser)
        return StreamPlaces(limits, waiting: waiting, isShared: isShared)
    }

    @Test func `a user whose clients wait keeps nobody else out`() {
        var places = places()
        let first = (0..<4).map { _ in places.reserve() == nil && places.enter(1) == nil }
        #expect(first == [true, true, false, false])
        // Those who were not let in have left.
        for _ in 0..<2 {
            places.leaveWaiting(nil)
            places.leave(nil)
        }
        #expect(!places.isFull)
        #expect(places.reserve() == nil && places.enter(2) == nil)
        #expect(places.reserve() == nil && places.enter(2) == nil)
        #expect(places.isFull && places.reserve() != nil)
        // One of the first user's streams is accepted, and there is room for another of his.
        places.leaveWaiting(1)
        #expect(places.reserve() == nil && places.enter(1) == nil)
    }

    @Test func `a user has no more streams than his share, accepted or not, until one of them ends`() {
        var places = places()
        for _ in 0..<5 {
            #expect(places.reserve() == nil && places.enter(1) == nil)
            places.leaveWaiting(1)
        }
        #expect(places.reserve() == nil)
        #expect(places.enter(1)?.code == .tooManyConnections)
        places.leaveWaiting(nil)
        places.leave(nil)
        places.leave(1)
        #expect(places.reserve() == nil && places.enter(1) == nil)
    }

    @Test func `where no other user comes there are no shares`() {
        var places = places(isShared: false, maximum: 6)
        for _ in 0..<4 { #expect(places.reserve() == nil && places.enter(1) == nil) }
        #expect(places.isFull)
        for _ in 0..<4 { places.leaveWaiting(1) }
        for _ in 0..<2 { #expect(places.reserve() == nil && places.enter(1) == nil) }
        #expect(places.reserve()?.code == .tooManyConnections)
        // Refusing has taken nothing.
        places.leave(1)
        #expect(places.reserve() == nil)
    }
}
