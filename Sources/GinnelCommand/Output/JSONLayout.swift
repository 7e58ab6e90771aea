// A reply's JSON as people or programs like to read it, its text otherwise as it came. Numbers in particular are not read and written again, which would
// change some of them.

struct JSONLayout {
    private let isIndented: Bool
    private var result = ""
    private var level = 0
    /// A bracket was opened and nothing stands in it yet.
    private var isFresh = false

    /// Checked JSON text with line breaks and two spaces for each level.
    static func indented(_ text: String) -> String { laidOut(text, isIndented: true) }
    /// Checked JSON text on one line.
    static func compact(_ text: String) -> String { laidOut(text, isIndented: false) }

    private static func laidOut(_ text: String, isIndented: Bool) -> String {
        var layout = JSONLayout(isIndented: isIndented)
        var isInString = false
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if !isInString {
                layout.add(scalar)
                isInString = scalar == "\""
                continue
            }
            layout.result += scalar.isUnsafeInOutput ? scalar.escapedForJSON : String(scalar)
            isInString = isEscaped || scalar != "\""
            isEscaped = !isEscaped && scalar == "\\"
        }
        return layout.result
    }

    private init(isIndented: Bool) { self.isIndented = isIndented }

    /// What stands outside of strings.
    private mutating func add(_ scalar: Unicode.Scalar) {
        if scalar == " " || scalar == "\n" || scalar == "\r" || scalar == "\t" { return }
        let closes = scalar == "}" || scalar == "]"
        if closes { level -= 1 }
        // An empty object or array stays on its line.
        if closes != isFresh { breakLine() }
        isFresh = false
        result.unicodeScalars.append(scalar)
        switch scalar {
        case "{", "[":
            level += 1
            isFresh = true
        case ",": breakLine()
        case ":": if isIndented { result += " " }
        default: break
        }
    }

    private mutating func breakLine() { if isIndented { result += "\n" + String(repeating: "  ", count: level) } }
}
