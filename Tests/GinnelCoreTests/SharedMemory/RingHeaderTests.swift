// What is believed of the beginning of a named segment, and what segments are called.

import GinnelCore
import Testing

@Suite struct RingHeaderTests {
    private let due = RingHeader(magic: 0x1234, version: 1, flags: 1, capacity: 0)

    private func check(_ magic: UInt64 = 0x1234, version: UInt32 = 1, flags: UInt32 = 1, capacity: UInt64 = 4032, segment: UInt64 = 4096) -> RingHeaderFault? {
        do throws(RingHeaderFault) {
            try RingHeader(magic: magic, version: version, flags: flags, capacity: capacity).check(like: due, control: 64, segment: segment)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a header as its maker writes it is believed, with flags that say more`() {
        #expect(check() == nil)
        #expect(check(flags: 15) == nil)
        #expect(check(capacity: 64) == nil)
    }

    @Test func `every field that is another is named, the first one first`() {
        #expect(check(0) == .notInitialised)
        #expect(check(0x1235, version: 2) == .otherMagic(0x1235))
        #expect(check(version: 0) == .otherVersion(0, due: 1))
        #expect(check(version: 2, flags: 0) == .otherVersion(2, due: 1))
        #expect(check(flags: 0) == .notInitialised)
        #expect(check(flags: 14) == .notInitialised)
    }

    @Test(arguments: [4033, 4096, .max, .max - 63, 1 << 63] as [UInt64]) func `a capacity that does not fit into the segment is named`(capacity: UInt64) {
        #expect(check(capacity: capacity) == .otherCapacity(capacity))
    }

    @Test(arguments: [0, 1, 63] as [UInt64]) func `a segment that is shorter than a header holds nothing`(segment: UInt64) {
        #expect(check(capacity: 0, segment: segment) == .otherCapacity(0))
    }

    @Test(arguments: [
        ("ring", "ring-0123abcd"), ("/ring", "ring-0123abcd"), ("/engine/control/", "engine_control_-0123abcd"), ("//ring", "_ring-0123abcd"), ("", "-0123abcd"),
    ]) func `a name per boot has the boot's first eight digits and no slash`(text: String, name: String) {
        #expect(SegmentName.perBoot(text, boot: "0123abcd4567ef89", limit: 254) == name)
    }

    /// 31 bytes with the slash in front.
    @Test(arguments: [
        ("/engine/control", "engine_control"), ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("/123456789012345678901234567890", "123456789012345678901234567890"), ("123456789012345678901234567890A", "12345678901234_78901234567890A"),
        ("a/very/long/name/with/many/parts/in/it", "a_very_long_na_any_parts_in_it"),
    ]) func `where names are short there is no boot in them, and long ones lose their middle`(text: String, name: String) {
        #expect(SegmentName.perBoot(text, boot: "0123abcd4567ef89", limit: 30) == name)
    }
}
