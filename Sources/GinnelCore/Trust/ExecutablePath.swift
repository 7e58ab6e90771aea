// The path of a program, taken apart for comparison: exactly, byte by byte, never "contains".
//
// Which kind of path it is shows in its first characters, so the rules are the same code on every platform. On POSIX a backslash and any case are
// part of a name. Windows takes both slashes for separators and, as its file systems do, ASCII letters of either case for the same.

struct ExecutablePath: Equatable {
    let directory: [UInt8]
    let name: [UInt8]
    /// The file that the peer runs is gone: the path now names nothing, or another program.
    let isDeleted: Bool
    private let style: Style

    private enum Style { case posix, windows }
    private static let deletedMark = " (deleted)"

    /// `nil` when the path is not absolute.
    init?(_ path: String) {
        guard let style = Self.style(of: path) else { return nil }
        self.style = style
        isDeleted = style == .posix && path.hasSuffix(Self.deletedMark)
        let whole = isDeleted ? String(path.dropLast(Self.deletedMark.count)) : path
        let bytes = Self.comparable(whole, style)
        let separator = Self.separator(style)
        guard let last = bytes.lastIndex(of: separator) else { return nil }
        directory = Self.trimmed(bytes[...last], separator)
        name = Array(bytes[(last + 1)...])
    }

    /// Whether the program's directory is `directory`, with or without a separator at its end.
    func lies(in directory: String) -> Bool {
        guard Self.style(of: directory) == style else { return false }
        return Self.trimmed(Self.comparable(directory, style)[...], Self.separator(style)) == self.directory
    }

    func isNamed(_ name: String) -> Bool { Self.comparable(name, style) == self.name }

    private static func style(of path: String) -> Style? {
        let start = Array(path.utf8.prefix(3))
        if start.first == UInt8(ascii: "/") { return .posix }
        if start.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "\\")]) { return .windows }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard start.count == 3, letters.contains(start[0] | 0x20), start[1] == UInt8(ascii: ":") else { return nil }
        return start[2] == UInt8(ascii: "\\") || start[2] == UInt8(ascii: "/") ? .windows : nil
    }

    private static func separator(_ style: Style) -> UInt8 { style == .posix ? UInt8(ascii: "/") : UInt8(ascii: "\\") }

    private static func comparable(_ text: String, _ style: Style) -> [UInt8] {
        guard style == .windows else { return Array(text.utf8) }
        return text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "/"): UInt8(ascii: "\\")
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            default: byte
            }
        }
    }

    private static func trimmed(_ path: ArraySlice<UInt8>, _ separator: UInt8) -> [UInt8] {
        var path = path
        while path.count > 1, path.last == separator { path.removeLast() }
        return Array(path)
    }
}
