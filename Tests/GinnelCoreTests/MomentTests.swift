import GinnelCore
import Testing

@Suite struct MomentTests {
    @Test func `a very long time-out saturates instead of wrapping`() {
        let moment = Moment(awake: 5, continuous: .max - 3)
        #expect(moment.advanced(by: .seconds(1)).continuous == .max)
        #expect(moment.advanced(by: .seconds(1)).awake == 1_000_000_005)
    }

    @Test func `a wake-up is due on whichever clock comes first`() {
        let now = Moment(awake: 100, continuous: 900)
        #expect(WakeUp(awake: 150, continuous: 910).delay(from: now) == 10)
        #expect(WakeUp(awake: 90).isDue(at: now))
        #expect(!WakeUp(awake: 101, continuous: 901).isDue(at: now))
        #expect(WakeUp().delay(from: now) == nil)
    }
}
