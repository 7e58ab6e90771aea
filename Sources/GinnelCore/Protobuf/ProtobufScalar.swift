// The scalar types: what each is in Swift and on the wire. One table for single, optional and repeated fields, packed or not, and for maps.

/// One of protobuf's scalar types, whose values are `Value` in Swift.
public struct ProtobufScalar<Value: Sendable>: Sendable {
    let wireType: ProtobufWireType
    /// What a field is that is not on the wire.
    let standard: Value
    /// Whether a value is left out where presence is implicit.
    let isStandard: @Sendable (Value) -> Bool
    /// Reads what stands behind the tag; strings and bytes with their length.
    let read: @Sendable (inout ProtobufReader) throws(ProtobufError) -> Value
    let write: @Sendable (Value, inout ProtobufWriter) -> Void

    /// Several of them can stand in one field.
    var isPackable: Bool { wireType != .lengthDelimited }

    /// A number as a varint; zero is the standard.
    fileprivate init(varint from: @escaping @Sendable (UInt64) -> Value, _ bits: @escaping @Sendable (Value) -> UInt64) {
        wireType = .varint
        standard = from(0)
        isStandard = { bits($0) == 0 }
        read = { (reader: inout ProtobufReader) throws(ProtobufError) in from(try reader.varint()) }
        write = { $1.append(varint: bits($0)) }
    }

    /// A number of fixed size; the one whose bits are all zero is the standard, which −0.0 is not.
    fileprivate init<Bits: FixedWidthInteger & UnsignedInteger & Sendable>(
        fixed type: ProtobufWireType, _ from: @escaping @Sendable (Bits) -> Value, _ bits: @escaping @Sendable (Value) -> Bits
    ) {
        wireType = type
        standard = from(0)
        isStandard = { bits($0) == 0 }
        read = { (reader: inout ProtobufReader) throws(ProtobufError) in from(try reader.fixed(Bits.self)) }
        write = { $1.append(littleEndian: bits($0)) }
    }
}

extension ProtobufScalar where Value == Int32 {
    /// Negative numbers take ten bytes.
    public static var int32: Self { Self(varint: { Int32(truncatingIfNeeded: $0) }, { UInt64(bitPattern: Int64($0)) }) }
    /// Zigzag: small numbers are short, whatever their sign.
    public static var sint32: Self {
        Self(
            varint: { Int32(bitPattern: UInt32(truncatingIfNeeded: $0) >> 1) ^ -Int32($0 & 1) },
            { UInt64(UInt32(bitPattern: $0 << 1 ^ $0 >> 31)) })
    }
    public static var sfixed32: Self { Self(fixed: .fixed32, { Int32(bitPattern: $0) }, { UInt32(bitPattern: $0) }) }
}

extension ProtobufScalar where Value == Int64 {
    public static var int64: Self { Self(varint: { Int64(bitPattern: $0) }, { UInt64(bitPattern: $0) }) }
    public static var sint64: Self { Self(varint: { Int64(bitPattern: $0 >> 1) ^ -Int64($0 & 1) }, { UInt64(bitPattern: $0 << 1 ^ $0 >> 63) }) }
    public static var sfixed64: Self { Self(fixed: .fixed64, { Int64(bitPattern: $0) }, { UInt64(bitPattern: $0) }) }
}

extension ProtobufScalar where Value == UInt32 {
    public static var uint32: Self { Self(varint: { UInt32(truncatingIfNeeded: $0) }, { UInt64($0) }) }
    public static var fixed32: Self { Self(fixed: .fixed32, { $0 }, { $0 }) }
}

extension ProtobufScalar where Value == UInt64 {
    public static var uint64: Self { Self(varint: { $0 }, { $0 }) }
    public static var fixed64: Self { Self(fixed: .fixed64, { $0 }, { $0 }) }
}

extension ProtobufScalar where Value == Bool {
    public static var bool: Self { Self(varint: { $0 != 0 }, { $0 ? 1 : 0 }) }
}

extension ProtobufScalar where Value == Float {
    public static var float: Self { Self(fixed: .fixed32, { Float(bitPattern: $0) }, { $0.bitPattern }) }
}

extension ProtobufScalar where Value == Double {
    public static var double: Self { Self(fixed: .fixed64, { Double(bitPattern: $0) }, { $0.bitPattern }) }
}

extension ProtobufScalar where Value: ProtobufEnumeration {
    public static var enumeration: Self {
        Self(varint: { Value(rawValue: Int32(truncatingIfNeeded: $0)) }, { UInt64(bitPattern: Int64($0.rawValue)) })
    }
}

extension ProtobufScalar where Value == String {
    /// UTF-8; anything else is an error.
    public static var string: Self {
        Self(
            standard: "", isStandard: { $0.isEmpty },
            read: { (reader: inout ProtobufReader) throws(ProtobufError) in try reader.text() },
            write: { text, writer in
                writer.append(varint: UInt64(text.utf8.count))
                writer.append(text.utf8)
            })
    }
}

extension ProtobufScalar where Value == [UInt8] {
    public static var bytes: Self {
        Self(
            standard: [], isStandard: { $0.isEmpty },
            read: { (reader: inout ProtobufReader) throws(ProtobufError) in try reader.delimited() },
            write: { bytes, writer in
                writer.append(varint: UInt64(bytes.count))
                writer.append(bytes)
            })
    }
}

extension ProtobufScalar {
    fileprivate init(
        standard: Value, isStandard: @escaping @Sendable (Value) -> Bool, read: @escaping @Sendable (inout ProtobufReader) throws(ProtobufError) -> Value,
        write: @escaping @Sendable (Value, inout ProtobufWriter) -> Void
    ) {
        wireType = .lengthDelimited
        self.standard = standard
        self.isStandard = isStandard
        self.read = read
        self.write = write
    }
}
