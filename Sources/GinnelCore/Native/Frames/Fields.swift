// Tagged fields: u16 tag, u16 length, bytes (docs/protocol.md §4). Unknown tags are kept out of the way, so that either side may learn new ones.

struct Fields: Sendable {
    static let maximumBytes = 4096

    private var values: [UInt16: [UInt8]] = [:]

    init() {}

    /// Reads all of `input`.
    init(_ input: borrowing RawSpan) throws(Violation) {
        guard input.byteCount <= Self.maximumBytes else {
            throw Violation(.protocolViolation, "fields of \(input.byteCount) bytes, over the limit of \(Self.maximumBytes)")
        }
        var offset = 0
        while offset < input.byteCount {
            guard input.byteCount - offset >= 4 else { throw Violation(.protocolViolation, "a field cut off at byte \(offset)") }
            let tag = input.u16(at: offset)
            let length = Int(input.u16(at: offset + 2))
            guard input.byteCount - offset - 4 >= length else {
                throw Violation(.protocolViolation, "field \(tag) claims \(length) bytes where \(input.byteCount - offset - 4) are left")
            }
            guard values[tag] == nil else { throw Violation(.protocolViolation, "field \(tag) stands twice") }
            values[tag] = input.extracting(offset + 4..<offset + 4 + length).copied()
            offset += 4 + length
        }
    }

    subscript(tag: UInt16) -> [UInt8]? {
        get { values[tag] }
        set { values[tag] = newValue }
    }

    /// The bytes of a field that must be there with exactly this length.
    func required(_ tag: UInt16, bytes count: Int) throws(Violation) -> [UInt8] {
        guard let value = values[tag] else { throw Violation(.protocolViolation, "field \(tag) is missing") }
        guard value.count == count else {
            throw Violation(.protocolViolation, "field \(tag) has \(value.count) bytes where \(count) are due")
        }
        return value
    }

    func requiredU32(_ tag: UInt16) throws(Violation) -> Int {
        Int(try required(tag, bytes: 4).littleEndianInteger() as UInt32)
    }

    func requiredU64(_ tag: UInt16) throws(Violation) -> UInt64 {
        try required(tag, bytes: 8).littleEndianInteger()
    }

    /// In order of tags, so that equal fields have equal bytes.
    var encoded: [UInt8] {
        var output = OutputBuffer()
        for (tag, value) in values.sorted(by: { $0.key < $1.key }) {
            output.append(littleEndian: tag)
            output.append(littleEndian: UInt16(truncatingIfNeeded: value.count))
            output.append(value)
        }
        return output.withBytes { [UInt8]($0) }
    }
}

extension RangeReplaceableCollection<UInt8> {
    /// The integer that these bytes write, least significant first.
    func littleEndianInteger<Integer: FixedWidthInteger>() -> Integer {
        reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
    }
}

extension FixedWidthInteger {
    /// Its bytes, least significant first.
    var littleEndianBytes: [UInt8] { Swift.withUnsafeBytes(of: littleEndian) { [UInt8]($0) } }
}
