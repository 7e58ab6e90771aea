// The list that vendors add to a trace context: `key=value` pairs with commas between them. Nothing here wants to know what it says, only that it is such a list and can be sent on.

enum TraceState {
    /// Bytes of the longest list that is kept.
    static let maximumBytes = 512
    private static let maximumMembers = 32

    /// The list as it came; `nil` when it is none, is empty, or is longer than this side keeps.
    static func checked(_ text: String) -> String? {
        guard (1...maximumBytes).contains(text.utf8.count) else { return nil }
        let members = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(trimmed).filter { !$0.isEmpty }
        return (1...maximumMembers).contains(members.count) && members.allSatisfy(isMember) ? text : nil
    }

    private static func trimmed(_ member: Substring.UTF8View) -> Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var member = member.drop(while: isBlank)
        while let last = member.last, isBlank(last) { member.removeLast() }
        return member
    }

    private static func isMember(_ member: Substring.UTF8View) -> Bool {
        guard let sign = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return isKey(member[..<sign]) && isValue(member[member.index(after: sign)...])
    }

    /// 1 to 256 of the allowed characters, the first a letter or a digit; with an `@`, at most 241 before it and 14 behind.
    private static func isKey(_ key: Substring.UTF8View) -> Bool {
        let parts = key.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        let limits = parts.count == 1 ? [256] : [241, 14]
        return parts.count <= 2
            && zip(parts, limits).allSatisfy { part, limit in (1...limit).contains(part.count) && part.allSatisfy(isKeyByte) && part.first.map(isFirst) == true }
    }

    private static func isFirst(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        isFirst(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "/")
    }

    /// 1 to 256 printable characters without `,` and `=`, which does not end in a blank.
    private static func isValue(_ value: Substring.UTF8View) -> Bool {
        (1...256).contains(value.count) && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
    }
}
