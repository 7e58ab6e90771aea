/// How the bytes of a field are laid out, so that one who does not know it can pass over it.
@usableFromInline enum ProtobufWireType: UInt8, Sendable {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case startGroup = 3
    case endGroup = 4
    case fixed32 = 5
}
