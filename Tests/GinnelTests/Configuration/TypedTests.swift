// What people type: times, and words that they nearly got right.

import Ginnel
import GinnelCore
import Testing

@Suite struct TypedTests {
    @Test(
        arguments: [
            ("2", Duration.seconds(2)), ("1.5s", .milliseconds(1_500)), ("250ms", .milliseconds(250)), ("10us", .microseconds(10)), ("10\u{B5}s", .microseconds(10)),
            ("5ns", .nanoseconds(5)),
            ("2m", .seconds(120)), ("", nil), ("s", nil), ("1h", nil), ("-1s", nil), ("1e3", nil), ("1.2.3", nil), ("99999999999", nil), ("\u{661}", nil),
        ] as [(String, Duration?)])
    func `times are read as people type them`(text: String, duration: Duration?) {
        #expect(Duration(typed: text)?.wholeNanoseconds == duration?.wholeNanoseconds)
    }

    @Test func `the nearest word is the one with the fewest typing errors`() {
        #expect(Nearest.to("pign", among: ["ping", "call", "bench"]) == "ping")
        #expect(Nearest.to("dcotor", among: ["ping", "doctor"]) == "doctor")
        #expect(Nearest.to("ping", among: []) == nil)
        #expect(Nearest.to("zzzzzzzz", among: ["ping", "doctor"]) == nil)
        #expect(Nearest.to("", among: ["ping"]) == nil)
    }

    @Test(arguments: [(Duration.zero, "0s"), (.seconds(90), "90s"), (.milliseconds(1_500), "1500ms"), (.microseconds(50), "50us"), (.nanoseconds(7), "7ns")])
    func `a time that was written is read as the same`(duration: Duration, text: String) {
        #expect(duration.typed == text && Duration(typed: text) == duration)
    }
}
