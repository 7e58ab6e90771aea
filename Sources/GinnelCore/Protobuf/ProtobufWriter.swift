// Writes fields, in the order in which they are put.

public struct ProtobufWriter: Sendable {
    /// What was put so far.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    // MARK: What message types call

    /// A single field without presence: left out when it is zero, false or empty.
    public mutating func put<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ value: Value) {
        if !scalar.isStandard(value) { putAlways(scalar, number, value) }
    }

    /// A single field with presence, and a member of a oneof: left out when it is `nil`.
    public mutating func put<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ value: Value?) {
        if let value { putAlways(scalar, number, value) }
    }

    /// A repeated field. Numbers are packed into one field unless `packed` is false.
    public mutating func put<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ values: [Value], packed: Bool = true) {
        if packed, scalar.isPackable {
            if !values.isEmpty { putDelimited(number) { writer in for value in values { scalar.write(value, &writer) } } }
        } else {
            for value in values { putAlways(scalar, number, value) }
        }
    }

    /// A message: left out when it is `nil`.
    public mutating func put<Message: ProtobufMessage>(_ number: Int, _ message: Message?) {
        if let message { putDelimited(number) { $0.putContent(of: message) } }
    }

    /// A repeated message.
    public mutating func put<Message: ProtobufMessage>(_ number: Int, _ messages: [Message]) {
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

    mutating func putContent(of message: some ProtobufMessage) {
        message.write(to: &self)
        bytes += message.unknownFields.bytes
    }

    private mutating func putAlways<Value>(_ scalar: ProtobufScalar<Value>, _ number: Int, _ value: Value) {
        putTag(number, scalar.wireType)
        scalar.write(value, &self)
    }

    /// What `body` puts, behind its length. The length is put in its place when it is known.
    private mutating func putDelimited(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
        putTag(number, .lengthDelimited)
        let start = bytes.count
        body(&self)
        bytes.insert(contentsOf: Self.varint(UInt64(bytes.count - start)), at: start)
    }

    private mutating func putTag(_ number: Int, _ type: ProtobufWireType) {
        append(varint: UInt64(truncatingIfNeeded: number) << 3 | UInt64(type.rawValue))
    }

    mutating func append(varint value: UInt64) {
        if value < 0x80 { bytes.append(UInt8(value)) } else { bytes += Self.varint(value) }
    }

    mutating func append(littleEndian value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }

    mutating func append(_ content: some Collection<UInt8>) { bytes += content }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
