// Names that every system takes.

import GinnelCore
import Testing

@Suite struct SegmentNameTests {
    @Test(arguments: [
        ("frames", "frames"), ("Frames_2-a", "Frames_2-a"), ("/a/b c", "_a_b_c"), ("Local\\ring", "Local_ring"), ("Bücher", "B_cher"), ("", ""), ("a\0b\n", "a_b_"), ("👩‍👩‍👧", "_____"),
    ]) func `what no system takes becomes an underscore`(text: String, name: String) {
        #expect(SegmentName.sanitised(text, suffix: nil, limit: 254) == name)
    }

    @Test(arguments: [(30, 30), (200, 200), (254, 200)]) func `a name is cut to what is allowed, and its suffix is kept`(limit: Int, length: Int) {
        let long = String(repeating: "x", count: 300)
        #expect(SegmentName.sanitised(long, suffix: nil, limit: limit).count == length)
        let unique = SegmentName.sanitised(long, suffix: 0xAB, limit: limit)
        #expect(unique.count == length && unique.hasSuffix("x-00000000000000ab"))
    }

    @Test func `a suffix has all its digits`() {
        #expect(SegmentName.sanitised("a", suffix: 1, limit: 254) == "a-0000000000000001")
        #expect(SegmentName.sanitised("a", suffix: .max, limit: 254) == "a-ffffffffffffffff")
    }
}
