// Bytes that are no message: each is refused by name, with the field and the place, and nothing traps.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct ProtobufBadInputTests {
    private func fault(_ bytes: [UInt8], _ limits: ProtobufLimits = .defaults) -> ProtobufError? {
        do throws(ProtobufError) {
            _ = try EveryField(serializedBytes: bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("08", "the bytes end too early in field 1, at byte 1"),
        ("80", "the bytes end too early, at byte 1"),
        ("0880", "the bytes end too early in field 1, at byte 2"),
        ("08ffffffffffffffffff02", "a varint of more than 64 bits in field 1, at byte 10"),
        ("08ffffffffffffffffffff01", "a varint of more than 64 bits in field 1, at byte 10"),
        ("00", "a field number out of range, at byte 0"),
        ("080105", "a field number out of range, at byte 2"),
        ("8080808010" + "01", "a field number out of range, at byte 0"),
        ("0e", "a wire type that does not exist, at byte 0"),
        ("0f", "a wire type that does not exist, at byte 0"),
        ("3d010203", "the bytes end too early in field 7, at byte 1"),
        ("4101020304050607", "the bytes end too early in field 8, at byte 1"),
        ("720261", "the bytes end too early in field 14, at byte 2"),
        ("72ffffffffffffffffff01", "the bytes end too early in field 14, at byte 11"),
        ("7201ff", "text that is not UTF-8 in field 14, at byte 2"),
        ("7203eda080", "text that is not UTF-8 in field 14, at byte 2"),
        ("7202c080", "text that is not UTF-8 in field 14, at byte 2"),
        ("ba0101ff", "text that is not UTF-8 in field 23, at byte 3"),
        ("9a0103120108", "the bytes end too early in field 19.2.1, at byte 6"),
        ("9a01030801", "the bytes end too early in field 19, at byte 3"),
        ("c2010208" + "01c2010108", "the bytes end too early in field 24.1, at byte 9"),
        ("ca01030a01ff", "text that is not UTF-8 in field 25.1, at byte 5"),
        ("d20104120208" + "80", "the bytes end too early in field 26.2.1, at byte 7"),
        ("a2010180", "the bytes end too early in field 20, at byte 4"),
        ("b2010701020304050607", "the bytes end too early in field 22, at byte 3"),
        ("c33e", "the bytes end too early in field 1000, at byte 2"),
        ("c33ecc3e", "the end of a group that was not begun in field 1000, at byte 2"),
        ("c43e", "the end of a group that was not begun, at byte 0"),
        ("0c", "the end of a group that was not begun, at byte 0"),
        ("c33e0a0561c43e", "the bytes end too early in field 1000, at byte 4"),
    ])
    func `a fault is named with its field and its place`(hex: String, words: String) {
        #expect(fault(NativeVectors.bytes(hex))?.description == words)
    }

    /// So many messages, or groups, within each other.
    private func nested(_ depth: Int, group: Bool = false) -> [UInt8] {
        if group { return (0..<depth).flatMap { _ in [0xC3, 0x3E] as [UInt8] } + (0..<depth).flatMap { _ in [0xC4, 0x3E] as [UInt8] } }
        var message = EveryField.Nested()
        for _ in 1..<depth {
            var outer = EveryField.Nested()
            outer.next = message
            message = outer
        }
        var every = EveryField()
        every.nested = message
        return (try? every.serializedBytes()) ?? []
    }

    @Test func `messages and groups lie a hundred deep within each other, and no deeper`() {
        for group in [false, true] {
            #expect(fault(nested(100, group: group)) == nil)
            #expect(fault(nested(101, group: group))?.kind == .tooDeep)
        }
        #expect(fault([UInt8]((0..<500_000).flatMap { _ in [0xC3, 0x3E] as [UInt8] }))?.kind == .tooDeep)
    }

    @Test func `depth ends with the message that made it`() {
        var limits = ProtobufLimits.defaults
        limits.maximumDepth = 1
        #expect(fault(NativeVectors.bytes("c20100c20100c33ec43ec33ec43ec20100"), limits) == nil)
        #expect(fault(NativeVectors.bytes("c201021200"), limits) == ProtobufError(.tooDeep, path: [24, 2], offset: 4))
    }

    @Test func `a message of many messages is refused, whichever kind they are`() {
        var limits = ProtobufLimits.defaults
        limits.maximumMessages = 3
        for entry in ["c20100", "ca0100", "d20100"] {
            #expect(fault(NativeVectors.bytes(String(repeating: entry, count: 3)), limits) == nil)
            #expect(fault(NativeVectors.bytes(String(repeating: entry, count: 4)), limits)?.kind == .tooManyMessages)
        }
        #expect(fault([UInt8]((0..<65_537).flatMap { _ in [0xC2, 0x01, 0x00] as [UInt8] }))?.kind == .tooManyMessages)
    }

    @Test func `a message of many bytes is refused unread`() {
        var limits = ProtobufLimits.defaults
        limits.maximumBytes = 4
        #expect(fault([8, 1, 8, 1], limits) == nil)
        #expect(fault([8, 1, 8, 1, 8], limits) == ProtobufError(.tooLong, offset: 4))
    }

    @Test func `what is cut anywhere is a message or named, and never traps`() throws {
        let whole = ProtobufFieldTests.known.flatMap(\.bytes)
        let rich = try EveryField(serializedBytes: whole)
        #expect(try EveryField(serializedBytes: rich.serializedBytes()) == rich)
        for cut in whole.indices {
            if let fault = fault(Array(whole[..<cut])) { #expect(fault.offset <= cut) }
        }
        var random = SplitMix64(seed: 3)
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<random.number(in: 1...4) { bytes[random.number(in: 0...bytes.count - 1)] = UInt8(random.number(in: 0...255)) }
            if let message = try? EveryField(serializedBytes: bytes) {
                let written = try message.serializedBytes()
                #expect(try EveryField(serializedBytes: written).serializedBytes() == written)
            }
        }
    }
}
