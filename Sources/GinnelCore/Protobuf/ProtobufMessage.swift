// Protobuf (proto3) for message types that are written by hand, in the place of generated ones. The codec knows fields and how they lie on the wire; a
// type knows the numbers of its fields, and says them twice, for reading and for writing:
//
//     struct HashCheck: ProtobufMessage {
//         var expectedHash = ""
//         var comment: String?                                            // explicit presence: `optional` in the schema
//         var unknownFields = ProtobufUnknownFields()
//
//         mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
//             switch field.number {
//             case 1: try field.take(.string, &expectedHash)
//             case 2: try field.take(.string, &comment)
//             default: break                                              // kept in `unknownFields`
//             }
//         }
//
//         func write(to writer: inout ProtobufWriter) {
//             writer.put(.string, 1, expectedHash)
//             writer.put(.string, 2, comment)
//         }
//     }

/// A message type.
public protocol ProtobufMessage: Sendable {
    /// Every field as it is where the bytes do not say otherwise.
    init()
    /// What was read and is not known, or has another wire type than it should have; written behind the other fields.
    var unknownFields: ProtobufUnknownFields { get set }
    /// Takes the field in hand. What is not taken is kept in `unknownFields`.
    mutating func read(_ field: inout ProtobufReader) throws(ProtobufError)
    /// Puts every field, in the order of their numbers.
    func write(to writer: inout ProtobufWriter)
}

extension ProtobufMessage {
    /// Reads a message. Throws where the bytes are none, or over a limit; never traps. Any thread.
    @inlinable public init(serializedBytes bytes: [UInt8], limits: ProtobufLimits) throws(ProtobufError) {
        self.init()
        try merge(serializedBytes: bytes, limits: limits)
    }

    /// The same within the default limits.
    @inlinable public init(serializedBytes bytes: [UInt8]) throws(ProtobufError) { try self.init(serializedBytes: bytes, limits: .defaults) }

    /// Reads a message into this one: single fields are replaced, repeated ones grow, messages are merged. Where it throws, what came before the fault has been taken.
    @inlinable public mutating func merge(serializedBytes bytes: [UInt8], limits: ProtobufLimits = .defaults) throws(ProtobufError) {
        guard bytes.count <= limits.maximumBytes else { throw ProtobufError(.tooLong, offset: limits.maximumBytes) }
        var reader = ProtobufReader(bytes, limits)
        try reader.fields(of: &self)
    }

    /// The bytes: known fields in the order in which the type puts them, then unknown ones in the order in which they came. Throws `tooLong` alone. Any thread.
    @inlinable public func serializedBytes() throws(ProtobufError) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.putContent(of: self)
        let limit = ProtobufLimits.defaults.maximumBytes
        guard writer.bytes.count <= limit else { throw ProtobufError(.tooLong, offset: limit) }
        return writer.bytes
    }
}

/// Fields as they came, tags included.
public struct ProtobufUnknownFields: Sendable, Hashable {
    public internal(set) var bytes: [UInt8] = []

    public var isEmpty: Bool { bytes.isEmpty }

    public init() {}

    @usableFromInline mutating func append(_ field: ArraySlice<UInt8>) { bytes += field }
}

/// An enumeration. It is open: numbers without a name are kept, so it is a struct with constants.
public protocol ProtobufEnumeration: RawRepresentable, Hashable, Sendable where RawValue == Int32 {
    init(rawValue: Int32)
}
