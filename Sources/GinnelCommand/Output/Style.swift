// Colours, on a terminal only. The convention of no-color.org is kept: a NO_COLOR that is not empty turns them off.

internal import CGinnelCommand
import Foundation

struct Style: Sendable {
    let isColoured: Bool

    /// For one of the standard streams.
    init(descriptor: Int32) {
        let environment = ProcessInfo.processInfo.environment
        isColoured = gnc_is_terminal(descriptor) && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    func bold(_ text: String) -> String { coloured(text, "1") }
    func dim(_ text: String) -> String { coloured(text, "2") }
    func red(_ text: String) -> String { coloured(text, "31") }
    func green(_ text: String) -> String { coloured(text, "32") }
    func yellow(_ text: String) -> String { coloured(text, "33") }

    private func coloured(_ text: String, _ code: String) -> String { isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}

extension String {
    /// The text on one line and without control characters: what a peer says must not steer our terminal or forge our lines.
    var harmless: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    /// The text with spaces behind it, `width` columns in all.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// The text with spaces before it.
    func padded(left width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
