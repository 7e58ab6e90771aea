// What a message type does not know is kept, in its order, and written behind what it knows.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct ProtobufUnknownTests {
    private func rewritten(_ hex: String) throws -> [UInt8] { try EveryField(serializedBytes: NativeVectors.bytes(hex)).serializedBytes() }

    @Test(arguments: [
        ("c03e07", "a varint"), ("c13e0102030405060708", "eight bytes"), ("c23e03616263", "a length and bytes"), ("c53e01020304", "four bytes"),
        ("c33ec43e", "an empty group"), ("c33e0801c33ec43ec23e0161c43e", "a group with all kinds in it, and a group"), ("f8ffffff0f01", "the greatest number"),
        ("0a0161", "a known number with another wire type"), ("0d01020304", "and another"), ("7001", "a text as a number"), ("9a0103c03e07", "in a message within"),
        ("aa0100", "nothing, packed"),
    ])
    func `an unknown field is kept as it is`(hex: String, name: String) throws {
        let bytes = hex == "aa0100" ? [] : NativeVectors.bytes(hex)
        #expect(try rewritten(hex) == bytes)
    }

    @Test func `unknown fields stay in their order, behind the known ones`() throws {
        #expect(try rewritten("c03e01" + "0805" + "ca3e0161" + "c03e02" + "6801") == NativeVectors.bytes("08056801" + "c03e01ca3e0161c03e02"))
    }

    @Test func `a field that is taken by nobody stays out of the known ones`() throws {
        let message = try EveryField(serializedBytes: NativeVectors.bytes("0a0161c03e07"))
        #expect(message.int32 == 0)
        #expect(message.unknownFields.bytes == NativeVectors.bytes("0a0161c03e07"))
    }

    @Test func `two messages with different unknown fields differ`() throws {
        let first = try EveryField(serializedBytes: NativeVectors.bytes("c03e07"))
        #expect(first != EveryField())
        #expect(try first == EveryField(serializedBytes: NativeVectors.bytes("c03e07")))
    }

    @Test func `what is read into a message is added to what is there`() throws {
        var message = try EveryField(serializedBytes: NativeVectors.bytes("0805ba010161c03e01"))
        try message.merge(serializedBytes: NativeVectors.bytes("0806ba010162c03e02"))
        #expect(message.int32 == 6)
        #expect(message.texts == ["a", "b"])
        #expect(message.unknownFields.bytes == NativeVectors.bytes("c03e01c03e02"))
    }
}
