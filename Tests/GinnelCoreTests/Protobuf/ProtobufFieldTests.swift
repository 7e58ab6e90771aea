// Fields of every kind against bytes written by hand from the format's rules, in both directions.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct ProtobufFieldTests {
    struct Known: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let message: EveryField

        init(_ hex: String, _ name: String, _ change: (inout EveryField) -> Void) {
            bytes = NativeVectors.bytes(hex)
            testDescription = name
            var message = EveryField()
            change(&message)
            self.message = message
        }
    }

    static let known = [
        Known("", "nothing") { _ in },
        Known("089601", "150") { $0.int32 = 150 },
        Known("08ffffffffffffffffff01", "-1 as ten bytes") { $0.int32 = -1 },
        Known("0880808080f8ffffffff01", "the least int32") { $0.int32 = .min },
        Known("10ffffffffffffffff7f", "the greatest int64") { $0.int64 = .max },
        Known("1080808080808080808001", "the least int64") { $0.int64 = .min },
        Known("18ffffffff0f", "the greatest uint32") { $0.uint32 = .max },
        Known("20ffffffffffffffffff01", "the greatest uint64") { $0.uint64 = .max },
        Known("2801", "-1 zigzag") { $0.sint32 = -1 },
        Known("28ffffffff0f", "the least sint32") { $0.sint32 = .min },
        Known("28feffffff0f", "the greatest sint32") { $0.sint32 = .max },
        Known("30ffffffffffffffffff01", "the least sint64") { $0.sint64 = .min },
        Known("30feffffffffffffffff01", "the greatest sint64") { $0.sint64 = .max },
        Known("3d04030201", "fixed32") { $0.fixed32 = 0x0102_0304 },
        Known("410807060504030201", "fixed64") { $0.fixed64 = 0x0102_0304_0506_0708 },
        Known("4dfeffffff", "sfixed32") { $0.sfixed32 = -2 },
        Known("51fdffffffffffffff", "sfixed64") { $0.sfixed64 = -3 },
        Known("5d0000c03f", "float") { $0.float = 1.5 },
        Known("5d00000080", "minus zero is no zero") { $0.float = -0.0 },
        Known("61182d4454fb210940", "double") { $0.double = .pi },
        Known("61000000000000f0ff", "an infinite double") { $0.double = -.infinity },
        Known("6801", "bool") { $0.bool = true },
        Known("7206e282ac210a00", "text") { $0.string = "€!\n\0" },
        Known("7a0300ff80", "bytes") { $0.bytes = [0, 255, 128] },
        Known("800101", "enumeration") { $0.color = .green },
        Known("8001ffffffffffffffffff01", "an enumeration's number without a name") { $0.color = .init(rawValue: -1) },
        Known("880100", "a zero that is present") { $0.present = 0 },
        Known("920100", "an empty text that is present") { $0.presentText = "" },
        Known("9a0100", "an empty message") { $0.nested = .init() },
        Known("9a0106080112020802", "a message in a message") {
            var inner = EveryField.Nested()
            inner.number = 2
            $0.nested = .init()
            $0.nested?.number = 1
            $0.nested?.next = inner
        },
        Known("a2010401028001", "packed") { $0.packed = [-1, 1, 64] },
        Known("a80103a80104", "not packed") { $0.unpacked = [3, 4] },
        Known("b20110000000000000f03f000000000000f0bf", "packed doubles") { $0.packedFixed = [1, -1] },
        Known("ba010161ba0100", "texts, the empty one too") { $0.texts = ["a", ""] },
        Known("c2010208" + "01c20100", "messages") {
            $0.list = [.init(), .init()]
            $0.list[0].number = 1
        },
        Known("ca01050a01611005ca01050a01621000", "a map, in the order of its keys") { $0.counts = ["b": 0, "a": 5] },
        Known("d2010d08ffffffffffffffffff011200", "a map of messages") { $0.named = [-1: .init()] },
        Known("da01040800120" + "0da010508011201" + "79", "a map with boolean keys") { $0.flags = [true: "y", false: ""] },
        Known("e20100", "a member of a oneof, empty") { $0.choice = .text("") },
        Known("e80100", "a member of a oneof, zero") { $0.choice = .number(0) },
        Known("f20100", "a member of a oneof, a message") { $0.choice = .nested(.init()) },
        Known("fa01020100", "enumerations, packed") { $0.colors = [.green, .red] },
    ]

    @Test(arguments: known)
    func `known bytes are read and written`(known: Known) throws {
        #expect(try EveryField(serializedBytes: known.bytes) == known.message)
        #expect(try known.message.serializedBytes() == known.bytes)
    }

    @Test func `not a number keeps its bits`() throws {
        let bytes = NativeVectors.bytes("5d0100c07f61010000000000f87f")
        #expect(try EveryField(serializedBytes: bytes).serializedBytes() == bytes)
    }

    @Test(
        arguments: [
            ("a00101a00102a2010103", "packed and not, mixed", [-1, 1, -2]),
            ("a20100", "packed and empty", []),
        ] as [(String, String, [Int64])])
    func `repeated numbers are read in either form`(hex: String, name: String, numbers: [Int64]) throws {
        #expect(try EveryField(serializedBytes: NativeVectors.bytes(hex)).packed == numbers)
    }

    @Test func `unpacked by schema is read packed too`() throws {
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("aa010403ac0200")).unpacked == [3, 300, 0])
    }

    @Test func `the last of several single fields counts, and messages are merged`() throws {
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("08010802")).int32 == 2)
        let merged = try EveryField(serializedBytes: NativeVectors.bytes("9a01020805" + "9a0104120208079a0104120208" + "08"))
        #expect(merged.nested?.number == 5)
        #expect(merged.nested?.next?.number == 8)
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("e2010161e80102")).choice == .number(2))
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("ca01050a01611005ca01050a01611006")).counts == ["a": 6])
    }

    @Test func `an entry of a map may lack its fields, turn them round, and have others`() throws {
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("ca0100")).counts == ["": 0])
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("d20100")).named == [0: .init()])
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("ca010910051a020102" + "0a0161")).counts == ["a": 5])
        // Another wire type for the key: it counts as missing.
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("ca010408011005")).counts == ["": 5])
    }

    @Test func `numbers of more bits than their type are cut, as elsewhere`() throws {
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("18ffffffffffffffffff01")).uint32 == .max)
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("0880808080f0ffffff7f")).int32 == 0)
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("688002")).bool)
        #expect(try EveryField(serializedBytes: NativeVectors.bytes("08818000")).int32 == 1, "longer than it need be")
    }
}
