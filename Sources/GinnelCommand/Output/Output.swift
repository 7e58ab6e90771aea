// Where everything that a command says goes through: text for people, or one JSON object a line for machines.
//
// With --json standard output holds nothing but JSON, errors included, and standard error nothing at all. Without it, results go to standard output and
// errors to standard error. Every line is written at once and whole, so that whoever reads along sees it.

internal import CGinnelCommand
import Foundation

struct Output: Sendable {
    let isJSON: Bool
    let style = Style(descriptor: 1)
    private let errorStyle = Style(descriptor: 2)
    let isTerminal = gnc_is_terminal(1)

    init(isJSON: Bool) { self.isJSON = isJSON }

    /// A line for people; nothing with --json.
    func say(_ line: String = "") { if !isJSON { write(line + "\n") } }

    /// A line for machines; nothing without --json.
    func emit(_ object: @autoclosure () -> JSONTree) { if isJSON { write(object().text + "\n") } }

    /// Bytes as they are.
    func write(bytes: [UInt8]) { try? FileHandle.standardOutput.write(contentsOf: Data(bytes)) }

    func report(_ trouble: Trouble) {
        emit([
            "type": "error", "status": .integer(Int(trouble.status.rawValue)), "code": .string(trouble.code), "sentence": .string(trouble.sentence),
            "remedy": .string(trouble.remedy),
        ])
        guard !isJSON else { return }
        var text = "\(errorStyle.red("ginnel:")) \(trouble.sentence)\n"
        if let remedy = trouble.remedy { text += "        \(remedy)\n" }
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    private func write(_ text: String) { write(bytes: Array(text.utf8)) }
}
