// A protobuf message with a field of every kind, written by hand as programs write theirs.

package import GinnelCore

package struct EveryField: ProtobufMessage, Equatable {
    package struct Color: ProtobufEnumeration {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }
        package static let red = Color(rawValue: 0)
        package static let green = Color(rawValue: 1)
    }

    package enum Choice: Equatable, Sendable {
        case text(String)
        case number(Int32)
        case nested(Nested)
    }

    /// A message that can lie within itself.
    package struct Nested: ProtobufMessage, Equatable {
        package var number: UInt32 = 0
        private var inner: [Nested] = []
        package var unknownFields = ProtobufUnknownFields()

        /// The one within, if there is one.
        package var next: Nested? {
            get { inner.first }
            set { inner = newValue.map { [$0] } ?? [] }
        }

        package init() {}

        package mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
            switch field.number {
            case 1: try field.take(.uint32, &number)
            case 2: try field.take(&next)
            default: break
            }
        }

        package func write(to writer: inout ProtobufWriter) {
            writer.put(.uint32, 1, number)
            writer.put(2, next)
        }
    }

    package var int32: Int32 = 0
    package var int64: Int64 = 0
    package var uint32: UInt32 = 0
    package var uint64: UInt64 = 0
    package var sint32: Int32 = 0
    package var sint64: Int64 = 0
    package var fixed32: UInt32 = 0
    package var fixed64: UInt64 = 0
    package var sfixed32: Int32 = 0
    package var sfixed64: Int64 = 0
    package var float: Float = 0
    package var double: Swift.Double = 0
    package var bool = false
    package var string = ""
    package var bytes: [UInt8] = []
    package var color = Color.red
    package var present: Int32?
    package var presentText: String?
    package var nested: Nested?
    package var packed: [Int64] = []
    package var unpacked: [UInt32] = []
    package var packedFixed: [Swift.Double] = []
    package var texts: [String] = []
    package var list: [Nested] = []
    package var counts: [String: Int32] = [:]
    package var named: [Int64: Nested] = [:]
    package var flags: [Bool: String] = [:]
    package var choice: Choice?
    package var colors: [Color] = []
    package var unknownFields = ProtobufUnknownFields()

    package init() {}

    package mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.int32, &int32)
        case 2: try field.take(.int64, &int64)
        case 3: try field.take(.uint32, &uint32)
        case 4: try field.take(.uint64, &uint64)
        case 5: try field.take(.sint32, &sint32)
        case 6: try field.take(.sint64, &sint64)
        case 7: try field.take(.fixed32, &fixed32)
        case 8: try field.take(.fixed64, &fixed64)
        case 9: try field.take(.sfixed32, &sfixed32)
        case 10: try field.take(.sfixed64, &sfixed64)
        case 11: try field.take(.float, &float)
        case 12: try field.take(.double, &double)
        case 13: try field.take(.bool, &bool)
        case 14: try field.take(.string, &string)
        case 15: try field.take(.bytes, &bytes)
        case 16: try field.take(.enumeration, &color)
        case 17: try field.take(.int32, &present)
        case 18: try field.take(.string, &presentText)
        case 19: try field.take(&nested)
        case 20: try field.take(.sint64, &packed)
        case 21: try field.take(.uint32, &unpacked)
        case 22: try field.take(.double, &packedFixed)
        case 23: try field.take(.string, &texts)
        case 24: try field.take(&list)
        case 25: try field.take(map: .string, .int32, &counts)
        case 26: try field.take(map: .int64, &named)
        case 27: try field.take(map: .bool, .string, &flags)
        case 28...30: try readChoice(&field)
        case 31: try field.take(.enumeration, &colors)
        default: break
        }
    }

    /// A oneof: the member that came last counts; a message is merged into one that is there.
    private mutating func readChoice(_ field: inout ProtobufReader) throws(ProtobufError) {
        var text: String?
        var number: Int32?
        var nested: Nested?
        if case .nested(let earlier) = choice { nested = earlier }
        switch field.number {
        case 28:
            try field.take(.string, &text)
            if let text { choice = .text(text) }
        case 29:
            try field.take(.int32, &number)
            if let number { choice = .number(number) }
        default:
            try field.take(&nested)
            if let nested { choice = .nested(nested) }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.put(.int32, 1, int32)
        writer.put(.int64, 2, int64)
        writer.put(.uint32, 3, uint32)
        writer.put(.uint64, 4, uint64)
        writer.put(.sint32, 5, sint32)
        writer.put(.sint64, 6, sint64)
        writer.put(.fixed32, 7, fixed32)
        writer.put(.fixed64, 8, fixed64)
        writer.put(.sfixed32, 9, sfixed32)
        writer.put(.sfixed64, 10, sfixed64)
        writer.put(.float, 11, float)
        writer.put(.double, 12, double)
        writer.put(.bool, 13, bool)
        writer.put(.string, 14, string)
        writer.put(.bytes, 15, bytes)
        writer.put(.enumeration, 16, color)
        writer.put(.int32, 17, present)
        writer.put(.string, 18, presentText)
        writer.put(19, nested)
        writer.put(.sint64, 20, packed)
        writer.put(.uint32, 21, unpacked, packed: false)
        writer.put(.double, 22, packedFixed)
        writer.put(.string, 23, texts)
        writer.put(24, list)
        writer.put(map: .string, .int32, 25, counts)
        writer.put(map: .int64, 26, named)
        writer.put(map: .bool, .string, 27, flags)
        switch choice {
        case .text(let text): writer.put(.string, 28, Optional(text))
        case .number(let number): writer.put(.int32, 29, Optional(number))
        case .nested(let nested): writer.put(30, Optional(nested))
        case nil: break
        }
        writer.put(.enumeration, 31, colors)
    }
}
