/// What the key of a map can be. The order is that in which entries are written, so that equal messages have equal bytes.
public protocol ProtobufMapKey: Hashable, Sendable {
    static func precedes(_ first: Self, _ second: Self) -> Bool
}

extension ProtobufMapKey where Self: Comparable {
    public static func precedes(_ first: Self, _ second: Self) -> Bool { first < second }
}

extension Int32: ProtobufMapKey {}
extension Int64: ProtobufMapKey {}
extension UInt32: ProtobufMapKey {}
extension UInt64: ProtobufMapKey {}

extension Bool: ProtobufMapKey {
    public static func precedes(_ first: Bool, _ second: Bool) -> Bool { !first && second }
}

extension String: ProtobufMapKey {
    /// By their bytes, as other implementations sort them.
    public static func precedes(_ first: String, _ second: String) -> Bool { first.utf8.lexicographicallyPrecedes(second.utf8) }
}
