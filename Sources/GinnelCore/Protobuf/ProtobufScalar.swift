// The scalar types: what each is in Swift and on the wire. One table for single, optional and repeated fields, packed or not, and for maps.

/// One of protobuf's scalar types, whose values are `Value` in Swift.
public final class ProtobufScalar<Value: Sendable>: Sendable {
    @usableFromInline let wireType: ProtobufWireType
    /// What a field is that is not on the wire.
    let standard: Value
    /// Whether a value is left out where presence is implicit.
    @usableFromInline let isStandard: @Sendable (Value) -> Bool
    /// Reads what stands behind the tag; strings and bytes with their length.
    @usableFromInline let read: @Sendable (inout ProtobufReader) throws(ProtobufError) -> Value
    @usableFromInline let write: @Sendable (Value, inout ProtobufWriter) -> Void

    /// Several of them can stand in one field.
    @inlinable var isPackable: Bool { wireType != .lengthDelimited }

    private init(
        _ type: ProtobufWireType, standard: Value, isStandard: @escaping @Sendable (Value) -> Bool,
        read: @escaping @Sendable (inout ProtobufReader) throws(ProtobufError) -> Value, write: @escaping @Sendable (Value, inout ProtobufWriter) -> Void
    ) {
        wireType = type
        self.standard = standard
        self.isStandard = isStandard
        self.read = read
        self.write = write
    }

    /// Text or bytes, which have a length.
    fileprivate convenience init(
        standard: Value, isStandard: @escaping @Sendable (Value) -> Bool, read: @escaping @Sendable (inout ProtobufReader) throws(ProtobufError) -> Value,
        write: @escaping @Sendable (Value, inout ProtobufWriter) -> Void
    ) {
        self.init(.lengthDelimited, standard: standard, isStandard: isStandard, read: read, write: write)
    }

    /// A number as a varint; zero is the standard.
    fileprivate convenience init(varint from: @escaping @Sendable (UInt64) -> Value, _ bits: @escaping @Sendable (Value) -> UInt64) {
        self.init(
            .varint, standard: from(0), isStandard: { bits($0) == 0 }, read: { (reader: inout ProtobufReader) throws(ProtobufError) in from(try reader.varint()) },
            write: { $1.append(varint: bits($0)) })
    }

    /// A number of fixed size; the one whose bits are all zero is the standard, which −0.0 is not.
    fileprivate convenience init<Bits: FixedWidthInteger & UnsignedInteger & Sendable>(
        fixed type: ProtobufWireType, _ from: @escaping @Sendable (Bits) -> Value, _ bits: @escaping @Sendable (Value) -> Bits
    ) {
        self.init(
            type, standard: from(0), isStandard: { bits($0) == 0 }, read: { (reader: inout ProtobufReader) throws(ProtobufError) in from(try reader.fixed(Bits.self)) },
            write: { $1.append(littleEndian: bits($0)) })
    }
}

/// Each of them once: they are asked for with every field.
private enum Scalars {
    static let int32 = ProtobufScalar<Int32>(varint: { Int32(truncatingIfNeeded: $0) }, { UInt64(bitPattern: Int64($0)) })
    static let sint32 = ProtobufScalar<Int32>(
        varint: { Int32(bitPattern: UInt32(truncatingIfNeeded: $0) >> 1) ^ -Int32($0 & 1) }, { UInt64(UInt32(bitPattern: $0 << 1 ^ $0 >> 31)) })
    static let sfixed32 = ProtobufScalar<Int32>(fixed: .fixed32, { Int32(bitPattern: $0) }, { UInt32(bitPattern: $0) })
    static let int64 = ProtobufScalar<Int64>(varint: { Int64(bitPattern: $0) }, { UInt64(bitPattern: $0) })
    static let sint64 = ProtobufScalar<Int64>(varint: { Int64(bitPattern: $0 >> 1) ^ -Int64($0 & 1) }, { UInt64(bitPattern: $0 << 1 ^ $0 >> 63) })
    static let sfixed64 = ProtobufScalar<Int64>(fixed: .fixed64, { Int64(bitPattern: $0) }, { UInt64(bitPattern: $0) })
    static let uint32 = ProtobufScalar<UInt32>(varint: { UInt32(truncatingIfNeeded: $0) }, { UInt64($0) })
    static let fixed32 = ProtobufScalar<UInt32>(fixed: .fixed32, { $0 }, { $0 })
    static let uint64 = ProtobufScalar<UInt64>(varint: { $0 }, { $0 })
    static let fixed64 = ProtobufScalar<UInt64>(fixed: .fixed64, { $0 }, { $0 })
    static let bool = ProtobufScalar<Bool>(varint: { $0 != 0 }, { $0 ? 1 : 0 })
    static let float = ProtobufScalar<Float>(fixed: .fixed32, { Float(bitPattern: $0) }, { $0.bitPattern })
    static let double = ProtobufScalar<Double>(fixed: .fixed64, { Double(bitPattern: $0) }, { $0.bitPattern })
    static let string = ProtobufScalar<String>(
        standard: "", isStandard: { $0.isEmpty },
        read: { (reader: inout ProtobufReader) throws(ProtobufError) in try reader.text() },
        write: { text, writer in
            writer.append(varint: UInt64(text.utf8.count))
            writer.append(text.utf8)
        })
    static let bytes = ProtobufScalar<[UInt8]>(
        standard: [], isStandard: { $0.isEmpty },
        read: { (reader: inout ProtobufReader) throws(ProtobufError) in try reader.delimited() },
        write: { bytes, writer in
            writer.append(varint: UInt64(bytes.count))
            writer.append(bytes)
        })
}

extension ProtobufScalar where Value == Int32 {
    /// Negative numbers take ten bytes.
    public static var int32: ProtobufScalar { Scalars.int32 }
    /// Zigzag: small numbers are short, whatever their sign.
    public static var sint32: ProtobufScalar { Scalars.sint32 }
    public static var sfixed32: ProtobufScalar { Scalars.sfixed32 }
}

extension ProtobufScalar where Value == Int64 {
    public static var int64: ProtobufScalar { Scalars.int64 }
    public static var sint64: ProtobufScalar { Scalars.sint64 }
    public static var sfixed64: ProtobufScalar { Scalars.sfixed64 }
}

extension ProtobufScalar where Value == UInt32 {
    public static var uint32: ProtobufScalar { Scalars.uint32 }
    public static var fixed32: ProtobufScalar { Scalars.fixed32 }
}

extension ProtobufScalar where Value == UInt64 {
    public static var uint64: ProtobufScalar { Scalars.uint64 }
    public static var fixed64: ProtobufScalar { Scalars.fixed64 }
}

extension ProtobufScalar where Value == Bool {
    public static var bool: ProtobufScalar { Scalars.bool }
}

extension ProtobufScalar where Value == Float {
    public static var float: ProtobufScalar { Scalars.float }
}

extension ProtobufScalar where Value == Double {
    public static var double: ProtobufScalar { Scalars.double }
}

extension ProtobufScalar where Value == String {
    /// UTF-8; anything else is an error.
    public static var string: ProtobufScalar { Scalars.string }
}

extension ProtobufScalar where Value == [UInt8] {
    public static var bytes: ProtobufScalar { Scalars.bytes }
}

extension ProtobufScalar where Value: ProtobufEnumeration {
    public static var enumeration: ProtobufScalar {
        ProtobufScalar(varint: { Value(rawValue: Int32(truncatingIfNeeded: $0)) }, { UInt64(bitPattern: Int64($0.rawValue)) })
    }
}
