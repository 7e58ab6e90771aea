// Writes fields, in the order in which they are put.

public struct ProtobufWriter: Sendable {
    /// What was put so far.
    public internal(set) var bytes: [UInt8] = []

    public init() {}

    // MARK: What message types call

    /// A single field without presence: left out when it is zero, false or empty.
    @inlinable public mutating func put<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ value: Value) {
        if !scalar.isStandard(value) { putAlways(scalar, number, value) }
    }

    /// A single field with presence, and a member of a oneof: left out when it is `nil`.
    @inlinable public mutating func put<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ value: Value?) {
        if let value { putAlways(scalar, number, value) }
    }

    /// A repeated field. Numbers are packed into one field unless `packed` is false.
    @inlinable public mutating func put<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ values: [Value], packed: Bool = true) {
        if packed, scalar.isPackable {
            if !values.isEmpty { putDelimited(number) { writer in for value in values { scalar.write(value, &writer) } } }
        } else {
            for value in values { putAlways(scalar, number, value) }
        }
    }

    /// A message: left out when it is `nil`.
    @inlinable public mutating func put<Message: ProtobufMessage>(_ number: Int, _ message: Message?) {
        if let message { putDelimited(number) { $0.putContent(of: message) } }
    }

    /// A repeated message.
    @inlinable public mutating func put<Message: ProtobufMessage>(_ number: Int, _ messages: [Message]) {
        for message in messages { put(number, Optional(message)) }
    }

    /// A map of scalars, in the order of its keys.
    public mutating func put<Key: ProtobufMapKey, Value>(map key: ProtobufScalar<Key>, _ value: ProtobufScalar<Value>, _ number: Int, _ map: [Key: Value]) {
        for (name, content) in map.sorted(by: { Key.precedes($0.key, $1.key) }) {
            putDelimited(number) { writer in
                writer.putAlways(key, 1, name)
                writer.putAlways(value, 2, content)
            }
        }
    }

    /// A map of messages, in the order of its keys.
    public mutating func put<Key: ProtobufMapKey, Value: ProtobufMessage>(map key: ProtobufScalar<Key>, _ number: Int, _ map: [Key: Value]) {
        for (name, content) in map.sorted(by: { Key.precedes($0.key, $1.key) }) {
            putDelimited(number) { writer in
                writer.putAlways(key, 1, name)
                writer.put(2, Optional(content))
            }
        }
    }

    // MARK: Bytes

    @inlinable mutating func putContent(of message: some ProtobufMessage) {
        message.write(to: &self)
        append(message.unknownFields)
    }

    @inlinable mutating func putAlways<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ value: Value) {
        putTag(number, scalar.wireType)
        scalar.write(value, &self)
    }

    /// What `body` puts, behind its length. That is known afterwards; most lengths have one byte, whose place is kept, and for more what was put is moved.
    @inlinable mutating func putDelimited(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
        putTag(number, .lengthDelimited)
        let place = bytes.count
        append(byte: 0)
        body(&self)
        setLength(at: place)
    }

    /// Puts the length of what stands behind `place` there.
    @usableFromInline mutating func setLength(at place: Int) {
        var length = bytes.count - place - 1
        bytes[place] = UInt8(length & 0x7F)
        if length < 0x80 { return }
        bytes[place] |= 0x80
        var more: [UInt8] = []
        length >>= 7
        while length >= 0x80 {
            more.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        bytes.insert(contentsOf: more + [UInt8(length)], at: place + 1)
    }

    @usableFromInline mutating func putTag(_ number: Int, _ type: ProtobufWireType) {
        append(varint: UInt64(truncatingIfNeeded: number) << 3 | UInt64(type.rawValue))
    }

    @usableFromInline mutating func append(byte: UInt8) { bytes.append(byte) }

    @usableFromInline mutating func append(_ fields: ProtobufUnknownFields) { bytes += fields.bytes }

    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(littleEndian value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }

    mutating func append(_ content: some Collection<UInt8>) { bytes += content }
}
