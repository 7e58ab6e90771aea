// The measures of rings, and the words in which they are offered.

import GinnelCore
import Testing

@Suite struct RingGeometryTests {
    @Test(arguments: [Int.min, -64, 0, 1, 32, 63, 65, 96, 100, 4095, 1 << 30 - 1, 1 << 31, .max]) func `a capacity is a power of two from 64 to 2³⁰`(capacity: Int) {
        #expect(RingGeometry(capacity: capacity) == nil)
    }

    @Test(arguments: 6...30) func `a segment holds two rings, each from a page on`(exponent: Int) throws {
        let geometry = try #require(RingGeometry(capacity: 1 << exponent))
        #expect(geometry.longestPayload == geometry.capacity / 2 - 4)
        #expect(geometry.stride % 4096 == 0 && (geometry.capacity + 512..<geometry.capacity + 512 + 4096).contains(geometry.stride))
        #expect(geometry.segmentBytes == 2 * geometry.stride)
    }

    @Test(arguments: [(Int.min, 64), (0, 64), (64, 64), (65, 128), (128, 128), (262_144, 1 << 18), (262_145, 1 << 19), (1 << 30, 1 << 30), (.max, 1 << 30)])
    func `the smallest ring of at least so many bytes is found, or the largest there is`(count: Int, capacity: Int) {
        #expect(RingGeometry(atLeast: count).capacity == capacity)
    }

    @Test(arguments: [
        (RingMessage(.offer, handles: 3, value: 65_536), "01010300 00000100 0000000000000000"),
        (RingMessage(.offer, handles: 1, value: 64), "01010100 40000000 0000000000000000"),
        (RingMessage(.offer, handles: OfferedHandles(1, number: 0x1234), value: 64), "01010100 40000000 3412000000000000"),
        (RingMessage(.accept), "02010000 00000000 0000000000000000"),
        (RingMessage(.refuse, value: 6), "03010000 06000000 0000000000000000"),
        (RingMessage(.switch), "04010000 00000000 0000000000000000"),
        (RingMessage(.end), "05010000 00000000 0000000000000000"),
    ]) func `a message about shared memory has these bytes, and is read again`(message: RingMessage, hexadecimal: String) throws {
        let digits = hexadecimal.replacing(" ", with: "")
        #expect(message.encoded.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == digits)
        #expect(try RingMessage(message.encoded.span.bytes) == message)
    }

    @Test(arguments: [0, 1, 15, 17, 32]) func `a message about shared memory has 16 bytes`(count: Int) throws {
        let bytes = Array((RingMessage(.accept).encoded + RingMessage(.accept).encoded)[..<count])
        let violation = try #require(throws: RingViolation.self) { try RingMessage(bytes.span.bytes) }
        #expect(violation.sentence == "a message about shared memory of \(count) bytes where 16 are due")
    }

    @Test(
        arguments: [
            (0, 0, "unknown verb 0"), (0, 6, "unknown verb 6"), (0, 255, "unknown verb 255"), (1, 0, "in version 0"), (1, 2, "in version 2"), (1, 255, "in version 255"),
            (3, 1, "reserved"), (8, 1, "reserved"), (9, 255, "reserved"), (15, 128, "reserved"),
        ] as [(Int, UInt8, String)]) func `a message with a field that cannot be is refused by that field's name`(offset: Int, value: UInt8, name: String) throws
    {
        for message in [RingMessage(.offer, handles: 3, value: 4096), RingMessage(.refuse, value: 6)] {
            var bytes = message.encoded
            bytes[offset] = value
            let violation = try #require(throws: RingViolation.self) { try RingMessage(bytes.span.bytes) }
            #expect(violation.sentence.contains(name))
        }
    }

    @Test(arguments: [RingVerb.accept, .refuse, .switch, .end]) func `descriptors come with an offer alone`(verb: RingVerb) throws {
        let violation = try #require(throws: RingViolation.self) { try RingMessage(RingMessage(verb, handles: 1).encoded.span.bytes) }
        #expect(violation.sentence.contains("descriptors"))
    }

    @Test(arguments: [RingVerb.accept, .switch, .end]) func `a number comes with an offer or a refusal alone`(verb: RingVerb) throws {
        let violation = try #require(throws: RingViolation.self) { try RingMessage(RingMessage(verb, value: 64).encoded.span.bytes) }
        #expect(violation.sentence.contains("reserved"))
    }

    @Test(
        arguments: [
            (0, FailureCode.protocolViolation), (63, .protocolViolation), (100, .protocolViolation), (8192, .resourceExhausted), (.max, .resourceExhausted),
        ] as [(UInt32, FailureCode)]) func `an offer of rings that cannot be is refused with another code than one of rings that are too large`(
            value: UInt32, code: FailureCode
        ) throws
    {
        let refusal = try #require(throws: OfferRefusal.self) { try RingMessage(.offer, handles: 3, value: value).offeredGeometry(upTo: 4096) }
        #expect(refusal.failure.code == code && refusal.failure.sentence.contains("\(value)"))
        #expect(try RingMessage(.offer, handles: 3, value: 4096).offeredGeometry(upTo: 4096).capacity == 4096)
    }
}
