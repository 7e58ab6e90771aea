// Method and event names as strings, without making a new one for each message.

struct NameCache: Sendable {
    private var slots = [String](repeating: "", count: 16)

    /// The name in these bytes, or `nil` when they are not UTF-8.
    mutating func name(_ bytes: borrowing RawSpan) -> String? {
        guard !bytes.isEmpty else { return "" }
        let last = bytes.byteCount - 1
        let slot = (bytes.byteCount &+ Int(bytes.byte(at: last)) &* 7 &+ Int(bytes.byte(at: last / 2))) & 15
        if Self.equal(slots[slot], bytes) { return slots[slot] }
        guard let name = bytes.text() else { return nil }
        slots[slot] = name
        return name
    }

    private static func equal(_ name: String, _ bytes: borrowing RawSpan) -> Bool {
        guard name.utf8.count == bytes.byteCount else { return false }
        return bytes.withUnsafeBytes { raw in
            name.utf8.withContiguousStorageIfAvailable { $0.elementsEqual(raw) } ?? false
        }
    }
}
