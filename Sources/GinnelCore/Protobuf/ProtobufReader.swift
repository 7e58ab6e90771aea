// Reads fields. One reader goes through a message and all that lie within it, over one array of bytes: a nested message is a nearer end.
//
// The loop over the fields belongs to the reader and not to the message types, so that what none of them takes is kept in one place: a field of
// an unknown number, and one of a known number with another wire type than the schema's, which is treated as unknown too, as the format's other
// implementations do.
//
// What is generic can be inlined into the module of the message types: unspecialized it would take most of its time to look up what it is about.

public struct ProtobufReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    private let limits: ProtobufLimits
    @usableFromInline var offset = 0
    /// Where the message, or the packed field, in hand ends.
    @usableFromInline var end: Int
    private var depth = 0
    /// How many lay within the outermost message so far.
    private var messages = 0

    /// The number of the field in hand.
    public private(set) var number = 0
    private var wireType = ProtobufWireType.varint
    @usableFromInline var isTaken = false

    @usableFromInline init(_ bytes: [UInt8], _ limits: ProtobufLimits) {
        self.bytes = bytes
        self.limits = limits
        end = bytes.count
    }

    // MARK: Messages

    /// Goes on to the end of the message in hand.
    @inlinable mutating func fields<Message: ProtobufMessage>(of message: inout Message) throws(ProtobufError) {
        while offset < end {
            let start = offset
            try nextField()
            let number = number
            let content = offset
            do throws(ProtobufError) {
                try message.read(&self)
                if isTaken { continue }
                offset = content
                try skipContent(of: number)
            } catch {
                throw error.within(number)
            }
            message.unknownFields.append(bytes[start..<offset])
        }
    }

    @usableFromInline mutating func nextField() throws(ProtobufError) {
        let start = offset
        (number, wireType) = try tag()
        isTaken = false
        if wireType == .endGroup { throw ProtobufError(.unmatchedGroup, offset: start) }
    }

    /// Whether the field in hand is of this wire type and nobody has taken it; it is taken then.
    @usableFromInline mutating func isToTake(_ type: ProtobufWireType) -> Bool {
        guard !isTaken, wireType == type else { return false }
        isTaken = true
        return true
    }

    /// Has `body` read the next length-delimited value as something of its own.
    @usableFromInline mutating func inside(nests: Bool, _ body: (inout ProtobufReader) throws(ProtobufError) -> Void) throws(ProtobufError) {
        let start = offset
        let length = try length()
        let outer = end
        end = offset + length
        if nests {
            depth += 1
            messages += 1
            if depth > limits.maximumDepth { throw ProtobufError(.tooDeep, offset: start) }
            if messages > limits.maximumMessages { throw ProtobufError(.tooManyMessages, offset: start) }
        }
        try body(&self)
        if nests { depth -= 1 }
        offset = end
        end = outer
        isTaken = true
    }

    // MARK: What message types call

    /// A single field without presence: the last one counts.
    @inlinable public mutating func take<Value>(_ scalar: ProtobufScalar<Value>, _ value: inout Value) throws(ProtobufError) {
        if isToTake(scalar.wireType) { value = try scalar.read(&self) }
    }

    /// A single field with presence, and a member of a oneof.
    @inlinable public mutating func take<Value>(_ scalar: ProtobufScalar<Value>, _ value: inout Value?) throws(ProtobufError) {
        if isToTake(scalar.wireType) { value = try scalar.read(&self) }
    }

    /// A repeated field, packed or not.
    @inlinable public mutating func take<Value>(_ scalar: ProtobufScalar<Value>, _ values: inout [Value]) throws(ProtobufError) {
        if isToTake(scalar.wireType) {
            values.append(try scalar.read(&self))
        } else if scalar.isPackable, isToTake(.lengthDelimited) {
            try inside(nests: false) { (reader: inout ProtobufReader) throws(ProtobufError) in
                while reader.offset < reader.end { values.append(try scalar.read(&reader)) }
            }
        }
    }

    /// A message; a second one is merged into the first.
    @inlinable public mutating func take<Message: ProtobufMessage>(_ message: inout Message?) throws(ProtobufError) {
        guard isToTake(.lengthDelimited) else { return }
        // Taken out, so that there is one of it: with a second reference each field that is added would copy all that came before.
        var merged = message.take() ?? Message()
        defer { message = merged }
        try inside(nests: true) { (reader: inout ProtobufReader) throws(ProtobufError) in try reader.fields(of: &merged) }
    }

    /// A repeated message.
    @inlinable public mutating func take<Message: ProtobufMessage>(_ messages: inout [Message]) throws(ProtobufError) {
        var message: Message?
        try take(&message)
        if let message { messages.append(message) }
    }

    /// An entry of a map of scalars. The last of several with one key counts; keys that Swift holds to be equal, as texts that differ in normalization alone, are one key.
    public mutating func take<Key: ProtobufMapKey, Value>(
        map key: ProtobufScalar<Key>, _ value: ProtobufScalar<Value>, _ map: inout [Key: Value]
    ) throws(ProtobufError) {
        guard let entry = try entry(key, standard: value.standard, { (reader, content) throws(ProtobufError) in try reader.take(value, &content) }) else { return }
        map[entry.key] = entry.content
    }

    /// An entry of a map of messages.
    public mutating func take<Key: ProtobufMapKey, Value: ProtobufMessage>(map key: ProtobufScalar<Key>, _ map: inout [Key: Value]) throws(ProtobufError) {
        guard let entry = try entry(key, standard: Value?.none, { (reader, content) throws(ProtobufError) in try reader.take(&content) }) else { return }
        map[entry.key] = entry.content ?? Value()
    }

    /// A map's entry is a message of two fields, 1 and 2; others in it are passed over.
    private mutating func entry<Key, Content>(
        _ key: ProtobufScalar<Key>, standard: Content, _ takeContent: (inout ProtobufReader, inout Content) throws(ProtobufError) -> Void
    ) throws(ProtobufError) -> (key: Key, content: Content)? {
        guard isToTake(.lengthDelimited) else { return nil }
        var entry = (key: key.standard, content: standard)
        try inside(nests: true) { (reader: inout ProtobufReader) throws(ProtobufError) in
            while reader.offset < reader.end {
                try reader.nextField()
                let number = reader.number
                do throws(ProtobufError) {
                    if number == 1 { try reader.take(key, &entry.key) }
                    if number == 2 { try takeContent(&reader, &entry.content) }
                    if !reader.isTaken { try reader.skipContent(of: number) }
                } catch {
                    throw error.within(number)
                }
            }
        }
        return entry
    }

    // MARK: Bytes

    private mutating func tag() throws(ProtobufError) -> (number: Int, type: ProtobufWireType) {
        let start = offset
        let tag = try varint()
        guard (1...0x1FFF_FFFF).contains(tag >> 3) else { throw ProtobufError(.invalidFieldNumber, offset: start) }
        guard let type = ProtobufWireType(rawValue: UInt8(tag & 7)) else { throw ProtobufError(.invalidWireType, offset: start) }
        return (Int(tag >> 3), type)
    }

    mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes[offset]
            if shift == 63, byte > 1 { throw ProtobufError(.malformedVarint, offset: offset) }
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw ProtobufError(.truncated, offset: offset)
    }

    mutating func fixed<Bits: FixedWidthInteger & UnsignedInteger>(_ type: Bits.Type) throws(ProtobufError) -> Bits {
        let start = try advance(Bits.bitWidth / 8)
        var value: Bits = 0
        for place in 0..<Bits.bitWidth / 8 { value |= Bits(bytes[start + place]) << Bits(8 * place) }
        return value
    }

    mutating func text() throws(ProtobufError) -> String {
        let start = try advance(try length())
        guard let text = bytes.span.bytes.extracting(start..<offset).text() else { throw ProtobufError(.invalidText, offset: start) }
        if text.hasTooManyMarks { throw ProtobufError(.tooManyMarks, offset: start) }
        return text
    }

    mutating func delimited() throws(ProtobufError) -> [UInt8] {
        let start = try advance(try length())
        return Array(bytes[start..<offset])
    }

    /// A length that does not reach over the end.
    private mutating func length() throws(ProtobufError) -> Int {
        let length = try varint()
        guard length <= UInt64(end - offset) else { throw ProtobufError(.truncated, offset: offset) }
        return Int(length)
    }

    /// Passes over `count` bytes, and says where they begin.
    private mutating func advance(_ count: Int) throws(ProtobufError) -> Int {
        guard count <= end - offset else { throw ProtobufError(.truncated, offset: offset) }
        offset += count
        return offset - count
    }

    /// Passes over what stands behind the tag that was read last, that of field `number`.
    @usableFromInline mutating func skipContent(of number: Int) throws(ProtobufError) {
        switch wireType {
        case .varint: _ = try varint()
        case .fixed64: _ = try advance(8)
        case .fixed32: _ = try advance(4)
        case .lengthDelimited: _ = try advance(try length())
        case .startGroup: try skipGroup(number)
        case .endGroup: throw ProtobufError(.unmatchedGroup, offset: offset)
        }
    }

    private mutating func skipGroup(_ number: Int) throws(ProtobufError) {
        depth += 1
        if depth > limits.maximumDepth { throw ProtobufError(.tooDeep, offset: offset) }
        while true {
            let start = offset
            let inner = try tag()
            if inner.type == .endGroup {
                guard inner.number == number else { throw ProtobufError(.unmatchedGroup, offset: start) }
                depth -= 1
                return
            }
            wireType = inner.type
            try skipContent(of: inner.number)
        }
    }
}

extension ProtobufError {
    /// The same, for one who looks from outside field `number`.
    @usableFromInline func within(_ number: Int) -> ProtobufError { ProtobufError(kind, path: [number] + path, offset: offset) }
}
